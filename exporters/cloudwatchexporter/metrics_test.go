package cloudwatchexporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// visits are counters of visits a pod, cumulative.
func visits(at time.Time, value int64, pods ...string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, pod := range pods {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("k8s.cluster.name", "final")
		rm.Resource().Attributes().PutStr("k8s.node.name", "n1")
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("visits")
		m.SetUnit("{visit}")
		s := m.SetEmptySum()
		s.SetIsMonotonic(true)
		s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := s.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-time.Hour)))
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetIntValue(value)
		p.Attributes().PutStr("pod", pod)
	}
	return md
}

func TestMetricsArriveAsDocumentsAndARetryDoublesNoIncrease(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startMetrics(t, direct(func(c *Config) { c.Create.Class = "INFREQUENT_ACCESS" }))
	now := time.Now()
	x.measure(visits(now.Add(-20*time.Second), 1000, "a", "b"))
	fake.Inject(awsfake.Logs, awsfake.Fault{Kind: awsfake.Throttle, Times: 3, Action: "logs:PutLogEvents"})
	x.measure(visits(now.Add(-10*time.Second), 1007, "a", "b"))
	x.measure(visits(now, 1010, "a", "b"))

	sum := map[string]float64{}
	for _, m := range fake.Metrics() {
		require.Equal(t, []string{"Vigie", "visits", "Count"}, []string{m.Namespace, m.Name, m.Unit})
		require.Equal(t, "final", m.Dimensions["k8s.cluster.name"])
		sum[m.Dimensions["pod"]] += m.Value()
	}
	require.Equal(t, map[string]float64{"a": 10, "b": 10}, sum)
	require.Equal(t, map[string]int64{"initial": 2}, x.counted(names.CloudWatchPointsDropped, names.CloudWatchReason))
	require.Equal(t, []string{"n1"}, fake.Streams("/vigie/final/metrics"))
	require.Equal(t, "STANDARD", fake.Groups()["/vigie/final/metrics"].Class, "no other class extracts metrics")
}

func TestMetricsOverTheBudgetAreCountedAndVigiesOwnAreNot(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startMetrics(t, direct(func(c *Config) { c.Budget.MaxMetrics = 3 }))
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	gauge := func(name string) {
		m := metrics.AppendEmpty()
		m.SetName(name)
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		p.SetIntValue(1)
	}
	for i := range 10 {
		gauge(fmt.Sprint("m", i))
	}
	gauge("vigie.attack.verdict")
	x.measure(md)
	x.measure(md)
	require.Len(t, fake.Metrics(), 8)
	require.Equal(t, map[string]int64{"budget": 14}, x.counted(names.CloudWatchPointsDropped, names.CloudWatchReason))
}

func TestThePresetWritesWhatContainerInsightsReads(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	c := direct(func(c *Config) { c.Preset, c.Metrics.NodeCPUs = presetContainerInsights, 8 })
	c.Logs.Group, c.Logs.Stream = "", ""
	x := startMetrics(t, c)
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	for k, v := range map[string]string{"k8s.cluster.name": "final", "k8s.node.name": "n1", "host.id": "i-1"} {
		rm.Resource().Attributes().PutStr(k, v)
	}
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("k8s.node.cpu.usage")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	p.SetDoubleValue(2)
	x.measure(md)
	found := map[string]float64{}
	for _, m := range fake.Metrics() {
		require.Equal(t, "ContainerInsights", m.Namespace)
		require.Equal(t, "/aws/containerinsights/final/performance n1", m.Group+" "+m.Stream)
		found[fmt.Sprint(m.Name, " ", len(m.Dimensions), " ", m.Unit)] = m.Value()
	}
	require.Equal(t, map[string]float64{"node_cpu_usage_total 1 None": 2000, "node_cpu_limit 1 None": 8000, "node_cpu_utilization 1 Percent": 25, "node_cpu_utilization 3 Percent": 25}, found)
}

func TestThePresetSortsLogsAsContainerInsightsDoes(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	c := direct(func(c *Config) { c.Preset = presetContainerInsights })
	c.Logs.Group, c.Logs.Stream = "", ""
	x := startLogs(t, c)
	ld := pods(map[string][]string{"api-1": {"a"}, "aws-node-x2x4z": {"b"}})
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("k8s.cluster.name", "final")
	rl.Resource().Attributes().PutStr("k8s.node.name", "n1")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("kernel: out of memory")
	records.AppendEmpty().Body().SetEmptyMap().PutStr("_SYSTEMD_UNIT", "kubelet.service")
	records.AppendEmpty().Body().SetStr("kernel: again")
	x.send(ld)
	require.Len(t, fake.Streams("/aws/containerinsights/final/application"), 1)
	require.Len(t, fake.Streams("/aws/containerinsights/final/dataplane"), 2)
	require.Len(t, fake.Streams("/aws/containerinsights/final/host"), 1)
	require.Equal(t, 5, fake.LogTotals().Events)
}
