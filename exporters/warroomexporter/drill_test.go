package warroomexporter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/names"
)

// series is one metric of the last quarter of an hour, one sample each 15 s.
type series struct {
	name, unit string
	counter    bool
	attrs      []string // key, value, …
	value      func(ago float64) float64
}

func steady(v float64) func(float64) float64 { return func(float64) float64 { return v } }

// growing is a counter that grows by so much a second.
func growing(rate float64) func(float64) float64 {
	return func(ago float64) float64 { return 1e6 - rate*ago }
}

func tell(t testing.TB, w *warroom, at time.Time, job, instance string, all ...series) {
	t.Helper()
	var times []time.Time
	for ago := 15 * time.Minute; ago >= 0; ago -= 15 * time.Second {
		times = append(times, at.Add(-ago))
	}
	tellAt(t, w, times, at, job, instance, all...)
}

// tellAt sends a sample for each of times; a value is asked for the seconds before
// at.
func tellAt(t testing.TB, w *warroom, times []time.Time, at time.Time, job, instance string, all ...series) {
	t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr(names.ServiceName, job)
	rm.Resource().Attributes().PutStr("service.instance.id", instance)
	ms := rm.ScopeMetrics().AppendEmpty().Metrics()
	for _, x := range all {
		m := ms.AppendEmpty()
		m.SetName(x.name)
		m.SetUnit(x.unit)
		var points pmetric.NumberDataPointSlice
		if x.counter {
			sum := m.SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			points = sum.DataPoints()
		} else {
			points = m.SetEmptyGauge().DataPoints()
		}
		for _, when := range times {
			p := points.AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(when))
			p.SetDoubleValue(x.value(at.Sub(when).Seconds()))
			for i := 0; i < len(x.attrs); i += 2 {
				p.Attributes().PutStr(x.attrs[i], x.attrs[i+1])
			}
		}
	}
	require.NoError(t, w.consumeMetrics(t.Context(), md))
}

// cluster is two pods of one namespace on two nodes, as the agents and
// kube-state-metrics tell them.
func cluster(t testing.TB, w *warroom, at time.Time) {
	for i, pod := range []string{"player-7f9c-a", "player-7f9c-b"} {
		node, n := fmt.Sprint("node-", i), float64(i+1)
		kubelet := []string{"k8s.namespace.name", "live", "k8s.pod.name", pod, "k8s.node.name", node}
		cadvisor := []string{"namespace", "live", "pod", pod, "node", node, "container", "player"}
		state := []string{"namespace", "live", "pod", pod}
		tell(t, w, at, "kubelet-stats", node,
			series{"k8s.pod.cpu.usage", "{cpu}", false, kubelet, steady(0.25 * n)},
			series{"k8s.pod.memory.working_set", "By", false, kubelet, steady(1e8 * n)},
			series{"k8s.pod.network.io", "By", true, append(slices.Clone(kubelet), "direction", "receive"), growing(1000 * n)},
			series{"k8s.pod.network.io", "By", true, append(slices.Clone(kubelet), "direction", "transmit"), growing(5000 * n)},
			series{"k8s.node.cpu.usage", "{cpu}", false, []string{"k8s.node.name", node}, steady(n)})
		tell(t, w, at, "kubelet-cadvisor", node,
			series{"container_cpu_usage_seconds_total", "", true, cadvisor, growing(9)},
			series{"container_oom_events_total", "", true, cadvisor, growing(0.1 * n)})
		tell(t, w, at, "kube-state-metrics", "ksm",
			series{"kube_pod_info", "", false, append(slices.Clone(state), "node", node), steady(1)},
			series{"kube_pod_container_status_restarts_total", "", true, append(slices.Clone(state), "container", "player"), steady(3 * n)},
			series{"kube_pod_container_resource_limits", "", false, append(slices.Clone(state), "node", node, "resource", "cpu", "unit", "core"), steady(2)})
	}
}

// resourceOf marks a batch as of a pod.
func resourceOf(res pcommon.Resource, service, namespace, pod, node string) {
	for k, v := range map[string]string{names.ServiceName: service, names.K8sNamespaceName: namespace, names.K8sPodName: pod, names.K8sNodeName: node} {
		if v != "" {
			res.Attributes().PutStr(k, v)
		}
	}
}

func podLogs(service, pod, node string, bodies ...string) plog.Logs {
	ld := logLines(service, bodies...)
	resourceOf(ld.ResourceLogs().At(0).Resource(), service, "live", pod, node)
	return ld
}

func drillOf(t testing.TB, base, query string) drilled {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/warroom/drill?"+query, http.NoBody)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode, query)
	var d drilled
	require.NoError(t, json.NewDecoder(res.Body).Decode(&d))
	return d
}

// last is the newest value of a chart's line; -1: no such line.
func last(d drilled, chart, line string) float64 {
	for _, c := range d.Charts {
		for _, l := range c.Lines {
			if c.Title == chart && l.Name == line {
				return float64(l.Values[len(l.Values)-1])
			}
		}
	}
	return -1
}

func TestAPodThatIsChosenHasItsOwnChartsLogsAndSpans(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now()
	cluster(t, w, now)
	require.NoError(t, w.consumeLogs(t.Context(), podLogs("player", "player-7f9c-a", "node-0", "mine", "MINE too")))
	require.NoError(t, w.consumeLogs(t.Context(), podLogs("player", "player-7f9c-b", "node-1", "my neighbour's")))
	td := ptrace.NewTraces()
	for i, pod := range []string{"player-7f9c-a", "player-7f9c-b", "player-7f9c-a"} {
		rs := td.ResourceSpans().AppendEmpty()
		resourceOf(rs.Resource(), "player", "live", pod, "")
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName(fmt.Sprint("request ", i))
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(now))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(now.Add(time.Duration(i+1) * time.Millisecond)))
	}
	require.NoError(t, w.consumeTraces(t.Context(), td))

	all := drillOf(t, base, "kind=pods")
	require.Len(t, all.Members, 2)
	require.Equal(t, "live/player-7f9c-b", all.Members[0].Name, "the busiest first")
	require.Equal(t, "node-1", all.Members[0].Node)
	require.InDelta(t, 0.5, float64(all.Members[0].CPU), 0.01)
	require.InDelta(t, 6, float64(all.Members[0].Restarts), 0.01)
	require.Len(t, drillOf(t, base, "kind=pods&find=9C-A").Members, 1)
	require.Len(t, all.Logs, 3, "nothing chosen: of all")

	d := drillOf(t, base, "kind=pods&name=live/player-7f9c-a")
	require.InDelta(t, 0.25, last(d, "CPU", "used"), 0.01)
	require.InDelta(t, 2, last(d, "CPU", "limit"), 0.01)
	require.InDelta(t, 1e8, last(d, "Memory", "working set"), 1)
	require.InDelta(t, 3, last(d, "Restarts", "in all"), 0.01)
	require.InDelta(t, 1000, last(d, "Network", "in"), 20)
	require.InDelta(t, 5000, last(d, "Network", "out"), 100)
	require.InDelta(t, 0.1, last(d, "Errors", "killed for memory"), 0.01)
	require.Len(t, d.Logs, 2)
	require.Len(t, drillOf(t, base, "kind=pods&name=live/player-7f9c-a&q=too").Logs, 1)
	require.Equal(t, []string{"request 2", "request 0"}, []string{d.Spans[0].Name, d.Spans[1].Name}, "the slowest first")
	require.NotNil(t, d.KeptSince)
}

func TestNodesNamespacesAndServicesLeadToTheirPods(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	cluster(t, w, time.Now())
	require.NoError(t, w.consumeLogs(t.Context(), podLogs("player-api", "player-7f9c-a", "node-0", "hello")))
	require.NoError(t, w.consumeMetrics(t.Context(), detector(time.Now().Add(-2*time.Second), said{service: "player-api", verdict: finding.Crowd, rate: 120, expected: 100})))

	ns := drillOf(t, base, "kind=namespaces")
	require.Len(t, ns.Members, 1)
	require.Equal(t, 2, ns.Members[0].Pods)
	require.InDelta(t, 0.75, float64(ns.Members[0].CPU), 0.01, "of all its pods")
	live := drillOf(t, base, "kind=namespaces&name=live")
	require.Len(t, live.Members, 2)
	require.InDelta(t, 0.75, last(live, "CPU", "used"), 0.01)
	require.InDelta(t, 9, last(live, "Restarts", "in all"), 0.01)

	require.Len(t, drillOf(t, base, "kind=nodes").Members, 2)
	node := drillOf(t, base, "kind=nodes&name=node-1")
	require.Len(t, node.Members, 1)
	require.Equal(t, "live/player-7f9c-b", node.Members[0].Name)
	require.InDelta(t, 2, last(node, "CPU", "used"), 0.01)
	require.InDelta(t, 6, last(node, "Restarts", "in all"), 0.01, "of the pods on it alone")

	service := drillOf(t, base, "kind=services&name=player-api")
	require.Equal(t, "live/player-7f9c-a", service.Members[0].Name, "from what its records say")
	require.InDelta(t, 0.25, last(service, "CPU", "used"), 0.01, "of the pod that it runs in")
	require.InDelta(t, 100, last(service, "Requests", "expected"), 1)
}

func TestAMachineWithoutKubernetesHasItsNodeAndSaysWhatTheRestWouldTake(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	for kind, word := range map[string]string{"services": "service.name", "namespaces": "k8s.namespace.name", "nodes": "host_stat", "pods": "kubelet"} {
		d := drillOf(t, base, "kind="+kind)
		require.Empty(t, d.Members, kind)
		require.Len(t, d.Missing, 1)
		require.Contains(t, d.Missing[0], word)
	}
	w, base := roomOf(t, testConfig(t))
	tell(t, w, time.Now(), "host", "laptop",
		series{"system.cpu.time", "s", true, []string{"cpu", "cpu0", "state", "idle"}, growing(0.75)},
		series{"system.cpu.time", "s", true, []string{"cpu", "cpu0", "state", "user"}, growing(0.25)},
		series{"system.memory.limit", "By", false, nil, steady(16e9)},
		series{"system.linux.memory.available", "By", false, nil, steady(10e9)},
		series{"system.network.io", "By", true, []string{"device", "eth0", "direction", "receive"}, growing(100)},
		series{"system.network.io", "By", true, []string{"device", "lo", "direction", "receive"}, growing(1e5)})
	require.Equal(t, "laptop", drillOf(t, base, "kind=nodes").Members[0].Name)
	d := drillOf(t, base, "kind=nodes&name=laptop")
	require.InDelta(t, 0.25, last(d, "CPU", "busy"), 0.01)
	require.InDelta(t, 6e9, last(d, "Memory", "used"), 1e7)
	require.InDelta(t, 100, last(d, "Network", "in"), 5)
	require.Contains(t, fmt.Sprint(d.Missing), "Restarts: not measured: kube-state-metrics")
}

func TestANameThatIsNoNameAsksForNothingElse(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	cluster(t, w, time.Now())
	for _, name := range []string{`live"} or vector(1) or x{a="/b`, `.*/.*`, "\u202e/\x00", "live/", "/", `\`} {
		for _, kind := range []string{"services", "namespaces", "nodes", "pods"} {
			d := drillOf(t, base, "kind="+kind+"&name="+url.QueryEscape(name))
			require.Empty(t, d.Members, "%s %q", kind, name)
			require.Empty(t, d.Charts, "%s %q", kind, name)
			require.NotContains(t, fmt.Sprint(d.Missing), "the store:", "%s %q", kind, name)
		}
	}
	for _, wrong := range []string{"kind=clusters", "", "kind=pods&range=1y", "kind=pods&time=yesterday", "kind=pods&name=" + string(make([]byte, 600))} {
		code, _, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/drill?"+url.PathEscape(wrong)))
		if wrong != "" {
			code, _, _ = fetch(t, request(t, http.MethodGet, base+"/api/warroom/drill?"+escaped(wrong)))
		}
		require.Equal(t, http.StatusBadRequest, code, wrong)
	}
}

func escaped(query string) string {
	v, _ := url.ParseQuery(query)
	return v.Encode()
}

func TestAScopeThatIsLookedAtKeepsItsLinesInAFloodOfOthers(t *testing.T) {
	cfg := testConfig(t)
	cfg.Recent.Logs = 100
	w, base := roomOf(t, cfg)
	quiet := func() drilled { return drillOf(t, base, "kind=pods&name=live/quiet&records=1") }
	require.NoError(t, w.consumeLogs(t.Context(), podLogs("batch", "quiet", "node-0", "before anybody looked")))
	require.Len(t, quiet().Logs, 1)
	require.NoError(t, w.consumeLogs(t.Context(), podLogs("batch", "quiet", "node-0", "while somebody looks")))
	flood := make([]string, 1000)
	ld := podLogs("batch", "quiet", "node-0", "in a batch with the flood")
	podLogs("web", "loud", "node-0", flood...).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	require.NoError(t, w.consumeLogs(t.Context(), ld))
	got := quiet().Logs
	require.Len(t, got, 3)
	require.Equal(t, "in a batch with the flood", got[0].Body, "the newest first")
	require.Len(t, drillOf(t, base, "kind=pods&name=live/loud&records=1").Logs, 100)
}

func TestAPodOfTheSameNameElsewhereIsAnother(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	for _, namespace := range []string{"live", "staging"} {
		ld := logLines("shop", "of "+namespace)
		resourceOf(ld.ResourceLogs().At(0).Resource(), "shop", namespace, "shop-0", "node-"+namespace)
		require.NoError(t, w.consumeLogs(t.Context(), ld))
	}
	for _, scope := range []string{"kind=pods&name=staging/shop-0", "kind=namespaces&name=staging", "kind=nodes&name=node-staging"} {
		got := drillOf(t, base, scope+"&records=1").Logs
		require.Len(t, got, 1, scope)
		require.Equal(t, "of staging", got[0].Body)
	}
	require.Len(t, drillOf(t, base, "kind=services&name=shop&records=1").Logs, 2)
}

func TestMoreScopesThanAreWatchedAreAnsweredFromTheCommonRing(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	require.NoError(t, w.consumeLogs(t.Context(), podLogs("batch", "p", "n", "a line")))
	for i := range maxWatches {
		drillOf(t, base, fmt.Sprintf("kind=pods&name=live/%d&records=1", i))
	}
	d := drillOf(t, base, "kind=pods&name=live/p&records=1")
	require.Len(t, d.Logs, 1)
	require.Nil(t, d.KeptSince)
	later := time.Now().Add(2 * watchIdle)
	require.NotNil(t, w.watches.ask(scope{pods, "live/p"}, later, func(*watch) {}), "who is not asked for any more makes room")
	require.Len(t, w.watches.all, 1)
}

func TestAMomentInThePastIsDrilledFromTheStore(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now()
	tell(t, w, now, "kubelet-stats", "node-0", series{"k8s.pod.memory.working_set", "By", false,
		[]string{"k8s.namespace.name", "live", "k8s.pod.name", "p", "k8s.node.name", "n"}, func(ago float64) float64 { return 1000 - ago }})
	require.NoError(t, w.consumeLogs(t.Context(), podLogs("batch", "p", "n", "of now")))
	d := drillOf(t, base, fmt.Sprintf("kind=pods&name=live/p&time=%d", now.Unix()-300))
	require.InDelta(t, 700, last(d, "Memory", "working set"), 31)
	require.Empty(t, d.Logs, "it had not been written yet")
	require.Nil(t, d.KeptSince)
}

func TestTheInventoryIsBoundedAndForgets(t *testing.T) {
	v := newInventory()
	see := func(pod string, at time.Time) {
		res := pcommon.NewResource()
		resourceOf(res, "s", "live", pod, "n")
		v.see(res, at)
	}
	begun := time.Unix(1000, 0)
	for i := range maxIdentities + 10 {
		see(fmt.Sprint(i), begun)
	}
	require.Len(t, v.all, maxIdentities)
	see("another", begun.Add(identityLook-time.Second))
	require.Equal(t, begun, v.forgot, "full, it does not look through all for each")
	require.EqualValues(t, 11, v.overflow())
	see("new", begun.Add(2*identityForget))
	require.Len(t, v.list(begun.Add(2*identityForget)), 1)
}

// What a reading costs that all viewers of a cluster of 500 pods share: members and
// charts each four seconds, walls each fifteen.
func BenchmarkClusterOf500Pods(b *testing.B) {
	cfg := createDefaultConfig()
	cfg.NetAddr.Endpoint, cfg.Store.Directory = "127.0.0.1:0", b.TempDir()
	w := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(b, w.Start(b.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(b, w.Shutdown(context.Background())) }()
	at := time.Now()
	for i := range 500 {
		pod, node := fmt.Sprint("pod-", i), fmt.Sprint("node-", i/20)
		kubelet := []string{"k8s.namespace.name", "live", "k8s.pod.name", pod, "k8s.node.name", node}
		of := []string{"namespace", "live", "pod", pod, "uid", pod}
		tell(b, w, at, "kubelet-stats", node, series{"k8s.pod.cpu.usage", "{cpu}", false, kubelet, steady(1)}, series{"k8s.pod.memory.working_set", "By", false, kubelet, steady(1e8)})
		tell(b, w, at, "kube-state-metrics", "ksm",
			state("kube_pod_info", steady(1), append(slices.Clone(of), "node", node)...),
			state("kube_pod_status_phase", steady(1), append(slices.Clone(of), "phase", "Running")...),
			series{"kube_pod_container_status_restarts_total", "", true, append(slices.Clone(of), "container", "c"), steady(1)},
			state("kube_pod_container_resource_requests", steady(1), append(slices.Clone(of), "container", "c", "node", node, "resource", "cpu")...))
	}
	span, err := drillRange("15m")
	require.NoError(b, err)
	for name, do := range map[string]func(){
		"members":   func() { require.Len(b, w.readDrill(b.Context(), scope{kind: pods}, at, span).members, 500) },
		"namespace": func() { require.Len(b, w.readDrill(b.Context(), scope{namespaces, "live"}, at, span).members, 500) },
		"pod":       func() { require.Len(b, w.readDrill(b.Context(), scope{pods, "live/pod-7"}, at, span).charts, 3) },
		"walls":     func() { headroom.Cluster(b.Context(), w.store, at) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				do()
			}
		})
	}
}
