package ledger

import (
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/names"
)

// maxSeries bounds a snapshot; a collector has some tens for each component.
const maxSeries = 20_000

// Snapshot is one collection of the counters that a ledger needs. The zero value
// is empty and ready. It is not safe for concurrent use.
type Snapshot struct {
	series   map[string][]point // by metric
	size     int
	overflow int
}

type point struct {
	component, signal, detail string
	atEnd                     bool // error.type is Shutdown
	value                     int64
}

// Overflow is how many series found no room: their values are not in the books.
func (s *Snapshot) Overflow() int { return s.overflow }

// Add takes in metrics of the process, cumulative as its meters hold them. Those
// that no ledger needs pass by.
func (s *Snapshot) Add(rm *metricdata.ResourceMetrics) {
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if name := strings.TrimSuffix(m.Name, "_total"); wanted(name) {
				s.metric(name, m.Data)
			}
		}
	}
}

func (s *Snapshot) metric(name string, data metricdata.Aggregation) {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		put(s, name, d.DataPoints)
	case metricdata.Gauge[int64]:
		put(s, name, d.DataPoints)
	case metricdata.Sum[float64]:
		put(s, name, d.DataPoints)
	case metricdata.Gauge[float64]:
		put(s, name, d.DataPoints)
	}
}

func put[N int64 | float64](s *Snapshot, name string, points []metricdata.DataPoint[N]) {
	for _, dp := range points {
		if s.size >= maxSeries {
			s.overflow++
			continue
		}
		p := point{value: int64(dp.Value)}
		p.read(dp.Attributes)
		if s.series == nil {
			s.series = map[string][]point{}
		}
		s.series[name] = append(s.series[name], p)
		s.size++
	}
}

func (p *point) read(attrs attribute.Set) {
	for iter := attrs.Iter(); iter.Next(); {
		kv := iter.Attribute()
		switch kv.Key {
		case "receiver", "processor", "exporter", "connector":
			p.component = kv.Value.String()
		case "data_type", "otel.signal", "otel_signal":
			p.signal = kv.Value.String()
		case names.LogsOutcome, names.LogsReason, names.K8sEventsReason, names.LedgerReason, names.CloudWatchReason, names.GrafanaReason, "reason":
			p.detail = kv.Value.String()
		case "error.type":
			p.atEnd = kv.Value.String() == "Shutdown"
		}
	}
}

// wanted are the helpers' counters of each signal, and our components' own.
func wanted(name string) bool {
	switch name {
	case names.LogsRecords, names.LogsDropped, names.LogsSacrificed, names.LogsRetries, names.K8sEventsRecords, names.K8sEventsDropped, names.K8sEventsRetries,
		names.LedgerMade, names.LedgerRemoved, names.LedgerLost:
		return true
	}
	for _, own := range givenUp {
		if slices.Contains(own, name) {
			return true
		}
	}
	return strings.HasPrefix(name, "otelcol_receiver_") || strings.HasPrefix(name, "otelcol_exporter_") || strings.HasPrefix(name, "otelcol_processor_")
}

// sum adds up the series of a metric that a component has; "" is any. known tells
// whether there is one.
func (s *Snapshot) sum(metric, component, signal, detail string) (total int64, known bool) {
	for _, p := range s.series[metric] {
		if component != "" && p.component != component || signal != "" && p.signal != signal || detail != "" && p.detail != detail {
			continue
		}
		total += p.value
		known = true
	}
	return total, known
}

// atEnd is that part of a component's sum which failed because the process ends.
func (s *Snapshot) atEnd(metric, component string) (total int64) {
	for _, p := range s.series[metric] {
		if p.component == component && p.atEnd {
			total += p.value
		}
	}
	return total
}

// details are the values of a metric by its detail; of one component, or of any.
func (s *Snapshot) details(metric, component, signal string) map[string]int64 {
	by := map[string]int64{}
	for _, p := range s.series[metric] {
		if (component == "" || p.component == component) && (signal == "" || p.signal == signal) {
			by[p.detail] += p.value
		}
	}
	return by
}
