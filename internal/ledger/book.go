package ledger

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vigie-otel/vigie/internal/names"
)

// Reason is why something was dropped.
type Reason string

// Reasons, beside those that the readers give of their own.
const (
	Filtered      Reason = "filtered"
	SendFailed    Reason = "send_failed"
	EnqueueFailed Reason = "enqueue_failed"
	Sacrificed    Reason = "sacrificed" // and _ and the reader's reason: sacrificed_lag_time
)

// State is what a book comes to.
type State string

// States.
const (
	Balanced State = "balanced" // and nothing is on its way
	Waiting  State = "waiting"  // balanced by what the queue holds
	Moving   State = "moving"   // items are between the accounts: the verdict comes when they stand still
	Off      State = "off"      // Book.Off items are not explained
	Unknown  State = "unknown"  // a part cannot be counted: Book.Unknown
)

// Book is the account of one signal to one destination, in items: log records,
// spans or metric points.
type Book struct {
	Signal        string           `json:"signal"`
	To            string           `json:"destination"`
	State         State            `json:"state"`
	Read          int64            `json:"read"`
	QueuedAtStart int64            `json:"queued_at_start"` // by an earlier process
	Made          int64            `json:"made"`            // findings, summaries: by components on the way
	Sent          int64            `json:"sent"`
	Removed       int64            `json:"removed"` // by the components that it was for
	Dropped       map[Reason]int64 `json:"dropped,omitempty"`
	// Waiting is what is left of Read, QueuedAtStart and Made. Below zero more was
	// sent.
	Waiting int64 `json:"waiting"`
	// Queue is the size of the destination's queue in its own unit (requests, unless
	// its sizer is items); -1 where it has none.
	Queue      int64    `json:"queue"`
	PushedBack int64    `json:"pushed_back"`
	Off        int64    `json:"off"`
	Unknown    []string `json:"unknown,omitempty"`
	// Notes are what an exporter gave up behind its queue in a unit of its own:
	// samples, events. It is among Sent.
	Notes []string `json:"notes,omitempty"`
}

// Lost is all that was dropped.
func (b *Book) Lost() int64 {
	var n int64
	for _, d := range b.Dropped {
		n += d
	}
	return n
}

// Reasons are a book's, in order.
func (b *Book) Reasons() []Reason { return slices.Sorted(maps.Keys(b.Dropped)) }

func (b *Book) drop(why Reason, n int64) {
	if n > 0 {
		b.Dropped[why] += n
	}
}

func (b *Book) unknown(format string, args ...any) {
	b.Unknown = append(b.Unknown, fmt.Sprintf(format, args...))
}

// items is how the helpers' counters call a signal's items.
var items = map[string]string{"logs": "log_records", "traces": "spans", "metrics": "metric_points"} //nolint:gochecknoglobals // a constant table

// Books balances each way, as if nothing moved.
func Books(s *Snapshot, ways []Way) []Book {
	books := make([]Book, 0, len(ways))
	for _, w := range ways {
		books = append(books, s.book(w))
	}
	return books
}

func (s *Snapshot) book(w Way) Book {
	b := Book{Signal: w.Signal, To: w.To, QueuedAtStart: w.Start, Dropped: map[Reason]int64{}, Unknown: slices.Clone(w.Unknown), Queue: -1}
	again := s.sources(&b, w)
	s.passed(&b, w, again)
	s.made(&b, w)
	s.arrived(&b, w)
	b.Waiting = b.Read + b.QueuedAtStart + b.Made - b.Sent - b.Removed - b.Lost()
	b.settle(w)
	return b
}

// passed adds up what processors left out. again says that some of what they saw
// was refused behind them, and may have come to them twice.
func (s *Snapshot) passed(b *Book, w Way, again bool) {
	const in, out = "otelcol_processor_incoming_items", "otelcol_processor_outgoing_items"
	for _, step := range w.Through {
		came, counts := s.sum(in, step.Processor, w.Signal, "")
		left, _ := s.sum(out, step.Processor, w.Signal, "")
		switch {
		case !counts && s.any(step.From, items[w.Signal]):
			b.unknown("%s does not say what came in and what went out", step.Processor)
		case left > came:
			b.unknown("%s let out more than came in", step.Processor)
		case left < came && again:
			b.unknown("%s left out items of batches that may have been refused behind it and come again", step.Processor)
		}
		b.drop(Filtered, came-left)
	}
	for _, id := range w.Shared {
		came, _ := s.sum(in, id, w.Signal, "")
		if left, _ := s.sum(out, id, w.Signal, ""); left != came {
			b.unknown("%s is shared with pipelines that end elsewhere, and counts them together", id)
		}
	}
}

func (s *Snapshot) made(b *Book, w Way) {
	for _, id := range w.Makers {
		made, counts := s.sum(names.LedgerMade, id, w.Signal, "")
		removed, _ := s.sum(names.LedgerRemoved, id, w.Signal, "")
		if !counts {
			b.unknown("%s makes items of its own and does not say how many", id)
		}
		b.Made += made
		b.Removed += removed
	}
}

// arrived is the destination's side.
func (s *Snapshot) arrived(b *Book, w Way) {
	noun := items[w.Signal]
	sent, told := s.sum("otelcol_exporter_sent_"+noun, w.To, "", "")
	failed, tells := s.sum("otelcol_exporter_send_failed_"+noun, w.To, "", "")
	full, _ := s.sum("otelcol_exporter_enqueue_failed_"+noun, w.To, "", "")
	size, queued := s.sum("otelcol_exporter_queue_size", w.To, w.Signal, "")
	b.Sent = sent
	if queued {
		b.Queue = size
	}
	if w.Durable {
		// Interrupted by the end of the process, it is on disk still.
		failed -= s.atEnd("otelcol_exporter_send_failed_"+noun, w.To)
	}
	if b.Read > 0 && !told && !tells && !queued {
		b.unknown("%s does not say what it sent", w.To)
	}
	// Behind the exporter's own back: it was told yes, and gave a part of it up.
	for why, n := range s.details(names.LedgerLost, w.To, w.Signal) {
		if why != Refused {
			b.Sent -= n
			b.drop(Reason(why), n)
		}
	}
	s.behind(b, w)
	refused, says := s.sum(names.LedgerLost, w.To, w.Signal, Refused)
	switch {
	case says && queued:
		b.drop(SendFailed, failed)
		b.drop(EnqueueFailed, refused)
	case says:
		b.drop(SendFailed, refused)
	default:
		if w.Mixed && (full > 0 || failed > 0 && !queued) {
			b.unknown("a part of what was refused here came by a batch, and is lost; the rest was pushed back")
		}
		if queued || w.Batched {
			b.drop(SendFailed, failed)
		}
		if w.Batched {
			// The batch had said yes: what the queue refused then is nowhere.
			b.drop(EnqueueFailed, full)
		}
	}
	// What else was refused, the receiver heard of and said no: it is pushed back.
}

// givenUp are the counters of exporters that give up what they have taken, by type.
// They name no component.
var givenUp = map[string][]string{ //nolint:gochecknoglobals // a constant table
	"remote_write": {"otelcol_remote_write_dropped_samples"},
	"cloudwatch":   {names.CloudWatchEventsDropped, names.CloudWatchPointsDropped},
	"grafana":      {names.GrafanaRefused},
}

// behind notes what an exporter gave up after it had said yes: a histogram's point
// is several samples, a long record several events, so it is no account.
func (s *Snapshot) behind(b *Book, w Way) {
	for _, metric := range givenUp[kind(w.To)] {
		by := s.details(metric, "", "")
		for _, why := range slices.Sorted(maps.Keys(by)) {
			if n := by[why]; n > 0 {
				b.Notes = append(b.Notes, fmt.Sprintf("%s: %d (%s)", metric, n, why))
			}
		}
	}
}

// settle gives the verdict for counters that stand still.
func (b *Book) settle(w Way) {
	if b.Waiting < 0 && b.PushedBack > 0 {
		b.unknown("a sender was told no for what reached this destination all the same, since another one failed")
	}
	if w.Began > 0 || b.Waiting < 0 && w.Durable && !w.InItems {
		b.unknown("the queue on disk began with what an earlier process left and does not count items: it is known once the queue has been empty; set sending_queue::sizer to items")
	}
	held := max(b.Queue, 0)
	switch {
	case len(b.Unknown) > 0:
		b.State = Unknown
	case b.Waiting == 0 && held == 0:
		b.State = Balanced
	case b.Waiting > 0 && held > 0 && (!w.InItems || b.Waiting == held):
		b.State = Waiting
	case w.InItems:
		b.State, b.Off = Off, b.Waiting-held
	default:
		b.State, b.Off = Off, b.Waiting
	}
}
