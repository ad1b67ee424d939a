package awsfake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PutEvents' limits. The total was 256 KB for years; the API reference of the
// SDK that go.mod pins says 1 MB.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const (
	MaxPutEntries     = 10
	MaxPutEventsBytes = 1 << 20
	timeBytes         = 14 // what an entry's Time counts as
	maxDetailType     = 128
	maxDetailDepth    = 1000
)

// BusEvent is an accepted entry of PutEvents.
type BusEvent struct {
	ID, Bus, Source, DetailType string
	Detail                      json.RawMessage
	Resources                   []string
	Time                        time.Time
	TraceHeader                 string
	Call                        uint64
}

// busStore is what EventBridge holds; guarded by Server.mu.
type busStore struct {
	names  []string
	events []BusEvent
	calls  uint64
}

func newBusStore(o Options) busStore {
	return busStore{names: append([]string{"default"}, o.Buses...)}
}

// BusEvents are the accepted events of a bus, given by its name, in the order in
// which they came.
func (s *Server) BusEvents(bus string) []BusEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []BusEvent
	for _, e := range s.bus.events {
		if e.Bus == bus {
			all = append(all, e)
		}
	}
	return all
}

var busOperations = map[string]func(*call) (any, *apiError){
	"PutEvents":        (*call).putEvents,
	"DescribeEventBus": (*call).describeEventBus,
}

type putEntry struct {
	Bus        string   `json:"EventBusName"`
	Source     string   `json:"Source"`
	DetailType string   `json:"DetailType"`
	Detail     *string  `json:"Detail"`
	Resources  []string `json:"Resources"`
	Time       *float64 `json:"Time"` // epoch seconds
	Trace      string   `json:"TraceHeader"`
}

type putResult struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:"ErrorCode,omitempty"`
	ErrorMessage string `json:"ErrorMessage,omitempty"`
}

// size is the documented formula.
func (e putEntry) size() int {
	n := len(e.Source) + len(e.DetailType)
	if e.Time != nil {
		n += timeBytes
	}
	if e.Detail != nil {
		n += len(*e.Detail)
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

func (e putEntry) complete() bool { return e.Source != "" && e.DetailType != "" && e.Detail != nil }

func validation(format string, args ...any) *apiError {
	return &apiError{code: "ValidationException", message: fmt.Sprintf(format, args...), violation: true}
}

func (c *call) putEvents() (any, *apiError) {
	var in struct{ Entries []putEntry }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Entries) == 0 || len(in.Entries) > MaxPutEntries {
		return nil, validation("1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and %d (got %d)", MaxPutEntries, len(in.Entries))
	}
	size, complete := 0, false
	for _, e := range in.Entries {
		size += e.size()
		complete = complete || e.complete()
	}
	// "must be less than 1MB", so the figure itself is over.
	if size >= MaxPutEventsBytes {
		return nil, validation("Total size of the entries in the request is over the limit (%d bytes).", size)
	}
	if !complete {
		return nil, validation("No entry has Source, DetailType and Detail.")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.bus.calls++
	var results []putResult
	failed := 0
	for i, e := range in.Entries {
		r := c.putLocked(i, e)
		if r.ErrorCode != "" {
			failed++
		}
		results = append(results, r)
	}
	return map[string]any{"FailedEntryCount": failed, "Entries": results}, nil
}

func (c *call) putLocked(i int, e putEntry) putResult {
	if f := c.fault; f != nil && f.Kind == PartialRejection && i < f.Entries {
		code := f.Code
		if code == "" {
			code = "InternalFailure"
		}
		return putResult{ErrorCode: code, ErrorMessage: "injected"}
	}
	bus := e.Bus[strings.LastIndexByte(e.Bus, '/')+1:] // a name, or an ARN that ends in it
	if bus == "" {
		bus = "default"
	}
	if refused := e.check(bus, c.s.bus.names); refused.ErrorCode != "" {
		c.s.violateLocked("PutEvents entry %d: %s: %s", i, refused.ErrorCode, refused.ErrorMessage)
		return refused
	}
	c.s.sequence++
	b := BusEvent{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", c.s.sequence), Bus: bus, Source: e.Source, DetailType: e.DetailType,
		Detail: json.RawMessage(*e.Detail), Resources: e.Resources, Time: c.s.now(), TraceHeader: e.Trace, Call: c.s.bus.calls,
	}
	if e.Time != nil {
		b.Time = time.UnixMilli(int64(*e.Time * 1000))
	}
	c.s.bus.events = append(c.s.bus.events, b)
	return putResult{EventID: b.ID}
}

// check is what fails one entry. That a bus is unknown has no documented answer;
// InvalidArgument is the documented code that fits.
func (e putEntry) check(bus string, known []string) putResult {
	argument := func(name, reason string) putResult {
		return putResult{ErrorCode: "InvalidArgument", ErrorMessage: "Parameter " + name + " is not valid. Reason: " + reason}
	}
	switch {
	case e.Source == "":
		return argument("Source", "Source is a required argument.")
	case e.DetailType == "":
		return argument("DetailType", "DetailType is a required argument.")
	case e.Detail == nil:
		return argument("Detail", "Detail is a required argument.")
	case len(e.DetailType) > maxDetailType:
		return argument("DetailType", fmt.Sprintf("%d characters, at most %d.", len(e.DetailType), maxDetailType))
	case strings.HasPrefix(e.Source, "aws."):
		return putResult{ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: "Not authorized for the source."}
	case !slices.Contains(known, bus):
		return argument("EventBusName", "Event bus "+bus+" does not exist.")
	}
	var object map[string]any
	if json.Unmarshal([]byte(*e.Detail), &object) != nil || object == nil || depth(*e.Detail) > maxDetailDepth {
		return putResult{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."}
	}
	return putResult{}
}

// depth is how deep sound JSON nests.
func depth(document string) int {
	level, deepest, quoted := 0, 0, false
	for i := 0; i < len(document); i++ {
		switch c := document[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}', c == ']':
			level--
		}
	}
	return deepest
}

func (c *call) describeEventBus() (any, *apiError) {
	var in struct{ Name string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	name := in.Name[strings.LastIndexByte(in.Name, '/')+1:]
	if name == "" {
		name = "default"
	}
	if !slices.Contains(c.s.bus.names, name) {
		return nil, &apiError{code: "ResourceNotFoundException", message: "Event bus " + name + " does not exist."}
	}
	return map[string]any{"Name": name, "Arn": fmt.Sprintf("arn:aws:events:%s:%s:event-bus/%s", c.s.Region, Account, name)}, nil
}
