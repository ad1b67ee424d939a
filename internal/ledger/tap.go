package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// ErrNoMeter says that the process has no meter to read.
var ErrNoMeter = errors.New("the process counts nothing: service::telemetry::metrics::level is none")

// Tap reads the process's own counters when it is asked to, beside whoever they
// are sent to. It outlives a reload: each service that begins gets a new reader,
// whose counters begin at zero. The zero value is ready.
type Tap struct {
	mu     sync.Mutex
	reader *metric.ManualReader // guarded by mu
}

// Reader is for the meter provider of a service that begins; the one before is
// not read any more.
func (t *Tap) Reader() metric.Reader {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reader = metric.NewManualReader(metric.WithAggregationSelector(countersOnly))
	return t.reader
}

// Close says that a service begins which counts nothing.
func (t *Tap) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reader = nil
}

// countersOnly keeps what the tap is not for from being counted twice.
func countersOnly(kind metric.InstrumentKind) metric.Aggregation {
	switch kind {
	case metric.InstrumentKindCounter, metric.InstrumentKindObservableCounter, metric.InstrumentKindObservableGauge:
		return metric.DefaultAggregationSelector(kind)
	default:
		return metric.AggregationDrop{}
	}
}

// tapped marks the context of a tap's own collection: what is published of its
// books must not read it again.
type tapped struct{}

// Read collects now. It asks every component's callbacks, so it must not be called
// with a lock that one of them takes.
func (t *Tap) Read(ctx context.Context) (*Snapshot, error) {
	t.mu.Lock()
	reader := t.reader
	t.mu.Unlock()
	if reader == nil {
		return nil, ErrNoMeter
	}
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.WithValue(ctx, tapped{}, true), &rm); err != nil && len(rm.ScopeMetrics) == 0 {
		// An error beside metrics is of one component's callback.
		return nil, fmt.Errorf("collect the process's counters: %w", err)
	}
	var s Snapshot
	s.Add(&rm)
	return &s, nil
}
