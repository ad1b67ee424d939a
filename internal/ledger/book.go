package ledger

import (
	"maps"
	"slices"

	"github.com/vigie-otel/vigie/internal/names"
)

// Reason is why something was dropped.
type Reason string

// Reasons, beside those that the log reader gives of its own.
const (
	Filtered      Reason = "filtered"
	Removed       Reason = "removed" // by the component that it was for
	SendFailed    Reason = "send_failed"
	EnqueueFailed Reason = "enqueue_failed"
	Sacrificed    Reason = "sacrificed"
)

// State is what a book comes to.
type State string

// States.
const (
	Balanced State = "balanced" // and nothing is on its way
	Waiting  State = "waiting"  // balanced by what the queue or a batch holds
	Off      State = "off"      // Book.Off items are not explained
	Unknown  State = "unknown"  // a part cannot be counted: Book.Unknown
)

// Book is the account of one signal to one destination, in items: log records,
// spans or metric points.
type Book struct {
	Signal, To string
	Read       int64
	Made       int64 // findings, summaries: by components on the way
	PushedBack int64
	Sent       int64
	Dropped    map[Reason]int64
	// Waiting is what is left of Read and Made. Below zero more was sent.
	Waiting int64
	// Queue is the size of the destination's queue in its own unit (requests,
	// unless its sizer says otherwise); -1 where it has none.
	Queue   int64
	State   State
	Off     int64
	Unknown []string
}

// Lost is all that was dropped.
func (b *Book) Lost() int64 {
	var n int64
	for _, d := range b.Dropped {
		n += d
	}
	return n
}

// items is how the helpers' counters call a signal's items.
var items = map[string]string{"logs": "log_records", "traces": "spans", "metrics": "metric_points"} //nolint:gochecknoglobals // a constant table

// Books balances each way.
func Books(s *Snapshot, ways []Way) []Book {
	books := make([]Book, 0, len(ways))
	for _, w := range ways {
		books = append(books, s.book(w))
	}
	return books
}

func (s *Snapshot) book(w Way) Book {
	noun := items[w.Signal]
	b := Book{Signal: w.Signal, To: w.To, Dropped: map[Reason]int64{}, Unknown: slices.Clone(w.Unknown), Queue: -1}
	drop := func(why Reason, n int64) {
		if n > 0 {
			b.Dropped[why] += n
		}
	}
	s.sources(&b, w, noun, drop)
	for _, step := range w.Through {
		id := step.Processor
		in, counts := s.sum("otelcol_processor_incoming_items", id, w.Signal, "")
		out, _ := s.sum("otelcol_processor_outgoing_items", id, w.Signal, "")
		if !counts && s.any(step.From, noun) {
			b.Unknown = append(b.Unknown, id+" does not say what came in and what went out")
		}
		if out > in {
			b.Unknown = append(b.Unknown, id+" let out more than came in")
		}
		drop(Filtered, in-out)
	}
	for _, id := range w.Makers {
		made, counts := s.sum(names.LedgerMade, id, w.Signal, "")
		removed, _ := s.sum(names.LedgerRemoved, id, w.Signal, "")
		if !counts {
			b.Unknown = append(b.Unknown, id+" makes items of its own and does not say how many")
		}
		b.Made += made
		drop(Removed, removed)
	}
	sent, told := s.sum("otelcol_exporter_sent_"+noun, w.To, "", "")
	b.Sent = sent
	failed, tells := s.sum("otelcol_exporter_send_failed_"+noun, w.To, "", "")
	full, _ := s.sum("otelcol_exporter_enqueue_failed_"+noun, w.To, "", "")
	size, queued := s.sum("otelcol_exporter_queue_size", w.To, w.Signal, "")
	if queued {
		b.Queue = size
	}
	if b.Read > 0 && !told && !tells && !queued {
		b.Unknown = append(b.Unknown, w.To+" does not say what it sent")
	}
	if w.Mixed && (full > 0 || failed > 0 && !queued) {
		b.Unknown = append(b.Unknown, "a part of what was refused here came by a batch, and is lost; the rest was pushed back")
	}
	if queued || w.Batched {
		drop(SendFailed, failed)
	}
	if w.Batched {
		// The batch had said yes: what the queue refused then is nowhere.
		drop(EnqueueFailed, full)
	}
	// Otherwise the receiver heard of either failure and said no: it is pushed back.
	b.Waiting = b.Read + b.Made - b.Sent - b.Lost()
	b.settle(w)
	return b
}

// sources adds up what was read, and what a reader gave up before it was.
func (s *Snapshot) sources(b *Book, w Way, noun string, drop func(Reason, int64)) {
	reader := false
	for i, id := range w.From {
		if kind(id) == "container_log" {
			// Its counters name no component: all of them together, once.
			if reader {
				if w.From[i-1] == id {
					b.Unknown = append(b.Unknown, id+" comes here by two ways and is counted once")
				}
				continue
			}
			reader = true
			n, _ := s.sum(names.LogsRecords, "", "", "accepted")
			given, _ := s.sum(names.LogsSacrificed, "", "", "")
			b.Read += n + given
			drop(Sacrificed, given)
			for why, n := range s.details(names.LogsDropped) {
				b.Read += n
				drop(Reason(why), n)
			}
			continue
		}
		// A receiver that has got nothing yet has no series: zero.
		n, _ := s.sum("otelcol_receiver_accepted_"+noun, id, "", "")
		refused, _ := s.sum("otelcol_receiver_refused_"+noun, id, "", "")
		failed, _ := s.sum("otelcol_receiver_failed_"+noun, id, "", "")
		b.Read += n
		b.PushedBack += refused + failed
	}
}

// any tells whether one of the receivers has read anything.
func (s *Snapshot) any(receivers []string, noun string) bool {
	return slices.ContainsFunc(receivers, func(id string) bool {
		metric, of, detail := "otelcol_receiver_accepted_"+noun, id, ""
		if kind(id) == "container_log" {
			metric, of, detail = names.LogsRecords, "", "accepted"
		}
		n, _ := s.sum(metric, of, "", detail)
		return n > 0
	})
}

// settle gives the verdict.
func (b *Book) settle(w Way) {
	if b.Waiting < 0 && b.PushedBack > 0 {
		b.Unknown = append(b.Unknown, "a sender was told no for what reached this destination all the same, since another one failed")
	}
	if b.Waiting < 0 && w.Durable {
		b.Unknown = append(b.Unknown, "the queue on disk began with what an earlier process left, which is sent now and was read then")
	}
	switch {
	case len(b.Unknown) > 0:
		b.State = Unknown
	case b.Waiting == 0 && b.Queue <= 0:
		b.State = Balanced
	case b.Waiting > 0 && (b.Queue > 0 || w.Batched):
		b.State = Waiting
	default:
		b.State, b.Off = Off, b.Waiting
	}
}

// Reasons are a book's, in order.
func (b *Book) Reasons() []Reason { return slices.Sorted(maps.Keys(b.Dropped)) }
