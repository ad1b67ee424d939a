package warroomexporter

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// TestServeAScene is the server behind web/test: it shows a made-up scene at
// VIGIE_WARROOM_SERVE until it is interrupted. VIGIE_WARROOM_SCENE is quiet,
// crowd, attack, mixed or empty; VIGIE_WARROOM_STORE keeps the store for a
// restart.
func TestServeAScene(t *testing.T) {
	addr := os.Getenv("VIGIE_WARROOM_SERVE")
	if addr == "" {
		t.Skip("VIGIE_WARROOM_SERVE names no address: this test is a server for the page's own tests")
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	cfg := testConfig(t)
	cfg.NetAddr.Endpoint = addr
	if dir := os.Getenv("VIGIE_WARROOM_STORE"); dir != "" {
		cfg.Store.Directory = dir
	}
	cfg.Room.GrafanaURL = "https://grafana.example/root"
	s := scene{name: os.Getenv("VIGIE_WARROOM_SCENE"), begun: time.Now().Truncate(time.Second)}
	start := func() *warroom {
		w := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
		require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()))
		return w
	}
	w := start()
	if s.name != "empty" && w.storeRow().Samples == 0 {
		for ago := 15 * 60; ago > 0; ago-- {
			s.metrics(t, w, s.begun.Add(-time.Duration(ago)*time.Second))
		}
	}
	require.NoError(t, w.Shutdown(context.Background())) // the history comes from the store
	w = start()
	defer func() { require.NoError(t, w.Shutdown(context.Background())) }()
	fmt.Println("serving", addr)
	for tick := time.NewTicker(time.Second); ; {
		if s.name != "empty" {
			now := time.Now()
			s.metrics(t, w, now)
			s.events(t, w, now)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// scene is a made-up quarter of an hour: a kick-off at 9 minutes before begun, an
// attack from 2 minutes before.
type scene struct {
	name  string
	begun time.Time
	n     int64
	count [3][3]float64 // of each service: requests, errors, suspected
	moved [5]float64    // of each pod: bytes in
	told  time.Time     // when the cluster was told of
}

// counted adds a second to a service's cumulative counts.
func (s *scene) counted(i int, x said, requests, errors, suspected float64) said {
	c := &s.count[i]
	c[0], c[1], c[2] = c[0]+requests, c[1]+errors, c[2]+suspected
	x.requests, x.errors, x.suspects = int64(c[0]), int64(c[1]), int64(c[2])
	return x
}

func (s *scene) metrics(t *testing.T, w *warroom, at time.Time) {
	ago := s.begun.Sub(at).Seconds()
	s.n++
	wave := 1 + 0.06*math.Sin(float64(s.n)/17) + 0.03*math.Sin(float64(s.n)/3.1)
	crowd, attack := 1.0, 0.0
	if s.name != "quiet" {
		crowd = 1 + 3.2/(1+math.Exp((ago-480)/40))
	}
	if (s.name == "attack" || s.name == "mixed") && ago < 120 {
		attack = 52_000 * wave
		if s.name == "attack" {
			crowd = 1
		}
	}
	verdict, score := finding.Normal, 0.04
	if crowd > 1.5 {
		verdict, score = finding.Crowd, 0.11
	}
	hit, hitScore := verdict, score
	switch {
	case attack > 0 && crowd > 1.5:
		hit, hitScore = finding.Mixed, 0.88
	case attack > 0:
		hit, hitScore = finding.Attack, 0.94
	}
	base := 9000 * crowd * wave
	total := base + attack
	require.NoError(t, w.consumeMetrics(t.Context(), detector(at,
		s.counted(0, said{service: "player-api", verdict: hit, score: hitScore, rate: total, expected: 9000, clients: int64(base*1.7 + attack/90)}, total, base*0.002*wave+attack*0.3, attack*0.97),
		s.counted(1, said{service: "signin", verdict: verdict, score: score, rate: base / 6, expected: 1500, clients: int64(base / 8)}, base/6, base*0.0004, 0),
		s.counted(2, said{service: `shop "été" <b>`, verdict: finding.Normal, score: 0.02, rate: 340 * wave, expected: 350, clients: 900}, 340, 0.5, 0),
	)))
	if s.n%10 == 0 {
		require.NoError(t, w.consumeMetrics(t.Context(), calls(at, map[[2]string]int64{
			{"/live/{id}/manifest.m3u8", "200"}: s.n * 900, {"/sign-in", "200"}: s.n * 14, {"/sign-in", "401"}: s.n, {"/<script>alert(1)</script>", "404"}: s.n,
		})))
	}
	s.host(t, w, at, ago, attack)
	if s.n%15 == 0 || s.n == 1 {
		s.cluster(t, w, at, crowd, attack)
	}
}

// podNames are where the scene's services run.
var podNames = []string{"player-api-7d9f8c6b5-2xkq4", "player-api-7d9f8c6b5-8hzn7", "player-api-7d9f8c6b5-vw5lm", "signin-6c5b9d4f7-kk2pd", "shop-0"}

// cluster is what agents, kube-state-metrics and the ledger tell of a small cluster.
func (s *scene) cluster(t *testing.T, w *warroom, at time.Time, crowd, attack float64) {
	passed := 0.0
	if !s.told.IsZero() {
		passed = at.Sub(s.told).Seconds()
	}
	s.told = at
	attacked := map[bool]float64{true: 1}[attack > 0]
	now := func(job, instance string, all ...series) { tellAt(t, w, []time.Time{at}, at, job, instance, all...) }
	var state []series
	for i, pod := range podNames {
		node, busy := fmt.Sprintf("ip-10-0-%d-17", i%2+1), (0.3+0.2*float64(i%3))*crowd+0.7*attacked
		s.moved[i] += passed * 2e6 * busy
		kubelet := []string{"k8s.namespace.name", "live", "k8s.pod.name", pod, "k8s.node.name", node}
		of := []string{"namespace", "live", "pod", pod, "uid", pod}
		now("kubelet-stats", node,
			series{"k8s.pod.cpu.usage", "{cpu}", false, kubelet, steady(busy)},
			series{"k8s.pod.memory.working_set", "By", false, kubelet, steady(3e8 + 6e7*crowd + 1e6*float64(s.n%60))},
			series{"k8s.pod.network.io", "By", true, append(slices.Clone(kubelet), "direction", "receive"), steady(s.moved[i])},
			series{"k8s.pod.network.io", "By", true, append(slices.Clone(kubelet), "direction", "transmit"), steady(15 * s.moved[i])},
			series{"k8s.pod.network.errors", "1", true, kubelet, steady(0)})
		state = append(state,
			series{"kube_pod_info", "", false, append(slices.Clone(of), "node", node), steady(1)},
			series{"kube_pod_status_phase", "", false, append(slices.Clone(of), "phase", "Running"), steady(1)},
			series{"kube_pod_container_status_restarts_total", "", true, append(slices.Clone(of), "container", "app"), steady(float64(i/4) + attacked)},
			series{"kube_pod_container_resource_limits", "", false, append(slices.Clone(of), "node", node, "container", "app", "resource", "cpu", "unit", "core"), steady(4)},
			series{"kube_pod_container_resource_requests", "", false, append(slices.Clone(of), "node", node, "container", "app", "resource", "cpu", "unit", "core"), steady(2)})
	}
	for _, node := range []string{"ip-10-0-1-17", "ip-10-0-2-17"} {
		state = append(state,
			series{"kube_node_info", "", false, []string{"node", node}, steady(1)},
			series{"kube_node_status_allocatable", "", false, []string{"node", node, "resource", "pods", "unit", "integer"}, steady(29)},
			series{"kube_node_status_allocatable", "", false, []string{"node", node, "resource", "cpu", "unit", "core"}, steady(7.9)})
	}
	for name, most := range map[string]float64{"player-api": 12, "signin": 4} {
		of := []string{"namespace", "live", "horizontalpodautoscaler", name}
		state = append(state,
			series{"kube_horizontalpodautoscaler_status_current_replicas", "", false, of, steady(min(most, math.Round(3*crowd)))},
			series{"kube_horizontalpodautoscaler_status_desired_replicas", "", false, of, steady(min(most, math.Round(3*crowd)))},
			series{"kube_horizontalpodautoscaler_spec_max_replicas", "", false, of, steady(most)})
	}
	now("kube-state-metrics", "ksm", state...)
	now("vigie-gateway", "gateway-0", append(bookOf("logs", steady(0), 1), bookOf("metrics", steady(17*attacked), 1)...)...)
}

func (s *scene) host(t *testing.T, w *warroom, at time.Time, ago, attack float64) {
	md := pmetric.NewMetrics()
	for i := range 2 {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "host")
		rm.Resource().Attributes().PutStr("service.instance.id", fmt.Sprintf("ip-10-0-%d-17", i+1))
		ms := rm.ScopeMetrics().AppendEmpty().Metrics()
		put := func(name, unit string, v float64, counter bool, attrs ...string) {
			m := ms.AppendEmpty()
			m.SetName(name)
			m.SetUnit(unit)
			sum := m.SetEmptySum()
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			sum.SetIsMonotonic(counter)
			p := sum.DataPoints().AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(at))
			p.SetDoubleValue(v)
			for i := 0; i < len(attrs); i += 2 {
				p.Attributes().PutStr(attrs[i], attrs[i+1])
			}
		}
		usage := 71_000 + 9_000*float64(i) + 900*math.Sin(float64(s.n)/11)
		if attack > 0 && i == 0 {
			usage += 700 * (120 - ago)
		}
		put(names.ConntrackUsage, "{entry}", min(usage, 262_144), false)
		put(names.ConntrackLimit, "{entry}", 262_144, false)
		put("system.linux.memory.available", "By", 5.2e9+1e9*float64(i), false)
		put("system.memory.limit", "By", 16e9, false)
		for cpu := range 2 {
			busy := 0.35 + 0.1*float64(i)
			if attack > 0 {
				busy += 0.3
			}
			id := fmt.Sprint("cpu", cpu)
			second := float64(at.Unix() - 1_000_000_000)
			put("system.cpu.time", "s", second*(1-busy), true, "cpu", id, "state", "idle")
			put("system.cpu.time", "s", second*busy, true, "cpu", id, "state", "user")
		}
		put("system.filesystem.usage", "By", 61e9, false, "device", "/dev/nvme0n1p1", "mountpoint", "/", "mode", "rw", "state", "used")
		put("system.filesystem.usage", "By", 46e9, false, "device", "/dev/nvme0n1p1", "mountpoint", "/", "mode", "rw", "state", "free")
	}
	require.NoError(t, w.consumeMetrics(t.Context(), md))
}

func (s *scene) events(t *testing.T, w *warroom, now time.Time) {
	if s.name == "attack" || s.name == "mixed" {
		f := finding.Finding{
			Class: finding.HTTPFlood, Service: "player-api", Status: finding.Open, Confidence: 0.94,
			StartedAt: s.begun.Add(-2 * time.Minute), DetectedAt: s.begun.Add(-2*time.Minute + 4*time.Second), UpdatedAt: now,
			Requests: uint64(52_000 * now.Sub(s.begun.Add(-2*time.Minute)).Seconds()),
			Evidence: []finding.Evidence{
				{Dimension: "requests_per_client", Value: 912, Normal: 6.1, Points: finding.For, Note: "the busiest thousandth of the clients"},
				{Dimension: "new_client_share", Value: 0.97, Normal: 0.31, Points: finding.For, Note: "almost all clients are new"},
				{Dimension: "networks", Value: 0.98, Points: finding.For, Note: "share of its requests from prefixes that are busier than in the baseline"},
				{Dimension: "prefix_concentration", Value: 0.71, Normal: 0.04, Points: finding.For},
				{Dimension: "user_agent_distance", Value: 0.62, Normal: 0.05, Points: finding.For},
				{Dimension: "error_share", Value: 0.29, Normal: 0.002, Points: finding.For},
				{Dimension: "page_asset_ratio", Value: 0.2, Normal: 0.2, Points: finding.Against},
				{Dimension: "requests_per_second", Value: 61_000, Normal: 9_000, Unit: "{request}/s", Points: finding.For},
			},
			Actors: []finding.Actor{
				{Kind: finding.KindPrefix, Value: "203.0.113.0/24", Share: 0.71, Lift: 812, Errors: 0.31, FirstSeen: s.begun.Add(-2 * time.Minute)},
				{Kind: finding.KindPrefix, Value: "2001:db8:77::/48", Share: 0.22, Lift: 640, Errors: 0.28, FirstSeen: s.begun.Add(-100 * time.Second)},
				{Kind: finding.KindUserAgent, Value: "python-requests/2.31 <script>alert(1)</script> \u202egnp.exe", Share: 0.9, Lift: 95, Errors: 0.3, FirstSeen: s.begun.Add(-2 * time.Minute)},
				{Kind: finding.KindPath, Value: "/live/{id}/manifest.m3u8", Share: 0.99, Lift: 1.1, Errors: 0.3},
			},
			Rules: []finding.Rule{{
				Kind: "ip_set", Action: finding.ActionBlock, Coverage: 0.93, LegitimateHit: 0.001,
				Match: []finding.Condition{{Field: names.ClientAddress, Op: finding.OpIn, Values: []string{"203.0.113.0/24", "2001:db8:77::/48"}}},
			}},
		}
		f.Mitigation = finding.Mitigation{Coverage: 0.93, LegitimateHit: 0.001, Note: "<b>what is left</b> looks like people"}
		f.ID = finding.NewID(f.Class, f.Service, f.StartedAt, 1)
		require.NoError(t, w.consumeLogs(t.Context(), record(f)))
	}
	for i, pod := range podNames {
		service := []string{"player-api", "player-api", "player-api", "signin", `shop "été" <b>`}[i]
		ld := podLogs(service, pod, fmt.Sprintf("ip-10-0-%d-17", i%2+1), fmt.Sprintf("request %d took %d ms", s.n, 20+s.n*7%180))
		if s.n%7 == int64(i) {
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetSeverityText("ERROR")
		}
		require.NoError(t, w.consumeLogs(t.Context(), ld))
	}
	require.NoError(t, w.consumeLogs(t.Context(), logLines("player-api",
		`203.0.113.7 - - "GET /live/7/manifest.m3u8 HTTP/2.0" 200 512 "-" "player/7"`, "<script>alert(1)</script> \u202egnp.exe")))
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	resourceOf(rs.Resource(), "signin", "live", podNames[3], "ip-10-0-2-17")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("POST /signin")
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(now))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(now.Add(time.Duration(20+s.n%180) * time.Millisecond)))
	require.NoError(t, w.consumeTraces(t.Context(), td))
}
