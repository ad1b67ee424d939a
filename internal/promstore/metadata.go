package promstore

import (
	"strings"
	"sync"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	maxHelpBytes = 1024
	maxUnitBytes = 64
)

// entry is what /api/v1/metadata says of a metric.
type entry struct {
	Type string `json:"type"`
	Help string `json:"help"`
	Unit string `json:"unit"`
}

// metadata keeps type, unit and help by metric name, as last told, up to a
// limit. It is not persisted: each sender tells it again.
type metadata struct {
	limit int

	mu      sync.Mutex
	entries map[string]entry  // guarded by mu
	seen    map[otelID]string // guarded by mu: the description told last; so that a metric is named once, not per batch
}

// otelID is all that the name of a metric depends on.
type otelID struct {
	name, unit string
	kind       pmetric.MetricType
	monotonic  bool
}

func newMetadata(limit int) *metadata {
	return &metadata{limit: limit, entries: map[string]entry{}, seen: map[otelID]string{}}
}

// fromOTLP keeps the metadata of md.
func (m *metadata) fromOTLP(md pmetric.Metrics, dropped prometheus.Counter) {
	if !m.news(md) {
		return
	}
	all, _ := prometheusremotewrite.OtelMetricsToMetadata(md, translation) // its errors come again with the samples
	for _, p := range all {
		m.put(p, dropped)
	}
}

// news reports whether md has a metric that was not seen as it is.
func (m *metadata) news(md pmetric.Metrics) (news bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, x := range sm.Metrics().All() {
				id := otelID{x.Name(), x.Unit(), x.Type(), x.Type() == pmetric.MetricTypeSum && x.Sum().IsMonotonic()}
				if d, ok := m.seen[id]; ok && d == clip(x.Description(), maxHelpBytes) {
					continue
				}
				news = true
				if len(m.seen) >= m.limit {
					clear(m.seen)
				}
				id.name, id.unit = strings.Clone(clip(id.name, maxHelpBytes)), strings.Clone(clip(id.unit, maxUnitBytes))
				m.seen[id] = strings.Clone(clip(x.Description(), maxHelpBytes))
			}
		}
	}
	return news
}

// put keeps one entry.
func (m *metadata) put(p *prompb.MetricMetadata, dropped prometheus.Counter) {
	if p.MetricFamilyName == "" || len(p.MetricFamilyName) > maxHelpBytes {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.entries[p.MetricFamilyName]; !known && len(m.entries) >= m.limit {
		dropped.Inc()
		return
	}
	m.entries[strings.Clone(p.MetricFamilyName)] = entry{
		Type: strings.ToLower(p.Type.String()),
		Help: strings.Clone(clip(p.Help, maxHelpBytes)),
		Unit: strings.Clone(clip(p.Unit, maxUnitBytes)),
	}
}

// get returns the entries of one metric, or of all when metric is empty, at most
// limit names where limit is not negative.
func (m *metadata) get(metric string, limit int) map[string][]entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]entry{}
	if metric != "" {
		if e, ok := m.entries[metric]; ok && limit != 0 {
			out[metric] = []entry{e}
		}
		return out
	}
	for name, e := range m.entries {
		if limit >= 0 && len(out) >= limit {
			break
		}
		out[name] = []entry{e}
	}
	return out
}

// clip cuts s to n bytes, never within a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
