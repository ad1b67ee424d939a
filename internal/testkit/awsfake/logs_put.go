package awsfake

import (
	"time"
)

// PutLogEvents' limits.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	MaxBatchBytes  = 1_048_576
	EventOverhead  = 26
	MaxBatchEvents = 10_000
	// MaxEventBytes is an event with its overhead, so that the largest fills a
	// batch alone.
	MaxEventBytes = 1_048_576

	maxBatchSpan   = 24 * time.Hour
	maxEventAge    = 14 * 24 * time.Hour
	maxEventFuture = 2 * time.Hour
)

type inputEvent struct {
	Time    *int64  `json:"timestamp"`
	Message *string `json:"message"`
}

func (e inputEvent) at() time.Time { return time.UnixMilli(*e.Time) }

type rejected struct {
	TooNew  *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOld  *int `json:"tooOldLogEventEndIndex,omitempty"`
	Expired *int `json:"expiredLogEventEndIndex,omitempty"`
}

func (c *call) putLogEvents() (any, *apiError) {
	var in struct {
		Group  string       `json:"logGroupName"`
		Stream string       `json:"logStreamName"`
		Events []inputEvent `json:"logEvents"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := firstError(checkGroup(in.Group), checkStream(in.Stream), checkBatch(in.Events)); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.logs.groups[in.Group]
	if g == nil {
		return nil, notFound("log group")
	}
	st := g.streams[in.Stream]
	if st == nil {
		return nil, notFound("log stream")
	}
	from, to, info := acceptable(in.Events, c.s.now(), g.RetentionDays)
	if c.fault != nil && c.fault.Kind == PartialRejection {
		from = min(max(from, c.fault.Entries), to)
		info.TooOld = &from
	}
	if err := checkSpan(in.Events[from:to]); err != nil {
		return nil, err
	}
	c.s.logs.calls++
	c.s.logs.rejected += len(in.Events) - (to - from)
	for _, e := range in.Events[from:to] {
		c.s.acceptLocked(in.Group, in.Stream, st, LogEvent{Time: e.at(), Message: *e.Message, Call: c.s.logs.calls})
	}
	answer := map[string]any{"nextSequenceToken": "49039859591984857"}
	if info != (rejected{}) {
		answer["rejectedLogEventsInfo"] = info
	}
	return answer, nil
}

func (s *Server) acceptLocked(group, name string, st *stream, e LogEvent) {
	st.count++
	s.logs.bytes += len(e.Message)
	if !s.options.Forget {
		st.events = append(st.events, e)
	}
	if looksLikeEMF(e.Message) {
		s.extractLocked(group, name, e)
	}
}

// checkBatch is what fails a whole request.
func checkBatch(events []inputEvent) *apiError {
	if len(events) == 0 || len(events) > MaxBatchEvents {
		return invalid("1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and 10000 (got %d)", len(events))
	}
	size, last := 0, int64(0)
	for i, e := range events {
		switch {
		case e.Time == nil || e.Message == nil:
			return invalid("1 validation error detected: Value null at 'logEvents.%d.member' failed to satisfy constraint: Member must not be null", i+1)
		case *e.Time < 0:
			return invalid("1 validation error detected: Value '%d' at 'logEvents.%d.member.timestamp' failed to satisfy constraint: Member must have value greater than or equal to 0", *e.Time, i+1)
		case *e.Message == "":
			return invalid("1 validation error detected: Value '' at 'logEvents.%d.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1", i+1)
		case len(*e.Message)+EventOverhead > MaxEventBytes:
			return invalid("Log event too large: %d bytes exceeds limit of %d", len(*e.Message)+EventOverhead, MaxEventBytes)
		case *e.Time < last:
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		last = *e.Time
		size += len(*e.Message) + EventOverhead
	}
	if size > MaxBatchBytes {
		return invalid("Upload too large: %d bytes exceeds limit of %d", size, MaxBatchBytes)
	}
	return nil
}

// checkSpan looks at valid events only, as the service does.
func checkSpan(valid []inputEvent) *apiError {
	if len(valid) > 0 && valid[len(valid)-1].at().Sub(valid[0].at()) > maxBatchSpan {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// acceptable is the part of a batch that is neither too old nor too new: the
// events are in order, so it is one stretch.
func acceptable(events []inputEvent, now time.Time, retentionDays int) (from, to int, info rejected) {
	to = len(events)
	for from < to && now.Sub(events[from].at()) > maxEventAge {
		from++
	}
	if from > 0 {
		info.TooOld = index(from)
	}
	if retention := time.Duration(retentionDays) * 24 * time.Hour; retention > 0 {
		kept := from
		for from < to && now.Sub(events[from].at()) > retention {
			from++
		}
		if from > kept {
			info.Expired = index(from)
		}
	}
	for to > from && events[to-1].at().Sub(now) > maxEventFuture {
		to--
	}
	if to < len(events) {
		info.TooNew = index(to)
	}
	return from, to, info
}

func index(i int) *int { return &i }
