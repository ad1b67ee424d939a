package cloudwatchexporter

import (
	"slices"
	"sort"
	"time"
)

// PutLogEvents' limits.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	maxBatchBytes  = 1_048_576
	eventOverhead  = 26 // bytes that the service counts for each event
	maxBatchEvents = 10_000
	maxBatchSpan   = 24 * time.Hour
	maxEventAge    = 14 * 24 * time.Hour
	maxEventAhead  = 2 * time.Hour
	// maxMessage is a message that fills a batch alone.
	maxMessage = maxBatchBytes - eventOverhead
)

// event is one log event. Its message is valid UTF-8 and not empty.
type event struct {
	at      int64 // ms since the epoch
	records int32 // log records or data points in it; 0 in what follows the first piece of a long one
	message string
}

// size is what the service counts and bills.
func (e *event) size() int { return len(e.message) + eventOverhead }

// sortEvents orders by time and keeps the order of arrival within a millisecond.
func sortEvents(events []event) {
	byTime := func(a, b event) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	}
	// Nearly always in order already, and the check is a tenth of a sort.
	if !slices.IsSortedFunc(events, byTime) {
		slices.SortStableFunc(events, byTime)
	}
}

// acceptable is the stretch of sorted events that the service takes at now: what
// lies before from is too old, what lies from to on is too new.
func acceptable(events []event, now time.Time) (from, to int) {
	oldest, newest := now.Add(-maxEventAge).UnixMilli(), now.Add(maxEventAhead).UnixMilli()
	from = sort.Search(len(events), func(i int) bool { return events[i].at >= oldest })
	to = sort.Search(len(events), func(i int) bool { return events[i].at > newest })
	return from, to
}

// nextBatch is how many of the first sorted events fit into one request.
func nextBatch(events []event) int {
	bytes := 0
	for i := range events {
		bytes += events[i].size()
		if i == maxBatchEvents || bytes > maxBatchBytes || events[i].at-events[0].at > maxBatchSpan.Milliseconds() {
			return i
		}
	}
	return len(events)
}
