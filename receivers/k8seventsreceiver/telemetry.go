package k8seventsreceiver

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/k8seventsreceiver/internal/metadata"
)

// dropReason is why records were given up.
type dropReason int

const (
	dropPermanent dropReason = iota // the pipeline refused them for good
	dropVanished                    // a processor took them out, and then refused
	dropShutdown                    // refused until the end, and nobody goes on from there
	dropReasons
)

func (d dropReason) String() string {
	return [dropReasons]string{"permanent", "vanished", "shutdown"}[d]
}

// counts are written by who reads and read by the meter.
type counts struct {
	accepted, duplicates, retries atomic.Int64
	dropped                       [dropReasons]atomic.Int64
	gaps, folded                  atomic.Int64
	errors, watches               atomic.Int64
	stored, notStored             atomic.Int64
	leading                       atomic.Int64
}

type observed struct {
	of    metric.Int64Observable
	from  *atomic.Int64
	attrs metric.MeasurementOption
}

// register lets the meter read counts.
func register(set component.TelemetrySettings, c *counts) (unregister func() error, err error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	var errs []error
	var all []observed
	made := map[string]metric.Int64Observable{}
	counter := func(name, unit, text string, from *atomic.Int64, attrs ...attribute.KeyValue) {
		o := made[name]
		if o == nil {
			c, err := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
			errs = append(errs, err)
			o, made[name] = c, c
		}
		all = append(all, observed{o, from, metric.WithAttributeSet(attribute.NewSet(attrs...))})
	}
	counter(names.K8sEventsRecords, "{record}", "Kubernetes events that the pipeline accepted.", &c.accepted)
	counter(names.K8sEventsDuplicates, "{event}", "Kubernetes events that were seen again and not told again.", &c.duplicates)
	for d := range dropReasons {
		counter(names.K8sEventsDropped, "{record}", "Kubernetes events that were given up.", &c.dropped[d], attribute.String(names.K8sEventsReason, d.String()))
	}
	counter(names.K8sEventsRetries, "{batch}", "Batches that were offered again after a refusal.", &c.retries)
	counter(names.K8sEventsGaps, "{gap}", "Times that the API server had forgotten how far we were: events may be lost.", &c.gaps)
	counter(names.K8sEventsFolded, "{event}", "Happenings that came between two lists, of which only a count tells.", &c.folded)
	counter(names.K8sEventsErrors, "{request}", "Requests to the API server that failed.", &c.errors)
	counter(names.K8sEventsWatches, "{watch}", "Watches that began.", &c.watches)
	counter(names.K8sEventsCheckpoints, "{write}", "Writes of the position to the storage.", &c.stored, attribute.String(names.K8sEventsOutcome, "ok"))
	counter(names.K8sEventsCheckpoints, "{write}", "Writes of the position to the storage.", &c.notStored, attribute.String(names.K8sEventsOutcome, "failed"))
	gauge, err := m.Int64ObservableGauge(names.K8sEventsLeading, metric.WithUnit("1"), metric.WithDescription("1 where this instance reads the events, 0 where another one does."))
	errs = append(errs, err)
	all = append(all, observed{gauge, &c.leading, metric.WithAttributeSet(attribute.NewSet())})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	instruments := []metric.Observable{gauge}
	for _, o := range made {
		instruments = append(instruments, o)
	}
	reg, err := m.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		for _, o := range all {
			to.ObserveInt64(o.of, o.from.Load(), o.attrs)
		}
		return nil
	}, instruments...)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}
