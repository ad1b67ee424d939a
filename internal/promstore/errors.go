package promstore

import (
	"errors"
	"fmt"
)

// What a caller may branch on, with errors.Is. The messages around them name
// the directory and say what to do.
var (
	// ErrLocked: another process has the data directory open.
	ErrLocked = errors.New("in use by another instance")
	// ErrNotWritable: the data directory cannot be made or written to.
	ErrNotWritable = errors.New("not writable")
	// ErrDiskFull: the file system has less room than Config.MinFreeBytes, or a
	// write met ENOSPC. Trying again later may succeed.
	ErrDiskFull = errors.New("disk full")
	// ErrUnavailable: the database is being repaired or could not be opened
	// again. Trying again later may succeed.
	ErrUnavailable = errors.New("store unavailable")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("store closed")
	// ErrBusy: too many queries are waiting already.
	ErrBusy = errors.New("too many queries")
)

// Retryable reports whether the same append may succeed later.
func Retryable(err error) bool {
	return errors.Is(err, ErrDiskFull) || errors.Is(err, ErrUnavailable)
}

// Why series or samples are refused; each becomes a value of the reason label.
type reason uint8

const (
	reasonUntranslatable    reason = iota // delta temporality, empty metric, no name
	reasonFuture                          // later than now + MaxFuture
	reasonTooOld                          // older than the retention or the out-of-order window
	reasonOutOfOrder                      // behind its series, beyond the window
	reasonDuplicate                       // another value at the same time
	reasonSeriesLimit                     // MaxSeries
	reasonMetricSeriesLimit               // MaxSeriesPerMetric
	reasonLabelLimit                      // too many labels, or one too long
	reasonInvalidLabels                   // no name, not UTF-8, named twice
	reasonHistogram                       // inconsistent native histogram
	reasonBucketLimit                     // MaxHistogramBuckets
	reasonMalformed                       // remote-write body that does not decode: one per request
	reasonTooLarge                        // remote-write body over its limit: one per request
	reasonDiskFull
	reasonUnavailable
	reasonCount
)

var reasonNames = [reasonCount]string{
	"untranslatable", "future", "too_old", "out_of_order", "duplicate_timestamp",
	"series_limit", "metric_series_limit", "label_limit", "invalid_labels",
	"histogram", "bucket_limit", "malformed", "too_large", "disk_full", "unavailable",
}

func (r reason) String() string { return reasonNames[r] }

// refusal is an error with the reason it is counted under.
type refusal struct {
	reason reason
	err    error
}

func refuse(r reason, format string, args ...any) *refusal {
	return &refusal{r, fmt.Errorf(format, args...)}
}

func (e *refusal) Error() string { return e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }
