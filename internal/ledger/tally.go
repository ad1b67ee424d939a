package ledger

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/names"
)

// Refused is the reason of vigie.ledger.lost for what a destination said no to
// when nobody was left to try again: a batch had said yes before.
const Refused = "refused"

// Tally says what a component made, used up, or lost of a signal's items, so that
// a ledger knows. It is safe for concurrent use; a nil one counts nothing.
type Tally struct {
	made, removed, lost metric.Int64Counter
	component, signal   attribute.KeyValue
	attrs               metric.MeasurementOption
}

// NewTally is for one component: what (processor, connector, exporter) with its
// ID, and the signal of the items. That it is there says that the component
// counts: zero is published at once.
func NewTally(m metric.Meter, what, id, signal string) (*Tally, error) {
	t := &Tally{component: attribute.String(what, id), signal: attribute.String("otel.signal", signal)}
	var errs [3]error
	t.made, errs[0] = m.Int64Counter(names.LedgerMade, metric.WithUnit("{item}"),
		metric.WithDescription("Items that a component made of its own: findings, summaries, metrics of spans."))
	t.removed, errs[1] = m.Int64Counter(names.LedgerRemoved, metric.WithUnit("{item}"),
		metric.WithDescription("Items that a component used up, on purpose: they were for it."))
	t.lost, errs[2] = m.Int64Counter(names.LedgerLost, metric.WithUnit("{item}"),
		metric.WithDescription("Items that a destination refused when nobody was left to try again, or gave up after it had taken them."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	t.attrs = metric.WithAttributeSet(attribute.NewSet(t.component, t.signal))
	if what == "exporter" {
		t.Lost(Refused, 0)
	} else {
		t.Made(0)
		t.Removed(0)
	}
	return t, nil
}

// Made counts items that the next component has accepted, and nobody sent us.
func (t *Tally) Made(n int) { t.add(func() metric.Int64Counter { return t.made }, n) }

// Removed counts items that were taken out of a batch whose rest was accepted.
func (t *Tally) Removed(n int) { t.add(func() metric.Int64Counter { return t.removed }, n) }

func (t *Tally) add(c func() metric.Int64Counter, n int) {
	if t != nil && n >= 0 {
		c().Add(context.Background(), int64(n), t.attrs)
	}
}

// Lost counts items that are gone, with the reason.
func (t *Tally) Lost(why string, n int) {
	if t != nil && n >= 0 {
		t.lost.Add(context.Background(), int64(n), metric.WithAttributeSet(attribute.NewSet(t.component, t.signal, attribute.String(names.LedgerReason, why))))
	}
}
