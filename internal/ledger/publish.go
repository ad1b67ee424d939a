package ledger

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/names"
)

// Publish makes metrics of books: vigie.ledger.items by account, .off, and .known.
// It asks books when the meter is read, so that must not wait. The caller calls
// unregister when it is done.
func Publish(m metric.Meter, books func(context.Context) []Book) (unregister func() error, err error) {
	all, err1 := m.Int64ObservableGauge(names.LedgerItems, metric.WithUnit("{item}"),
		metric.WithDescription("What became of what was read, by account: read, queued_at_start, made, removed, pushed_back, sent, waiting, dropped."))
	off, err2 := m.Int64ObservableGauge(names.LedgerOff, metric.WithUnit("{item}"),
		metric.WithDescription("Items that the accounts do not explain: more read than accounted for, or below zero the reverse."))
	known, err3 := m.Int64ObservableGauge(names.LedgerKnown, metric.WithUnit("{ledger}"),
		metric.WithDescription("1 where every part of the account can be counted, else 0."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	r, err := m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		if ctx.Value(tapped{}) != nil {
			return nil // the books are being read
		}
		for _, b := range books(ctx) {
			with := func(more ...attribute.KeyValue) metric.ObserveOption {
				return metric.WithAttributes(append(more, attribute.String(names.LedgerSignal, b.Signal), attribute.String(names.LedgerTo, b.To))...)
			}
			for account, n := range b.accounts() {
				o.ObserveInt64(all, n, with(attribute.String(names.LedgerAccount, account)))
			}
			for _, why := range b.Reasons() {
				o.ObserveInt64(all, b.Dropped[why], with(attribute.String(names.LedgerAccount, "dropped"), attribute.String(names.LedgerReason, string(why))))
			}
			o.ObserveInt64(off, b.Off, with())
			isKnown := int64(1)
			if b.State == Unknown {
				isKnown = 0
			}
			o.ObserveInt64(known, isKnown, with())
		}
		return nil
	}, all, off, known)
	if err != nil {
		return nil, err
	}
	return r.Unregister, nil
}

// accounts are a book's by name, but for what was dropped.
func (b *Book) accounts() map[string]int64 {
	return map[string]int64{
		"read": b.Read, "queued_at_start": b.QueuedAtStart, "made": b.Made, "removed": b.Removed,
		"pushed_back": b.PushedBack, "sent": b.Sent, "waiting": b.Waiting,
	}
}
