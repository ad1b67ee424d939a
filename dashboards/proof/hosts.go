package proof

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/receivers/hoststatreceiver"
)

// shape is a configuration, as far as components are made of it.
type shape struct {
	Receivers  map[string]map[string]any `yaml:"receivers"`
	Connectors map[string]map[string]any `yaml:"connectors"`
}

func laptop(t *testing.T) (s shape) {
	_, here, _, _ := runtime.Caller(0)
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "..", "collector", "configs", "laptop.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, &s))
	return s
}

// hosts runs the laptop configuration's host receivers. What they emit is told
// once for each node, with the node's values in the places of this machine's.
func (p *pipeline) hosts(t *testing.T, tel component.TelemetrySettings) {
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		p.cl.mu.Lock()
		defer p.cl.mu.Unlock()
		for i, n := range p.cl.Nodes {
			if n.Up {
				p.rec.add(asNode(md, n, i))
			}
		}
		return nil
	})
	require.NoError(t, err)
	factories := map[string]receiver.Factory{"host_stat": hoststatreceiver.NewFactory(), "host_metrics": hostmetricsreceiver.NewFactory()}
	found := 0
	for name, values := range p.shape.Receivers {
		kind, _, _ := strings.Cut(name, "/")
		f := factories[kind]
		if f == nil {
			continue
		}
		found++
		var id component.ID
		require.NoError(t, id.UnmarshalText([]byte(name)))
		r, err := f.CreateMetrics(t.Context(), receiver.Settings{ID: id, TelemetrySettings: tel}, configure(t, f.CreateDefaultConfig(), values), next)
		require.NoError(t, err)
		p.parts = append(p.parts, r)
	}
	require.Positive(t, found, "the laptop's configuration has no host receivers any more")
}

// asNode is md with a node's values. Points of which the model knows nothing keep
// this machine's.
func asNode(md pmetric.Metrics, n *node, i int) pmetric.Metrics {
	own := pmetric.NewMetrics()
	md.CopyTo(own)
	for _, rm := range own.ResourceMetrics().All() {
		rm.Resource().Attributes().Clear()
		rm.Resource().Attributes().PutStr("service.name", metrics.JobHost)
		rm.Resource().Attributes().PutStr("service.instance.id", n.Name)
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				var points pmetric.NumberDataPointSlice
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					points = m.Gauge().DataPoints()
				case pmetric.MetricTypeSum:
					points = m.Sum().DataPoints()
				default:
					continue
				}
				for _, q := range points.All() {
					label := func(k string) string {
						v, _ := q.Attributes().Get(k)
						return v.AsString()
					}
					if v, ok := n.value(m.Name(), label, i); ok {
						q.SetDoubleValue(v)
					}
				}
			}
		}
	}
	return own
}

// value is a node's own for a metric of the host, if the model has one.
func (n *node) value(name string, label func(string) string, i int) (float64, bool) {
	cpus := float64(runtime.NumCPU())
	switch name {
	case metrics.CPUTime.OTel:
		return n.CPU[label("state")] / cpus, true
	case metrics.Load1.OTel, metrics.Load5.OTel, metrics.Load15.OTel:
		return n.Busy * cpus * (0.9 + 0.05*float64(i)), true
	case metrics.MemoryLimit.OTel:
		return nodeMemory, true
	case metrics.MemoryAvailable.OTel:
		return nodeMemory - n.Memory, true
	case metrics.MemoryUsage.OTel, metrics.MemoryUtilization.OTel:
		share := map[string]float64{"used": n.Memory / nodeMemory, "cached": 0.2, "buffered": 0.02, "free": 0.75 - n.Memory/nodeMemory, "slab_reclaimable": 0.02, "slab_unreclaimable": 0.01}[label("state")]
		if name == metrics.MemoryUsage.OTel {
			share *= nodeMemory
		}
		return share, true
	case metrics.FilesystemUtilization.OTel:
		return 0.38 + 0.09*float64(i), true
	case metrics.NetworkIO.OTel, metrics.NetworkPackets.OTel, metrics.NetworkDropped.OTel, metrics.NetworkErrors.OTel:
		return n.network(name, label)
	case metrics.NetworkConnections.OTel:
		v, ok := map[string]float64{"ESTABLISHED": n.Entries / 90, "TIME_WAIT": n.Entries / 160, "LISTEN": 34, "CLOSE_WAIT": 6, "SYN_RECV": n.Entries / 2400}[label("state")]
		return v, ok && label("protocol") == "tcp"
	case metrics.DiskIO.OTel:
		return map[string]float64{"read": n.Reads, "write": n.Writes}[label("direction")], true
	case metrics.DiskIOTime.OTel:
		return n.DiskTime, true
	case metrics.PagingFaults.OTel:
		return n.Faults, label("type") == "major"
	case metrics.Threads.OTel:
		return 2100 + 310*n.Busy + 44*float64(i), true
	case metrics.Uptime.OTel:
		return 86400*3.2*float64(4-i) + n.CPU["idle"]/nodeCPUs - map[bool]float64{true: 86400 * 3.2}[n.From > 0], true
	}
	return 0, false
}

func (n *node) network(name string, label func(string) string) (float64, bool) {
	if strings.HasPrefix(label("device"), "lo") {
		return 0, false
	}
	receives := label("direction") == "receive"
	switch {
	case name == metrics.NetworkIO.OTel && receives:
		return n.Rx, true
	case name == metrics.NetworkIO.OTel:
		return n.Tx, true
	case name == metrics.NetworkPackets.OTel:
		return n.Packets, true
	case name == metrics.NetworkDropped.OTel && receives:
		return n.Lost, true
	}
	return 0, true
}

// tables sends what the nodes' connection tables hold.
func (p *pipeline) tables(t *testing.T, begin time.Time) {
	for i, n := range p.cl.Nodes {
		if n.Up {
			require.NoError(t, p.conntrack.ConsumeMetrics(t.Context(), n.table(i, p.cl, begin)))
		}
	}
}

// report is what comes every ten seconds: Vigie's own telemetry.
func (p *pipeline) report(t *testing.T, begin time.Time) {
	for i, n := range p.cl.Nodes {
		if n.Up {
			p.rec.add(n.podList(i, begin, p.cl.t))
			p.rec.add(p.process(agent, n.Name, begin, 0.06+0.000004*p.cl.people, 190e6+12e6*float64(i), p.cl.t-n.From))
		}
	}
	require.NoError(t, p.flows.ConsumeLogs(t.Context(), flows()))
	gateway := p.process("vigie-gateway", "vigie-gateway-0", begin, 0.11+0.000008*p.cl.people, 410e6, p.cl.t)
	p.rec.add(gateway)
	p.rec.add(p.store(begin))
	p.rec.add(p.events(begin))
	own, err := collect(t.Context(), p.reader, agent, p.cl.Nodes[0].Name)
	require.NoError(t, err)
	p.rec.add(own)
	op := p.obs.StartMetricsOp(t.Context())
	p.obs.EndMetricsOp(op, "protobuf", own.DataPointCount(), nil)
	require.NoError(t, p.exported.ConsumeMetrics(t.Context(), own))
}
