package promstore

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vigie-otel/vigie/internal/names"
)

// telemetry is what the store says of itself. The atomics are what Status
// reads; the collectors are what is scraped.
type telemetry struct {
	appended  atomic.Uint64
	dropped   [reasonCount]atomic.Uint64
	exemplars prometheus.Counter
	metadata  prometheus.Counter
	requests  *prometheus.CounterVec
	refused   prometheus.Counter
	reopens   prometheus.Counter
}

func newTelemetry(reg prometheus.Registerer, s *Store) *telemetry {
	t := &telemetry{
		exemplars: prometheus.NewCounter(prometheus.CounterOpts{Name: names.StoreExemplarsDropped, Help: "Exemplars refused: out of order, or of a refused series."}),
		metadata:  prometheus.NewCounter(prometheus.CounterOpts{Name: names.StoreMetadataDropped, Help: "Metric names whose type, unit and help were not kept because of the limit."}),
		requests:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: names.StoreWriteRequests, Help: "Remote-write requests by HTTP status."}, []string{names.StoreCode}),
		refused:   prometheus.NewCounter(prometheus.CounterOpts{Name: names.StoreQueriesRefused, Help: "Queries refused because too many were waiting."}),
		reopens:   prometheus.NewCounter(prometheus.CounterOpts{Name: names.StoreReopens, Help: "Times the database was closed and repaired after a failed write."}),
	}
	cs := []prometheus.Collector{
		t.exemplars, t.metadata, t.requests, t.refused, t.reopens,
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: names.StoreSamplesAppended, Help: "Samples acknowledged."},
			func() float64 { return float64(t.appended.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: names.StoreHeadSeries, Help: "Active series."},
			func() float64 { return float64(s.Status().HeadSeries) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: names.StoreDiskBytes, Help: "Bytes of blocks, log and head chunks."},
			func() float64 { return float64(s.Status().DiskBytes) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: names.StoreDiskFull, Help: "1 while writing has stopped for want of room."},
			func() float64 {
				if s.Status().DiskFull {
					return 1
				}
				return 0
			}),
	}
	for r := range reasonCount {
		cs = append(cs, prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: names.StoreSamplesDropped, Help: "Samples refused, by reason.",
			ConstLabels: prometheus.Labels{names.StoreReason: r.String()},
		}, func() float64 { return float64(t.dropped[r].Load()) }))
	}
	for _, c := range cs {
		if reg != nil {
			reg.MustRegister(c)
		}
	}
	return t
}

// drop counts n samples refused for r.
func (t *telemetry) drop(r reason, n int) {
	if n > 0 {
		t.dropped[r].Add(uint64(n))
	}
}

// returnable is a Registerer that can take back all that was registered
// through it: tsdb does not unregister everything itself, and it is opened again
// after a repair.
type returnable struct {
	prometheus.Registerer

	mu   sync.Mutex
	kept []prometheus.Collector // guarded by mu
}

func (r *returnable) Register(c prometheus.Collector) error {
	if err := r.Registerer.Register(c); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, c)
	return nil
}

func (r *returnable) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

func (r *returnable) giveBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.kept {
		r.Registerer.Unregister(c)
	}
	r.kept = nil
}
