package gather

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/vigie-otel/vigie/internal/ready"
	"github.com/vigie-otel/vigie/internal/ready/apitest"
)

var afternoon = time.Date(2026, 7, 14, 18, 0, 0, 0, time.UTC)

// match is an API server with the objects of testdata/match.yaml.
func match(t *testing.T) *apitest.Server {
	t.Helper()
	text, err := os.ReadFile("testdata/match.yaml")
	require.NoError(t, err)
	s := apitest.New(t)
	s.Put(t, apitest.YAML(t, string(text))...)
	return s
}

func client(t *testing.T, s *apitest.Server) *API {
	t.Helper()
	api, err := NewAPI(s.Config(), "vigie-ready/test")
	require.NoError(t, err)
	return api
}

func read(t *testing.T, s *apitest.Server) ready.Cluster {
	t.Helper()
	c, err := Cluster(t.Context(), client(t, s), Options{Now: afternoon})
	require.NoError(t, err)
	return c
}

func find(t *testing.T, c *ready.Cluster, id string) *ready.Workload {
	t.Helper()
	i := slices.IndexFunc(c.Workloads, func(w ready.Workload) bool { return w.ID() == id })
	require.GreaterOrEqual(t, i, 0, "%s is not there", id)
	return &c.Workloads[i]
}

func TestWorkloadsComeWithTheirAutoscalersPodsAndNames(t *testing.T) {
	c := read(t, match(t))
	require.Empty(t, c.Gaps)
	want := &ready.Workload{
		Kind: "Deployment", Namespace: "shop", Name: "signin", Services: []string{"signin"}, Replicas: 4, Ready: 4,
		// An init container asks for more memory than the app and its sidecar.
		Pod: ready.Resources{CPUMilli: 600, Memory: 1 << 30, Pods: 1}, Labels: map[string]string{"app": "signin"}, Spread: 1,
		HPA: &ready.HPA{Name: "signin", Min: 2, Max: 20, Current: 4, Desired: 4, Metrics: []ready.HPAMetric{{Name: "cpu", Target: "60 % of the request", Ratio: 0.5, Known: true}}},
	}
	if d := cmp.Diff(want, find(t, &c, "shop/signin")); d != "" {
		t.Error(d)
	}
	want = &ready.Workload{
		Kind: "Deployment", Namespace: "video", Name: "player", Services: []string{"player", "player-eu"}, Replicas: 3, Ready: 2,
		Pod: ready.Resources{CPUMilli: 1000, Memory: 1 << 30, Pods: 1}, Unrequested: true, OnePerNode: true,
		Labels: map[string]string{"app.kubernetes.io/name": "player-eu"}, Selector: map[string]string{"kubernetes.io/arch": "amd64"},
		Tolerations: []ready.Toleration{{Key: "spot", Operator: "Exists"}}, Pending: 1, NoRoom: 1, OldestWait: 10 * time.Minute,
		HPA: &ready.HPA{Name: "keda-hpa-player", Min: 0, Max: 6, Current: 3, Desired: 3, NoUp: true, ScaledObject: "player", ByKEDA: true,
			Trouble: []string{"FailedGetExternalMetric: unable to fetch metrics"},
			Metrics: []ready.HPAMetric{{Name: "s0-prometheus", Target: "200 a replica", Ratio: 0.9025, Known: true}}},
	}
	if d := cmp.Diff(want, find(t, &c, "video/player")); d != "" {
		t.Error(d)
	}
	require.Equal(t, 1, find(t, &c, "shop/cart").Replicas, "one is the default")
	require.Equal(t, 1, c.Unjudged, "CoreDNS is none of the event's services")
}

func TestNodesCarryWhatTheirPodsAskForAndNotWhatHasEnded(t *testing.T) {
	c := read(t, match(t))
	require.Len(t, c.Nodes, 2)
	n := c.Nodes[0]
	require.Equal(t, ready.Resources{CPUMilli: 7910, Memory: 30 << 30, Pods: 58}, n.Allocatable)
	require.Equal(t, ready.Resources{CPUMilli: 550, Memory: 512 << 20, Pods: 2}, n.Used)
	require.Equal(t, ready.Resources{CPUMilli: 50, Pods: 1}, n.Daemons)
	require.True(t, n.Ready)
	require.Equal(t, 1, c.NoRoom)
}

func TestTheClustersOwnPartsAreRead(t *testing.T) {
	c := read(t, match(t))
	require.Equal(t, ready.DNS{Found: true, Namespace: "kube-system", Name: "coredns", Replicas: 2, Ready: 2}, c.DNS)
	require.Equal(t, ready.CNI{Found: true, WarmIPs: 4}, c.CNI)
	require.Equal(t, 3, c.Services)
	require.True(t, c.ProxyKnown)
	require.Equal(t, "iptables", c.ProxyMode)
	require.Equal(t, []ready.Quota{{Namespace: "shop", Name: "compute", CPUMilli: 1350, Memory: -1, Pods: 45}}, c.Quotas)
	require.Equal(t, []ready.Budget{{Namespace: "shop", Name: "signin", Selector: []ready.Requirement{{Key: "app", Operator: "In", Values: []string{"signin"}}}, Desired: 4, Healthy: 4, Expected: 4}}, c.Budgets)
	require.True(t, c.Karpenter)
	want := []ready.NodePool{{
		Name: "default", Labels: map[string]string{"team": "shop"}, Requirements: []ready.Requirement{{Key: "kubernetes.io/arch", Operator: "In", Values: []string{"amd64"}}},
		Weight: 10, CPULimit: 24000, MemoryLimit: 200 << 30, NodesLimit: -1, Used: ready.Resources{CPUMilli: 16000, Memory: 64 << 30}, UsedNodes: 2, Consolidates: true, NodeClass: "default",
	}}
	if d := cmp.Diff(want, c.Pools); d != "" {
		t.Error(d)
	}
}

// Why: a command that a person runs two hours before kick-off must not be able to
// change anything, and the ClusterRole must hold no right that it does not use.
func TestOnlyWhatRightsNamesIsAskedAndOnlyByReading(t *testing.T) {
	s := match(t)
	api := client(t, s)
	c, err := Cluster(t.Context(), api, Options{Now: afternoon})
	require.NoError(t, err)
	Subnets(t.Context(), api, &c, nil)
	c.CNI.Custom = true // the subnets of pods are then elsewhere
	s.Lists["/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs"] = apitest.Of()
	Subnets(t.Context(), api, &c, nil)

	type use struct{ verb, group, resource, name string }
	asked := map[use]bool{}
	for _, r := range s.Requests() {
		require.Equal(t, "GET", r.Method, "%s", r.Path)
		require.Equal(t, "Bearer of-a-test", r.Token)
		require.Equal(t, "vigie-ready/test", r.Agent)
		require.NotContains(t, r.Query, "watch")
		parts := strings.Split(strings.Trim(r.Path, "/"), "/")
		u := use{verb: "list"}
		if parts[0] == "apis" {
			u.group, parts = parts[1], parts[1:]
		}
		parts = parts[2:] // api or group, and version
		if parts[0] == "namespaces" {
			require.Equal(t, ready.SystemNamespace, parts[1])
			parts = parts[2:]
		}
		u.resource = parts[0]
		if len(parts) > 1 {
			u.verb, u.name = "get", parts[1]
		}
		asked[u] = true
	}
	granted := map[use]bool{}
	for _, r := range ready.Rights() {
		for _, v := range r.Verbs {
			if r.Names == nil {
				granted[use{v, r.Group, r.Resource, ""}] = true
			}
			for _, name := range r.Names {
				granted[use{v, r.Group, r.Resource, name}] = true
			}
		}
	}
	if d := cmp.Diff(granted, asked); d != "" {
		t.Errorf("granted (-) and asked (+) differ:\n%s", d)
	}
}

func TestWhatIsForbiddenIsAGapThatNamesTheRight(t *testing.T) {
	s := match(t)
	s.Refused["/api/v1/pods"] = 403
	s.Refused["/apis/karpenter.sh/v1/nodepools"] = 403
	s.Refused["/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status"] = 403
	s.Refused["/apis/autoscaling/v2/horizontalpodautoscalers"] = 500
	c := read(t, s)
	require.Len(t, c.Gaps, 4)
	require.Equal(t, "allow list on pods in a ClusterRole (vigie-ready has it)", c.Gaps[ready.SourcePods].Do)
	require.Contains(t, c.Gaps[ready.SourceNodePools].Do, "list on nodepools.karpenter.sh")
	require.Contains(t, c.Gaps[ready.SourceConfigMaps].Do, "cluster-autoscaler-status")
	require.Contains(t, c.Gaps[ready.SourceHPAs].Why, "answers 500")
	require.Len(t, c.Nodes, 2, "what may be read is read")
}

func TestKEDAIsAskedOnlyWhereItOwnsAnAutoscaler(t *testing.T) {
	s := match(t)
	s.Refused["/apis/keda.sh/v1alpha1/scaledobjects"] = 403
	c := read(t, s)
	require.Contains(t, c.Gaps[ready.SourceScaled].Do, "list on scaledobjects.keda.sh")
	h := find(t, &c, "video/player").HPA
	require.Equal(t, 1, h.Min, "the autoscaler's")
	require.False(t, h.ByKEDA)

	none := apitest.New(t)
	none.Put(t, apitest.YAML(t, "{kind: HorizontalPodAutoscaler, metadata: {namespace: shop, name: signin}, spec: {scaleTargetRef: {kind: Deployment, name: signin}}}")...)
	read(t, none)
	for _, r := range none.Requests() {
		require.NotContains(t, r.Path, "keda.sh")
	}
}

func TestAClusterWithoutKarpenterOrTheVPCCNIHasNoGap(t *testing.T) {
	s := apitest.New(t)
	c := read(t, s)
	require.Empty(t, c.Gaps)
	require.False(t, c.Karpenter)
	require.False(t, c.CNI.Found)
}

func TestAServerThatIsNotThereOrKnowsNobodyIsAnErrorAndEverythingIsMissing(t *testing.T) {
	api, err := NewAPI(&rest.Config{Host: "http://127.0.0.1:1"}, "x")
	require.NoError(t, err)
	c, err := Cluster(t.Context(), api, Options{Now: afternoon})
	require.ErrorContains(t, err, "127.0.0.1:1")
	require.Len(t, c.Gaps, len(ready.Rights()))

	s := match(t)
	s.Refused["/api/v1/nodes"] = 401
	_, err = Cluster(t.Context(), client(t, s), Options{Now: afternoon})
	require.ErrorContains(t, err, "does not know this user")
}

func podOf(i int) apitest.Object { return podWith(i, 100) }

func podWith(i, filler int) apitest.Object {
	return apitest.Object{
		"metadata": apitest.Object{
			"namespace": "shop", "name": "p" + strconv.Itoa(i), "labels": apitest.Object{"pod-template-hash": "x"},
			"annotations":     apitest.Object{"filler": strings.Repeat("x", filler)},
			"ownerReferences": []any{apitest.Object{"kind": "ReplicaSet", "name": "signin-x", "controller": true, "apiVersion": "apps/v1", "uid": "1"}},
		},
		"spec":   apitest.Object{"nodeName": "ip-10-0-1-10", "containers": []any{apitest.Object{"name": "a", "resources": apitest.Object{"requests": apitest.Object{"cpu": "10m"}}}}},
		"status": apitest.Object{"phase": "Running"},
	}
}

func TestTenThousandPodsComeInPagesAndAreNotKept(t *testing.T) {
	for _, unpaged := range []bool{false, true} {
		s := match(t)
		s.Unpaged = unpaged
		pods := 10_000
		if unpaged {
			pods = 1500
		}
		if testing.Short() { // with the race detector each costs 2 ms
			pods /= 5
		}
		s.Lists["/api/v1/pods"] = apitest.List{Len: pods, At: func(i int) apitest.Object { return podWith(i, 10_000_000/pods) }}
		var peak uint64
		api := client(t, s)
		r := &reading{api: api, opts: Options{Now: afternoon}, gaps: map[ready.Source]ready.Gap{}}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		before, seen := m.HeapAlloc, 0
		r.tally = tally{byNode: map[string]*usage{}, byOwner: map[string]*waiting{}, daemons: map[string]bool{}}
		err := list(t.Context(), api, "/api/v1/pods", func() {}, func(p *corev1.Pod) {
			r.pod(p)
			if seen++; seen%2000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc-min(before, m.HeapAlloc))
			}
		})
		require.NoError(t, err)
		require.Equal(t, pods, seen)
		require.Equal(t, int64(10*pods), r.tally.byNode["ip-10-0-1-10"].used.CPUMilli)
		require.Len(t, r.tally.byOwner["Deployment/shop/signin"].nodes, 1)
		// The answers are more than 10 MB, and pods take more than their JSON.
		if !testing.Short() {
			require.Less(t, peak, uint64(8<<20), "pods are kept while they are read (unpaged: %v)", unpaged)
		}
		if n := len(s.Requests()); !unpaged && n != pods/500 {
			t.Errorf("%d requests, want %d pages", n, pods/500)
		}
	}
}

func TestAListWhosePagesExpireIsReadAgainFromItsBeginning(t *testing.T) {
	s := match(t)
	s.Lists["/api/v1/pods"] = apitest.List{Len: 1200, At: podOf}
	s.Expire = "/api/v1/pods"
	c := read(t, s)
	require.Empty(t, c.Gaps)
	require.Equal(t, int64(1200), c.Nodes[0].Used.Pods, "no pod counts twice")
}

func TestServicesAreCountedWithoutReadingThem(t *testing.T) {
	s := match(t)
	s.Lists["/api/v1/services"] = apitest.List{Len: 4321, At: func(i int) apitest.Object {
		return apitest.Object{"metadata": apitest.Object{"name": "s" + strconv.Itoa(i)}}
	}}
	require.Equal(t, 4321, read(t, s).Services)
	asked := slices.DeleteFunc(s.Requests(), func(r apitest.Request) bool { return r.Path != "/api/v1/services" })
	require.Len(t, asked, 1)
}

func TestAnswersThatAreNoListsAreErrors(t *testing.T) {
	for _, text := range []string{"", "[]", "{}x", `{"items":{}}`, `{"items":[1]}`, `{"metadata":{"continue":3}}`, `{"items":[{}`} {
		_, err := decode(strings.NewReader(text), func(*corev1.Pod) {})
		if text == "{}x" { // what follows the list is not looked at
			require.NoError(t, err)
			continue
		}
		require.Error(t, err, "%s", text)
	}
	p, err := decode(strings.NewReader(`{"items":null,"kind":"PodList","metadata":{"continue":"c"}}`), func(*corev1.Pod) { t.Error("an object") })
	require.NoError(t, err)
	require.Equal(t, "c", p.Continue)
}

func TestTheClusterAutoscalersStatusIsReadInBothForms(t *testing.T) {
	want := []ready.NodeGroup{
		{Name: "match", Min: 2, Max: 40, Target: 7, Ready: 6, Healthy: true, Status: "InProgress"},
		{Name: "spot", Min: 0, Max: 5, Target: 5, Ready: 5, Healthy: false, Status: "Backoff"},
	}
	for _, text := range []string{`time: 2026-07-14 18:00:00
autoscalerStatus: Running
clusterWide: {health: {status: Healthy, nodeCounts: {registered: {ready: 11}}}}
nodeGroups:
- name: eks-match-1cc1f2a3-7d4e-1a2b-3c4d-0123456789ab
  health: {status: Healthy, nodeCounts: {registered: {total: 7, ready: 6}}, cloudProviderTarget: 7, minSize: 2, maxSize: 40}
  scaleUp: {status: InProgress}
- name: spot
  health: {status: Unhealthy, nodeCounts: {registered: {total: 5, ready: 5}}, cloudProviderTarget: 5, minSize: 0, maxSize: 5}
  scaleUp: {status: Backoff}
`, `Cluster-autoscaler status at 2026-07-14 18:00:00.000000000 +0000 UTC:
Cluster-wide:
  Health:      Healthy (ready=11 unready=0 (resourceUnready=0) notStarted=0 longNotStarted=0 registered=12 longUnregistered=0)
  ScaleUp:     InProgress (ready=11 registered=12)

NodeGroups:
  Name:        eks-match-1cc1f2a3-7d4e-1a2b-3c4d-0123456789ab
  Health:      Healthy (ready=6 unready=0 (resourceUnready=0) notStarted=1 longNotStarted=0 registered=7 longUnregistered=0 cloudProviderTarget=7 (minSize=2, maxSize=40))
  ScaleUp:     InProgress (ready=6 cloudProviderTarget=7)

  Name:        spot
  Health:      Unhealthy (ready=5 unready=0 (resourceUnready=0) notStarted=0 longNotStarted=0 registered=5 longUnregistered=0 cloudProviderTarget=5 (minSize=0, maxSize=5))
  ScaleUp:     Backoff (ready=5 cloudProviderTarget=5)
`} {
		if d := cmp.Diff(want, nodeGroups(text)); d != "" {
			t.Error(d)
		}
	}
	require.Empty(t, nodeGroups("\x00 no status"))
}

func TestAnAutoscalersMetricsArePairedWithWhatItSawOfThem(t *testing.T) {
	s := apitest.New(t)
	s.Put(t, apitest.YAML(t, `
kind: Deployment
metadata: {namespace: n, name: w}
spec: {template: {spec: {containers: [{name: a}]}}}
---
kind: HorizontalPodAutoscaler
metadata: {namespace: n, name: w}
spec:
  maxReplicas: 9
  scaleTargetRef: {kind: Deployment, name: w}
  metrics:
    - {type: ContainerResource, containerResource: {name: cpu, container: app, target: {type: Utilization, averageUtilization: 50}}}
    - {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: "200"}}}
    - {type: Object, object: {metric: {name: queue}, describedObject: {kind: Service, name: q}, target: {type: Value, value: "10"}}}
    - {type: External, external: {metric: {name: never}, target: {type: Value, value: "10"}}}
    - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Gi}}}
status:
  currentMetrics:
    - {type: ContainerResource, containerResource: {name: cpu, container: other, current: {averageUtilization: 99}}}
    - {type: ContainerResource, containerResource: {name: cpu, container: app, current: {averageUtilization: 25}}}
    - {type: Pods, pods: {metric: {name: rps}, current: {averageValue: 250500m}}}
    - {type: Object, object: {metric: {name: queue}, describedObject: {kind: Service, name: q}, current: {value: "4"}}}
    - {type: Resource, resource: {name: memory, current: {averageValue: 512Mi}}}
---
kind: HorizontalPodAutoscaler
metadata: {namespace: n, name: canary}
spec: {maxReplicas: 9, scaleTargetRef: {kind: Rollout, name: canary}}
`)...)
	c := read(t, s)
	want := []ready.HPAMetric{
		{Name: "app cpu", Target: "50 % of the request", Ratio: 0.5, Known: true}, {Name: "rps", Target: "200 a replica", Ratio: 1.2525, Known: true},
		{Name: "queue of q", Target: "10", Ratio: 0.4, Known: true}, {Name: "never", Target: "10"}, {Name: "memory", Target: "1Gi a replica", Ratio: 0.5, Known: true},
	}
	if d := cmp.Diff(want, find(t, &c, "n/w").HPA.Metrics); d != "" {
		t.Error(d)
	}
	require.Equal(t, []string{"n/canary (Rollout canary)"}, c.OtherHPAs)
}

func TestKubeProxysModeIsReadAndEmptyIsIptables(t *testing.T) {
	for text, want := range map[string]string{
		"kind: KubeProxyConfiguration\nmode: nftables\n": "nftables", "kind: KubeProxyConfiguration\nmode: \"\"\n": "iptables",
		"kind: KubeProxyConfiguration\nmetricsBindAddress: x\n": "iptables", "kind: Config\nmode: ipvs\n": "",
	} {
		mode, known := proxyMode(map[string]string{"config": text})
		require.Equal(t, want, mode)
		require.Equal(t, want != "", known)
	}
}

func TestNamespacesNarrowWhatIsJudgedAndNotWhatNodesCarry(t *testing.T) {
	c, err := Cluster(t.Context(), client(t, match(t)), Options{Now: afternoon, Namespaces: []string{"video"}})
	require.NoError(t, err)
	require.Len(t, c.Workloads, 1)
	require.Equal(t, 3, c.Unjudged)
	require.Equal(t, int64(2), c.Nodes[0].Used.Pods)
	require.True(t, c.DNS.Found)
}

func TestAKubeconfigsContextIsTaken(t *testing.T) {
	s := match(t)
	api, name, err := Connect(Access{Kubeconfig: s.Kubeconfig(t), UserAgent: "x"})
	require.NoError(t, err)
	require.Equal(t, "staging", name)
	require.Equal(t, strings.TrimPrefix(s.URL, "http://"), api.Host())
	_, _, err = Connect(Access{Kubeconfig: s.Kubeconfig(t), Context: "production"})
	require.ErrorContains(t, err, "production")
	t.Setenv("KUBECONFIG", "/does/not/exist")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	_, _, err = Connect(Access{})
	require.ErrorIs(t, err, ErrNoCluster)
}
