package ledger

import (
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/names"
)

// maxSeries bounds a snapshot; a collector has some tens for each component.
const maxSeries = 20_000

// Snapshot is the newest value of each counter that a ledger needs, of one
// process. The zero value is empty and ready. It is not safe for concurrent use.
type Snapshot struct {
	series   map[string]point
	overflow int
}

type point struct {
	metric, component, signal, detail string
	value                             int64
}

// Overflow is how many series found no room: their values are not in the books.
func (s *Snapshot) Overflow() int { return s.overflow }

// Add takes in metrics of the process, cumulative as the collector sends them; a
// newer value of a series takes the older one's place. Other metrics pass by.
func (s *Snapshot) Add(metrics pmetric.Metrics) {
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				name := strings.TrimSuffix(m.Name(), "_total")
				if !wanted(name) {
					continue
				}
				for _, dp := range points(m) {
					s.put(name, dp)
				}
			}
		}
	}
}

func points(m pmetric.Metric) []pmetric.NumberDataPoint {
	var all []pmetric.NumberDataPoint
	switch m.Type() {
	case pmetric.MetricTypeSum:
		for _, dp := range m.Sum().DataPoints().All() {
			all = append(all, dp)
		}
	case pmetric.MetricTypeGauge:
		for _, dp := range m.Gauge().DataPoints().All() {
			all = append(all, dp)
		}
	}
	return all
}

// wanted are the helpers' counters of each signal, and the log reader's own.
func wanted(name string) bool {
	switch name {
	case names.LogsRecords, names.LogsDropped, names.LogsSacrificed, names.LedgerMade, names.LedgerRemoved:
		return true
	}
	return strings.HasPrefix(name, "otelcol_receiver_") || strings.HasPrefix(name, "otelcol_exporter_") || strings.HasPrefix(name, "otelcol_processor_")
}

func (s *Snapshot) put(name string, dp pmetric.NumberDataPoint) {
	p := point{metric: name, value: dp.IntValue()}
	if dp.ValueType() == pmetric.NumberDataPointValueTypeDouble {
		p.value = int64(dp.DoubleValue())
	}
	keys := make([]string, 0, dp.Attributes().Len())
	for k, v := range dp.Attributes().All() {
		keys = append(keys, k+"\x00"+v.AsString())
		switch k {
		case "receiver", "processor", "exporter":
			p.component = v.AsString()
		case "data_type", "otel.signal", "otel_signal":
			p.signal = v.AsString()
		case names.LogsOutcome, names.LogsReason:
			p.detail = v.AsString()
		}
	}
	slices.Sort(keys)
	key := name + "\x00" + strings.Join(keys, "\x00")
	if s.series == nil {
		s.series = map[string]point{}
	}
	if _, known := s.series[key]; !known && len(s.series) >= maxSeries {
		s.overflow++
		return
	}
	s.series[key] = p
}

// sum adds up the series of a metric that a component has; "" is any. known tells
// whether there is one.
func (s *Snapshot) sum(metric, component, signal, detail string) (total int64, known bool) {
	for _, p := range s.series {
		if p.metric != metric || component != "" && p.component != component || signal != "" && p.signal != signal || detail != "" && p.detail != detail {
			continue
		}
		total += p.value
		known = true
	}
	return total, known
}

// details are the values of a metric by its detail.
func (s *Snapshot) details(metric string) map[string]int64 {
	by := map[string]int64{}
	for _, p := range s.series {
		if p.metric == metric {
			by[p.detail] += p.value
		}
	}
	return by
}

// Clone is a snapshot that later ones do not change.
func (s *Snapshot) Clone() Snapshot {
	return Snapshot{series: maps.Clone(s.series), overflow: s.overflow}
}
