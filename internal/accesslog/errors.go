package accesslog

import "errors"

// Why a line is not a request. Parse returns these values themselves, so that
// a caller may compare them and the hot path allocates nothing.
var (
	// ErrEmpty: the line is blank.
	ErrEmpty = errors.New("line is empty")
	// ErrHeader: the line is a directive of the log itself (#Version, #Fields).
	// Nothing is wrong with it.
	ErrHeader = errors.New("line is a log header")
	// ErrTooLong: the line is longer than Options.MaxLine.
	ErrTooLong = errors.New("line is too long")
	// ErrFormat: the line has not the shape of the format, or of any format.
	ErrFormat = errors.New("line has no known shape")
	// ErrTime: the line's time cannot be read.
	ErrTime = errors.New("time cannot be read")
	// ErrStatus: the status code is no number up to 999.
	ErrStatus = errors.New("status cannot be read")
	// ErrJSON: the line begins like a JSON object and is not one.
	ErrJSON = errors.New("JSON cannot be read")
	// ErrNotRequest: a well-formed line that reports no request, such as an
	// application's message in the same stream.
	ErrNotRequest = errors.New("line reports no request")
)

// Reasons are the labels under which unread lines are counted, in the order of
// Stats.Unread.
var Reasons = [...]string{"empty", "header", "too_long", "format", "time", "status", "json", "not_request"}

var reasonErrors = [len(Reasons)]error{ErrEmpty, ErrHeader, ErrTooLong, ErrFormat, ErrTime, ErrStatus, ErrJSON, ErrNotRequest}

// Stats counts what a parser has seen.
type Stats struct {
	Lines    uint64 // all lines
	Requests uint64 // lines that were requests
	// Fallback counts requests of another format than the stream's: a stream
	// that mixes formats, or changes.
	Fallback uint64
	// Clientless counts requests without a readable client address.
	Clientless uint64
	// Unread counts lines that were no requests, by Reasons.
	Unread [len(Reasons)]uint64
}

// Bad is how many lines should have been readable and were not: all but blank
// ones, headers, and messages that report no request.
func (s *Stats) Bad() (n uint64) {
	for i, err := range reasonErrors {
		if err != ErrEmpty && err != ErrHeader && err != ErrNotRequest {
			n += s.Unread[i]
		}
	}
	return n
}

func (s *Stats) count(err error) {
	for i, e := range reasonErrors {
		if e == err {
			s.Unread[i]++
			return
		}
	}
}
