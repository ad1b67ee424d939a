package ready

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/calendar"
)

var at = time.Date(2026, 7, 14, 16, 0, 0, 0, time.UTC)

// semi expects eight times the usual audience of sign-in, without a push.
const semi = `
events:
  - name: Semi-final
    kick_off: 2026-07-14T21:00:00+02:00
    services: [signin]
    expected_audience: 2400000
    usual_audience: 300000
`

func ptr[T any](v T) *T { return &v }

// given is a cluster in which sign-in is ready for eight times its 100 requests a
// second: 4 replicas carry them at half of their target, so one carries 50 at it,
// and 800 need 16.
func given(t *testing.T, text string) Inputs {
	t.Helper()
	c, problems, err := calendar.Parse([]byte(text))
	require.NoError(t, err)
	in := Inputs{At: at, Calendar: c}
	for _, p := range problems {
		in.Problems = append(in.Problems, p.Error())
	}
	if len(c.Events()) > 0 {
		in.Event = &c.Events()[0]
	}
	in.Cluster = Cluster{
		Workloads: []Workload{{
			Kind: "Deployment", Namespace: "shop", Name: "signin", Services: []string{"signin"}, Replicas: 4, Ready: 4, Spread: 2,
			Pod: Resources{500, 512 << 20, 1}, Labels: map[string]string{"app": "signin"},
			HPA: &HPA{Name: "signin", Min: 16, Max: 40, Current: 4, Desired: 4, Metrics: []HPAMetric{{"cpu", "60 % of the request", 0.5, true}}},
		}},
		Budgets:    []Budget{{Namespace: "shop", Name: "signin", Everything: true, Allowed: 1, Desired: 3, Healthy: 4, Expected: 4}},
		DNS:        DNS{Found: true, Namespace: "kube-system", Name: "coredns", Replicas: 2, Ready: 2, Spread: 2},
		Services:   40,
		ProxyMode:  "iptables",
		ProxyKnown: true,
		CNI:        CNI{Found: true},
		Subnets:    []Subnet{{ID: "subnet-a", Zone: "a", Free: 200}, {ID: "subnet-b", Zone: "b", Free: 180}},
		Karpenter:  true,
	}
	for i := range 2 {
		in.Cluster.Nodes = append(in.Cluster.Nodes, Node{
			Name: fmt.Sprintf("node-%d", i), Labels: map[string]string{"karpenter.sh/nodepool": "default"}, Ready: true,
			Capacity: Resources{8000, 32 << 30, 58}, Allocatable: Resources{7900, 30 << 30, 58}, Used: Resources{1100, 2 << 30, 6}, Daemons: Resources{100, 1 << 30, 4},
		})
	}
	in.Cluster.Pools = []NodePool{{Name: "default", CPULimit: 64000, MemoryLimit: -1, NodesLimit: -1, Used: Resources{16000, 64 << 30, 0}, UsedNodes: 2}}
	in.Metrics = Metrics{
		Source: "127.0.0.1:8640", Window: 15 * time.Minute, At: at,
		Rates:  map[string]Rate{"signin": {Now: ptr(100.0), Usual: ptr(100.0), UsualAt: at.Add(-7 * 24 * time.Hour), Metric: "vigie.traffic.requests"}},
		DNSP99: ptr(0.004),
		Tables: []Table{{Node: "node-0", Used: 10_000, Limit: 262_144}, {Node: "node-1", Used: 9_000, Limit: 262_144}},
		ENA:    []Allowance{{Node: "node-0", Interface: "eth0", Name: "conntrack", Left: ptr(400_000.0)}},
	}
	return in
}

// of is the one finding of a check, or of a check and a subject.
func of(t *testing.T, r *Result, c Check, subject ...string) Finding {
	t.Helper()
	var found []Finding
	for _, f := range r.Findings {
		if f.Check == c && (len(subject) == 0 || f.Subject == subject[0]) {
			found = append(found, f)
		}
	}
	require.Len(t, found, 1, "findings of %s %v: %+v", c, subject, found)
	return found[0]
}

func TestAClusterThatCanTakeItIsReadyAndEachNumberSaysWhereItIsFrom(t *testing.T) {
	r := Assess(given(t, semi))
	require.Equal(t, Warn, r.Status, "%+v", r.Findings) // ENA's bandwidth nobody can tell
	require.True(t, r.Ready)
	require.Empty(t, r.Patches)
	for _, f := range r.Findings {
		if f.Check != CheckENA && f.Status != OK {
			t.Errorf("%+v", f)
		}
		for _, n := range []*Number{f.Number, f.Limit} {
			if n != nil && (n.Source == "" || n.Unit == "" || !slices.Contains([]Basis{Read, Given, Measured, Assumed}, n.Basis)) {
				t.Errorf("%s %s: a number without its source: %+v", f.Check, f.Subject, n)
			}
		}
	}
	s := r.Services[0]
	require.Equal(t, 800.0, s.Peak.Value)
	require.Equal(t, Measured, s.Peak.Basis)
	require.Contains(t, s.Peak.Source, "2026-07-07")
	require.Contains(t, s.Peak.Source, "2,400,000 expected over 300,000 usual")
	require.Equal(t, 50.0, s.PerReplica.Value)
	require.Contains(t, s.PerReplica.Source, "4 replicas at 50 % of the target (cpu, 60 % of the request)")
	require.Equal(t, 16.0, s.Needed.Value)
}

func TestAServiceStandsAsTheWorstOfItsFindings(t *testing.T) {
	for want, change := range map[Status]func(*Inputs){
		OK:      func(*Inputs) {},
		Warn:    func(in *Inputs) { in.Cluster.Budgets = nil },
		Unknown: func(in *Inputs) { in.Metrics.Rates = nil },
		Fail:    func(in *Inputs) { in.Cluster.Workloads[0].HPA.Max = 10 },
	} {
		in := given(t, semi)
		change(&in)
		r := Assess(in)
		require.Equal(t, want, r.Services[0].Status)
	}
}

func TestAMaximumBelowTheNeedFailsAndThePatchRaisesBoth(t *testing.T) {
	in := given(t, semi)
	in.Cluster.Workloads[0].HPA.Min, in.Cluster.Workloads[0].HPA.Max = 2, 10
	r := Assess(in)
	require.Equal(t, Fail, r.Status)
	require.False(t, r.Ready)
	f := of(t, &r, CheckHPAMax)
	require.Equal(t, Fail, f.Status)
	require.Contains(t, f.Why, "each would carry 1.6 times its target")
	require.Equal(t, Warn, of(t, &r, CheckHPAMin).Status, "an hour's ramp an autoscaler can follow")
	require.Len(t, r.Patches, 1)
	require.Equal(t, []Setting{{"spec.minReplicas", 2, 16}, {"spec.maxReplicas", 10, 20}}, r.Patches[0].Set)
	require.Equal(t, `kubectl -n shop patch horizontalpodautoscaler signin --type merge -p '{"spec":{"maxReplicas":20,"minReplicas":16}}'`, r.Patches[0].Command)
}

func TestAPushNotificationNeedsItsReplicasBeforehand(t *testing.T) {
	text := semi + "    push_notifications: [{at: 2026-07-14T20:50:00+02:00, name: line-ups, factor: 3}]\n"
	in := given(t, text)
	in.Cluster.Workloads[0].HPA.Max = 100
	r := Assess(in)
	require.InDelta(t, 2400, r.Services[0].Peak.Value, 1e-6)
	f := of(t, &r, CheckHPAMin)
	require.Equal(t, Fail, f.Status)
	require.Contains(t, f.Why, "line-ups")
	require.Equal(t, 48, r.Patches[0].Set[0].To)

	r = Assess(given(t, strings.Replace(text, "factor: 3", "factor: 4", 1)))
	require.Equal(t, Assumed, r.Services[0].Peak.Basis, "that may be the calendar's default")
	require.NotEqual(t, Fail, of(t, &r, CheckHPAMin).Status)
}

func TestWithoutAnAutoscalerCPUIsTheMeasureAndItsTargetIsAssumed(t *testing.T) {
	in := given(t, semi)
	in.Cluster.Workloads[0].HPA = nil
	in.Metrics.CPU = map[string]float64{"shop/signin": 0.7} // of 4 × 0.5: half of the assumed 70 %
	r := Assess(in)
	require.InDelta(t, 50, r.Services[0].PerReplica.Value, 1e-9)
	require.Equal(t, Assumed, r.Services[0].PerReplica.Basis)
	require.Contains(t, r.Services[0].PerReplica.Source, "100/s on 4 replicas at 35 % of their CPU request")
	f := of(t, &r, CheckReplicas)
	require.Equal(t, Warn, f.Status, "16 are needed, by an assumption")
	require.Equal(t, []Setting{{"spec.replicas", 4, 16}}, r.Patches[0].Set)
	for _, used := range []float64{0, 0.01} {
		in.Metrics.CPU["shop/signin"] = used
		r = Assess(in)
		require.Equal(t, Unknown, of(t, &r, CheckReplicas).Status)
	}
}

func TestKEDAsObjectIsPatchedAndNotTheAutoscalerThatItOwns(t *testing.T) {
	in := given(t, semi)
	in.Cluster.Workloads[0].HPA.ScaledObject, in.Cluster.Workloads[0].HPA.Min = "signin-so", 1
	r := Assess(in)
	require.Equal(t, "ScaledObject", r.Patches[0].Kind)
	require.Equal(t, `kubectl -n shop patch scaledobject.keda.sh signin-so --type merge -p '{"spec":{"minReplicaCount":16}}'`, r.Patches[0].Command)

	undo := func() string {
		var text strings.Builder
		r := Assess(in)
		require.NoError(t, r.WritePatches(&text, true))
		return text.String()
	}
	require.Contains(t, undo(), "# KEDA's own minimum could not be read: the 1 may stand for 0")
	in.Cluster.Workloads[0].HPA.Min, in.Cluster.Workloads[0].HPA.ByKEDA = 0, true
	require.Contains(t, undo(), "minReplicaCount: 0\n")
	require.NotContains(t, undo(), "could not be read")
}

func TestWhatIsAssumedIsAWarningAtBestAndAtWorst(t *testing.T) {
	in := given(t, "events: [{name: Final, kick_off: 2026-07-14T21:00:00+02:00}]") // neither factor nor audiences
	r := Assess(in)
	require.Equal(t, Assumed, r.Services[0].Needed.Basis)
	require.Equal(t, Warn, of(t, &r, CheckHPAMax).Status, "enough, by an assumption")
	in.Cluster.Workloads[0].HPA.Max = 5
	r = Assess(in)
	require.Equal(t, Warn, of(t, &r, CheckHPAMax).Status, "too little, by an assumption")
	require.Equal(t, Assumed, r.Patches[0].Basis)
	var text strings.Builder
	require.NoError(t, r.WritePatches(&text, false))
	require.Contains(t, text.String(), "# It rests on an assumption")

	in = given(t, semi)
	in.Metrics.Rates["signin"] = Rate{Now: ptr(100.0), Metric: "m"}
	r = Assess(in)
	require.Equal(t, Assumed, r.Services[0].Peak.Basis, "now is not the event's hour")
	in.Cluster.Workloads[0].HPA.Metrics[0].Ratio = 0.1
	r = Assess(in)
	require.Equal(t, Assumed, r.Services[0].PerReplica.Basis, "an extrapolation by ten")
}

func TestWhatIsGivenGoesBeforeWhatIsMeasured(t *testing.T) {
	in := given(t, semi)
	in.Expected = []Expectation{{Service: "signin", Peak: 3000, PerReplica: 75, Line: 2}}
	r := Assess(in)
	require.Equal(t, 40.0, r.Services[0].Needed.Value)
	require.Equal(t, Given, r.Services[0].Needed.Basis)

	in.Expected = []Expectation{{Service: "signin", RequestsPerViewer: 0.001, PerReplica: 100, Line: 2}}
	in.Metrics = Metrics{Gap: &Gap{"away", "bring it back"}}
	r = Assess(in)
	require.Equal(t, 24.0, r.Services[0].Needed.Value, "2.4 million viewers")
	require.Contains(t, r.Services[0].Peak.Source, "× 2,400,000 expected by the calendar")
	require.Equal(t, OK, of(t, &r, CheckHPAMax).Status, "no metric is needed for it")
}

// Why: a war room reads ok as a promise. Whatever is taken away, nothing that
// stood on it may stay ok.
func TestNothingIsOKWithoutItsInput(t *testing.T) {
	for name, c := range map[string]struct {
		take func(*Inputs)
		who  []Check
	}{
		"metrics":                  {func(in *Inputs) { in.Metrics = Metrics{Gap: &Gap{"away", "bring it back"}} }, []Check{CheckMetrics, CheckDemand, CheckHPAMax, CheckHPAMin, CheckConntrack, CheckENA, CheckDNSLatency}},
		"rates":                    {func(in *Inputs) { in.Metrics.Rates = nil }, []Check{CheckMetrics, CheckDemand, CheckHPAMax, CheckHPAMin, CheckConntrack, CheckENA}},
		"tables":                   {func(in *Inputs) { in.Metrics.Tables = nil }, []Check{CheckConntrack}},
		"one node's table":         {func(in *Inputs) { in.Metrics.Tables = in.Metrics.Tables[:1] }, []Check{CheckConntrack}},
		"ena":                      {func(in *Inputs) { in.Metrics.ENA = nil }, []Check{CheckENA}},
		"dns latency":              {func(in *Inputs) { in.Metrics.DNSP99 = nil }, []Check{CheckDNSLatency}},
		"dns":                      {func(in *Inputs) { in.Cluster.DNS = DNS{} }, []Check{CheckCoreDNS}},
		"subnets":                  {func(in *Inputs) { in.Cluster.Subnets = nil }, []Check{CheckAddresses}},
		"aws":                      {gap(SourceSubnets), []Check{CheckAddresses}},
		"pods":                     {gap(SourcePods), []Check{CheckNodes, CheckAutoscaler, CheckAddresses}},
		"nodes":                    {gap(SourceNodes), []Check{CheckNodes, CheckAutoscaler, CheckAddresses, CheckConntrack, CheckCoreDNS}},
		"services":                 {gap(SourceServices), []Check{CheckRules}},
		"budgets":                  {gap(SourcePDBs), []Check{CheckPDB}},
		"quotas":                   {gap(SourceQuotas), []Check{CheckQuota}},
		"autoscaler's own metrics": {func(in *Inputs) { in.Cluster.Workloads[0].HPA.Metrics[0].Known = false }, []Check{CheckDemand, CheckHPAMax, CheckHPAMin, CheckHPAHealth}},
		"autoscalers": {func(in *Inputs) {
			gap(SourceHPAs)(in)
			in.Cluster.Workloads[0].HPA = nil
		}, []Check{CheckDemand, CheckHPAMax}},
		"workloads": {func(in *Inputs) {
			gap(SourceDeployments)(in)
			in.Cluster.Workloads = nil
		}, []Check{CheckDemand, CheckNodes, CheckCoreDNS}},
	} {
		t.Run(name, func(t *testing.T) {
			in := given(t, semi)
			c.take(&in)
			r := Assess(in)
			require.Equal(t, Unknown, r.Status)
			require.False(t, r.Ready)
			for _, check := range c.who {
				unknown := false
				for _, f := range r.Findings {
					if f.Check != check {
						continue
					}
					unknown = unknown || f.Status == Unknown
					if f.Status == OK {
						t.Errorf("%s is ok without %s: %+v", check, name, f)
					}
					if f.Status == Unknown && f.Do == "" {
						t.Errorf("%s does not say what to do: %+v", check, f)
					}
				}
				if !unknown {
					t.Errorf("%s does not say that it is unknown", check)
				}
			}
			r.Accept(Checks()...)
			require.True(t, r.Ready, "what is accepted stands no longer in the way")
		})
	}
}

func gap(s Source) func(*Inputs) {
	return func(in *Inputs) { in.Cluster.Gaps = map[Source]Gap{s: {string(s) + " could not be read", "allow it"}} }
}

func TestNodesThatAreFullGrowWithinKarpentersLimitsAndNotBeyond(t *testing.T) {
	in := given(t, semi)
	for i := range in.Cluster.Nodes {
		in.Cluster.Nodes[i].Used.CPUMilli = 7500 // no room
	}
	r := Assess(in)
	require.Equal(t, Warn, of(t, &r, CheckNodes).Status, "nodes must come first")
	f := of(t, &r, CheckAutoscaler, "cluster")
	require.Equal(t, OK, f.Status)
	require.Contains(t, f.Why, "1 node within the limits of default", "12 pods of half a core on 7.8")

	in.Cluster.Pools[0].CPULimit = 20_000 // 16 in use, a node has 8
	r = Assess(in)
	f = of(t, &r, CheckAutoscaler, "cluster")
	require.Equal(t, Fail, f.Status)
	require.Contains(t, f.Why, "shop/signin 12")
	require.Len(t, r.Patches, 1)
	require.Equal(t, []Setting{{"spec.limits.cpu", "20", "27"}}, r.Patches[0].Set, "24 and a tenth")
	require.Equal(t, `kubectl patch nodepool.karpenter.sh default --type merge -p '{"spec":{"limits":{"cpu":"27"}}}'`, r.Patches[0].Command)

	in.Cluster.Pools[0].NotReady = "NodeClassNotReady"
	r = Assess(in)
	require.Equal(t, Fail, of(t, &r, CheckAutoscaler, "nodepool/default").Status)

	in.Cluster.Pools, in.Cluster.Karpenter = nil, false
	r = Assess(in)
	require.Equal(t, Unknown, of(t, &r, CheckAutoscaler, "cluster").Status, "somebody may add nodes by hand")

	in.Cluster.Groups = []NodeGroup{{Name: "match", Min: 2, Max: 2, Target: 2, Healthy: true}}
	r = Assess(in)
	require.Equal(t, Fail, of(t, &r, CheckAutoscaler, "cluster").Status)
	in.Cluster.Groups[0].Max = 3
	r = Assess(in)
	require.Equal(t, Warn, of(t, &r, CheckAutoscaler, "cluster").Status, "the group's own nodes are not told by a label here, so their size is assumed")
}

func TestPodsGoWhereTheSchedulerWouldPutThem(t *testing.T) {
	w := func(f func(*Workload)) *Workload {
		w := &Workload{Namespace: "n", Name: "w", Pod: Resources{1000, 1 << 30, 1}}
		f(w)
		return w
	}
	c := Cluster{Nodes: []Node{
		{Name: "a", Ready: true, Labels: map[string]string{"zone": "a", "gen": "7"}, Allocatable: Resources{4000, 16 << 30, 10}},
		{Name: "spot", Ready: true, Taints: []Taint{{"spot", "yes", "NoSchedule"}, {"x", "", "PreferNoSchedule"}}, Allocatable: Resources{4000, 16 << 30, 10}},
		{Name: "cordoned", Ready: true, Cordoned: true, Allocatable: Resources{64000, 16 << 30, 10}},
		{Name: "down", Allocatable: Resources{64000, 16 << 30, 10}},
	}}
	for _, tc := range []struct {
		name string
		w    *Workload
		want int64
	}{
		{"anywhere but tainted", w(func(*Workload) {}), 4},
		{"a taint that is tolerated", w(func(w *Workload) { w.Tolerations = []Toleration{{"spot", "Equal", "yes", "NoSchedule"}} }), 8},
		{"a taint of another value", w(func(w *Workload) { w.Tolerations = []Toleration{{"spot", "Equal", "no", ""}} }), 4},
		{"every taint", w(func(w *Workload) { w.Tolerations = []Toleration{{"", "Exists", "", ""}} }), 8},
		{"a node selector", w(func(w *Workload) { w.Selector = map[string]string{"zone": "b"} }), 0},
		{"affinity, one of its terms", w(func(w *Workload) {
			w.Affinity = [][]Requirement{{{"zone", "In", []string{"b"}}}, {{"gen", "Gt", []string{"6"}}, {"zone", "NotIn", []string{"c"}}}}
		}), 4},
		{"affinity that nothing meets", w(func(w *Workload) {
			w.Affinity = [][]Requirement{{{"gen", "DoesNotExist", nil}, {"zone", "Exists", nil}}}
		}), 0},
		{"one a node", w(func(w *Workload) { w.OnePerNode = true }), 1},
		{"one a node, and one is there", w(func(w *Workload) { w.OnePerNode, w.Spread = true, 1 }), 0},
		{"memory", w(func(w *Workload) { w.Pod.Memory = 9 << 30 }), 1},
		{"pods of a node", w(func(w *Workload) { w.Pod = Resources{} }), 10},
	} {
		r := c.pack([]batch{{tc.w, 100}}, false)
		require.Equal(t, tc.want, r.onNodes, tc.name)
		require.Equal(t, 100-tc.want, r.left(), tc.name)
	}
}

// Nodes that are opened for one workload take another's pods, though that has one
// on each of the nodes that are there.
func TestNewNodesHaveNoPodYet(t *testing.T) {
	full := Node{Name: "full", Ready: true, Allocatable: Resources{4000, 16 << 30, 10}, Used: Resources{4000, 0, 4}, Capacity: Resources{4000, 16 << 30, 10}}
	c := Cluster{Nodes: []Node{full, full, full}, Pools: []NodePool{{Name: "default", CPULimit: -1, MemoryLimit: -1, NodesLimit: -1}}}
	large := &Workload{Namespace: "n", Name: "large", Pod: Resources{3000, 1 << 30, 1}, OnePerNode: true, Spread: 3}
	small := &Workload{Namespace: "n", Name: "small", Pod: Resources{1000, 1 << 30, 1}, OnePerNode: true, Spread: 3}
	r := c.pack([]batch{{large, 4}, {small, 4}}, false)
	require.Equal(t, int64(8), r.onNew)
	require.Equal(t, int64(4), r.nodes())
}

func TestAPoolOffersWhatItsRequirementsLeave(t *testing.T) {
	p := NodePool{Name: "arm", Labels: map[string]string{"team": "shop"}, Taints: []Taint{{"arm", "", "NoSchedule"}}, Requirements: []Requirement{
		{"kubernetes.io/arch", "In", []string{"arm64"}}, {"karpenter.k8s.aws/instance-category", "NotIn", []string{"t"}}, {"custom", "Exists", nil}}}
	for _, tc := range []struct {
		key, op string
		values  []string
		want    bool
	}{
		{"team", "In", []string{"shop"}, true}, {"team", "In", []string{"video"}, false}, {"karpenter.sh/nodepool", "In", []string{"arm"}, true},
		{"karpenter.sh/nodepool", "In", []string{"default"}, false}, {"kubernetes.io/arch", "In", []string{"amd64", "arm64"}, true},
		{"kubernetes.io/arch", "In", []string{"amd64"}, false}, {"karpenter.k8s.aws/instance-category", "In", []string{"t"}, false},
		{"karpenter.k8s.aws/instance-category", "In", []string{"t", "m"}, true}, {"karpenter.k8s.aws/instance-family", "In", []string{"m7i"}, true},
		{"custom", "In", []string{"x"}, true}, {"unheard/of", "In", []string{"x"}, false}, {"unheard/of", "DoesNotExist", nil, true},
	} {
		w := Workload{Tolerations: []Toleration{{"arm", "Exists", "", ""}}, Affinity: [][]Requirement{{{tc.key, tc.op, tc.values}}}}
		require.Equal(t, tc.want, p.offers(&w), "%s %s %v", tc.key, tc.op, tc.values)
		w.Tolerations = nil
		require.False(t, p.offers(&w), "its taint")
	}
}

func TestFiveThousandPodsOnAThousandNodesArePackedAtOnce(t *testing.T) {
	in := given(t, semi)
	for i := range 1000 {
		n := in.Cluster.Nodes[0]
		n.Name = fmt.Sprintf("n%d", i)
		in.Cluster.Nodes = append(in.Cluster.Nodes, n)
	}
	in.Cluster.Pools[0].CPULimit = -1
	var batches []batch
	for i := range 400 {
		batches = append(batches, batch{&Workload{Namespace: "n", Name: fmt.Sprint(i), Pod: Resources{3000, 4 << 30, 1}}, 50})
	}
	r := in.Cluster.pack(batches, false)
	require.Equal(t, int64(20_000), r.asked)
	require.Equal(t, int64(2004), r.onNodes, "two of three cores fit into 6.8")
	require.Equal(t, int64(8998), r.nodes(), "two on each new node")
	require.Zero(t, r.left())
}

func TestAddressesAreForPodsAndForWhatNewNodesHold(t *testing.T) {
	in := given(t, semi)
	in.Cluster.Subnets = []Subnet{{ID: "subnet-a", Free: 5}, {ID: "subnet-b", Free: 5}}
	r := Assess(in)
	require.Equal(t, Fail, of(t, &r, CheckAddresses).Status, "12 pods, 10 addresses")
	in.Cluster.Subnets = []Subnet{{ID: "subnet-a", Free: 3}, {ID: "subnet-b", Free: 500}}
	r = Assess(in)
	f := of(t, &r, CheckAddresses)
	require.Equal(t, Warn, f.Status)
	require.Contains(t, f.Why, "subnet-a")
	in.Cluster.CNI.IPv6 = true
	r = Assess(in)
	require.Equal(t, OK, of(t, &r, CheckAddresses).Status)
}

func TestATableThatWouldOverflowFailsAndOneThatLosesFailsNow(t *testing.T) {
	in := given(t, semi)
	in.Metrics.Tables[1] = Table{Node: "node-1", Used: 60_000, Limit: 262_144}
	r := Assess(in)
	f := of(t, &r, CheckConntrack)
	require.Equal(t, Fail, f.Status)
	require.Equal(t, 480_000.0, f.Number.Value, "eight times as many on as many nodes")
	require.Contains(t, f.Do, "nf_conntrack_max to 1048576")
	in.Metrics.Tables[1].Used = 25_000
	r = Assess(in)
	require.Equal(t, Warn, of(t, &r, CheckConntrack).Status, "three quarters")
	in.Metrics.Tables[0].Dropped = 3
	r = Assess(in)
	require.Contains(t, of(t, &r, CheckConntrack).Why, "loses 3 connections a second")

	in.Metrics.ENA[0].Left = ptr(1000.0)
	r = Assess(in)
	require.Equal(t, Fail, of(t, &r, CheckENA).Status)
	in.Metrics.ENA = append(in.Metrics.ENA, Allowance{Node: "node-1", Interface: "eth0", Name: "pps", Exceeded: 12})
	r = Assess(in)
	require.Contains(t, of(t, &r, CheckENA).Why, "its pps allowance refuses 12 packets a second")
}

func TestAutoscalersPodsBudgetsAndQuotasAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Inputs)
		check  Check
		want   Status
	}{
		"no metric":       {func(in *Inputs) { in.Cluster.Workloads[0].HPA.Trouble = []string{"FailedGetResourceMetric: none"} }, CheckHPAHealth, Fail},
		"no scaling up":   {func(in *Inputs) { in.Cluster.Workloads[0].HPA.NoUp = true }, CheckHPAHealth, Fail},
		"at its maximum":  {func(in *Inputs) { h := in.Cluster.Workloads[0].HPA; h.Limited, h.Current = true, h.Max }, CheckHPAHealth, Warn},
		"waits long":      {func(in *Inputs) { w := &in.Cluster.Workloads[0]; w.NoRoom, w.Pending, w.OldestWait = 1, 1, time.Hour }, CheckPods, Fail},
		"waits":           {func(in *Inputs) { w := &in.Cluster.Workloads[0]; w.Pending, w.OldestWait = 1, time.Minute }, CheckPods, Warn},
		"not ready":       {func(in *Inputs) { in.Cluster.Workloads[0].Ready = 3 }, CheckPods, Warn},
		"on one node":     {func(in *Inputs) { in.Cluster.Workloads[0].Spread = 1 }, CheckPods, Warn},
		"no budget":       {func(in *Inputs) { in.Cluster.Budgets = nil }, CheckPDB, Warn},
		"budget blocks":   {func(in *Inputs) { in.Cluster.Budgets[0].Allowed = 0 }, CheckPDB, Warn},
		"two budgets":     {func(in *Inputs) { in.Cluster.Budgets = append(in.Cluster.Budgets, in.Cluster.Budgets[0]) }, CheckPDB, Warn},
		"quota":           {func(in *Inputs) { in.Cluster.Quotas = []Quota{{"shop", "q", 5000, -1, -1}} }, CheckQuota, Fail},
		"quota with room": {func(in *Inputs) { in.Cluster.Quotas = []Quota{{"shop", "q", 6000, -1, 12}} }, CheckQuota, OK},
		"no scaler, enough": {func(in *Inputs) {
			in.Cluster.Workloads[0].HPA = nil
			in.Cluster.Workloads[0].Replicas = 20
			in.Cluster.Workloads[0].Ready = 20
			in.Expected = []Expectation{{Service: "signin", PerReplica: 50}}
		}, CheckReplicas, OK},
		"no scaler, few": {func(in *Inputs) {
			in.Cluster.Workloads[0].HPA = nil
			in.Expected = []Expectation{{Service: "signin", PerReplica: 50}}
		}, CheckReplicas, Fail},
		"dns away":      {func(in *Inputs) { in.Cluster.DNS.Ready = 0 }, CheckCoreDNS, Fail},
		"dns slow":      {func(in *Inputs) { in.Metrics.DNSP99 = ptr(0.4) }, CheckDNSLatency, Warn},
		"dns dead":      {func(in *Inputs) { in.Metrics.DNSP99 = ptr(2.0) }, CheckDNSLatency, Fail},
		"many services": {func(in *Inputs) { in.Cluster.Services = 1500 }, CheckRules, Warn},
		"nftables":      {func(in *Inputs) { in.Cluster.Services, in.Cluster.ProxyMode = 9000, "nftables" }, CheckRules, OK},
	} {
		t.Run(name, func(t *testing.T) {
			in := given(t, semi)
			c.change(&in)
			r := Assess(in)
			require.Equal(t, c.want, of(t, &r, c.check).Status, "%+v", r.Findings)
		})
	}
}

func TestCoreDNSGrowsWithNodesThatAreToCome(t *testing.T) {
	in := given(t, semi)
	for i := range 47 {
		n := in.Cluster.Nodes[0]
		n.Name = fmt.Sprint(i)
		in.Cluster.Nodes = append(in.Cluster.Nodes, n)
	}
	in.Metrics.Tables = nil
	r := Assess(in)
	f := of(t, &r, CheckCoreDNS)
	require.Equal(t, Warn, f.Status)
	require.Equal(t, 4.0, f.Number.Value, "49 nodes, one for each 16")
	require.Equal(t, "kubectl -n kube-system patch deployment coredns --type merge -p '{\"spec\":{\"replicas\":4}}'", r.Patches[0].Command)
	in.Cluster.DNS.Autoscaler = "Deployment coredns-autoscaler"
	r = Assess(in)
	require.Empty(t, r.Patches, "its own autoscaler would set it back")
}

func TestServicesAreFoundByNameAndWhatIsAmbiguousIsUnknown(t *testing.T) {
	in := given(t, semi)
	twin := in.Cluster.Workloads[0]
	twin.Name = "signin-canary"
	in.Cluster.Workloads = append(in.Cluster.Workloads, twin)
	r := Assess(in)
	require.Empty(t, r.Services)
	require.Contains(t, of(t, &r, CheckDemand, "shop/signin").Why, "shop/signin, shop/signin-canary")
	in.Expected = []Expectation{{Service: "signin", Workload: "shop/signin", Line: 3}}
	r = Assess(in)
	require.Equal(t, "signin", r.Services[0].Workload)

	in = given(t, strings.Replace(semi, "[signin]", "[signin, singin]", 1))
	r = Assess(in)
	require.Contains(t, of(t, &r, CheckDemand, "singin").Why, "no workload has such a name")
	require.Equal(t, Unknown, r.Status, "a typing error must not leave a service out in silence")

	in = given(t, semi)
	in.Expected = []Expectation{{Service: "signin", Workload: "shop/gone", Line: 3}, {Service: "other", Line: 4}}
	r = Assess(in)
	require.Contains(t, of(t, &r, CheckDemand, "signin").Why, "no Deployment or StatefulSet shop/gone")
	require.Contains(t, of(t, &r, CheckDemand, "other").Why, "the event's services leave out")
}

func TestAServiceThatIsMeasuredAndNowhereIsUnknown(t *testing.T) {
	in := given(t, strings.Replace(semi, "    services: [signin]\n", "", 1))
	in.Metrics.Rates["gate"] = Rate{Now: ptr(70.0), Metric: "m"}
	in.Metrics.Rates["quiet"] = Rate{Now: ptr(0.1), Metric: "m"}
	in.Metrics.Rates["elsewhere"] = Rate{Now: ptr(70.0), Metric: "m"}
	in.Cluster.Elsewhere = map[string]bool{"elsewhere": true}
	r := Assess(in)
	require.Equal(t, Unknown, r.Status)
	require.Contains(t, of(t, &r, CheckDemand, "gate").Why, "no Deployment or StatefulSet has its name")
	require.Equal(t, 1, r.Counts.Unknown)
	in.Expected = []Expectation{{Service: "gate", Workload: "shop/signin", Line: 2}}
	r = Assess(in)
	require.Equal(t, "gate", r.Services[0].Service)
}

func TestBadEntriesOfTheCalendarAreTold(t *testing.T) {
	in := given(t, semi+"    kick_of: yes\n  - name: Backwards\n")
	r := Assess(in)
	var told []string
	for _, f := range r.Findings {
		if f.Check == CheckCalendar && f.Status == Warn {
			told = append(told, f.Why)
		}
	}
	require.Len(t, told, 2)
	require.Contains(t, told[0], "kick_of: unknown key")

	in.At = in.Event.FullTime.Add(24 * time.Hour)
	r = Assess(in)
	require.Equal(t, Unknown, of(t, &r, CheckCalendar, "Semi-final").Status, "it is over")
	in.At = in.Event.KickOff.Add(-10 * time.Minute)
	r = Assess(in)
	require.Contains(t, of(t, &r, CheckCalendar, "Semi-final").Do, "at once")
	require.Equal(t, Unknown, ptr(Assess(Inputs{})).Status, "no event")
}

func TestTheJSONIsOfFieldsThatAPageMayReadBlindly(t *testing.T) {
	in := given(t, semi)
	in.Cluster.Workloads[0].HPA.Max = 10
	raw, err := json.Marshal(Assess(in))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(raw, &got))
	for _, key := range []string{"format", "at", "status", "ready", "event", "findings", "services", "patches", "counts", "hidden"} {
		require.Contains(t, got, key)
	}
	f := got["findings"].([]any)[0].(map[string]any)
	for _, key := range []string{"check", "status", "subject", "number", "limit", "why", "do"} {
		require.Contains(t, f, key)
	}
	s := got["services"].([]any)[0].(map[string]any)
	for _, key := range []string{"service", "namespace", "kind", "workload", "now", "usual", "peak", "per_replica", "replicas", "needed", "min", "max", "status"} {
		require.Contains(t, s, key)
	}
	require.Equal(t, "fail", s["status"])
	raw, err = json.Marshal(Assess(Inputs{}))
	require.NoError(t, err)
	require.Contains(t, string(raw), `"services":[],"patches":[]`, "lists are never null")
}

func TestPatchesAreObjectsWithNothingButWhatChangesAndCanBeUndone(t *testing.T) {
	in := given(t, semi)
	in.Cluster.Workloads[0].HPA.Min, in.Cluster.Workloads[0].HPA.Max = 2, 10
	in.Cluster.Pools[0].CPULimit = 16_000
	for i := range in.Cluster.Nodes {
		in.Cluster.Nodes[i].Used.CPUMilli = 7500
	}
	r := Assess(in)
	var do, undo strings.Builder
	require.NoError(t, r.WritePatches(&do, false))
	require.NoError(t, r.WritePatches(&undo, true))
	require.Contains(t, do.String(), "# spec.minReplicas: 2 → 16\n")
	require.Contains(t, do.String(), "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n    name: signin\n    namespace: shop\nspec:\n    maxReplicas: 20\n    minReplicas: 16\n")
	require.Contains(t, do.String(), "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata:\n    name: default\nspec:\n    limits:\n        cpu: \"27\"\n")
	require.Contains(t, undo.String(), "spec:\n    maxReplicas: 10\n    minReplicas: 2\n")
	require.Contains(t, undo.String(), "# spec.minReplicas: 16 → 2\n")
	require.Contains(t, do.String(), "Apply it before 2026-07-14T19:30:00+02:00.")
}

func TestAnEventsNameStaysInItsComment(t *testing.T) {
	in := given(t, strings.Replace(semi, "Semi-final", `"x\r\n---\u2028kind: Secret\n"`, 1))
	in.Cluster.Workloads[0].HPA.Max = 10
	r := Assess(in)
	var text strings.Builder
	require.NoError(t, r.WritePatches(&text, false))
	require.Contains(t, text.String(), "# Prescaling for x --- kind: Secret (kick-off")
}

func TestANeedThatNobodyMeansIsAQuestionOfUnits(t *testing.T) {
	in := given(t, semi)
	in.Expected = []Expectation{{Service: "signin", Peak: 1e300, PerReplica: 1, Line: 2}}
	r := Assess(in)
	require.Contains(t, of(t, &r, CheckDemand).Why, "which nobody means")
	require.Nil(t, r.Services[0].Needed)
}

func TestExpectationsTellEverythingThatIsWrong(t *testing.T) {
	good, err := ParseExpectations([]byte("services:\n  - {service: a, peak: 10, per_replica: 2.5}\n  - {service: b, workload: n/b, requests_per_viewer: 0.01}\n"))
	require.NoError(t, err)
	require.Equal(t, []Expectation{{Service: "a", Peak: 10, PerReplica: 2.5, Line: 2}, {Service: "b", Workload: "n/b", RequestsPerViewer: 0.01, Line: 3}}, good)
	_, err = ParseExpectations([]byte(`services:
  - {service: a, peak: -1}
  - {service: b, pek: 3}
  - {peak: 1}
  - {service: c, workload: c}
  - {service: d, peak: 1, requests_per_viewer: 1}
  - {service: e, peak: .nan}
  - {service: f}
  - {service: f}
`))
	for _, want := range []string{"line 2: peak must be above 0", "line 3: ", "pek", "line 4: service is required", "line 5: workload must be namespace/name", "line 6: peak and requests_per_viewer", "line 7: peak", "line 9: service \"f\" is on line 8 already"} {
		require.ErrorContains(t, err, want)
	}
	_, err = ParseExpectations([]byte("service: [x]"))
	require.Error(t, err)
	none, err := ParseExpectations(nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestTheDocumentNamesEveryCheckAndEveryRight(t *testing.T) {
	raw, err := os.ReadFile("../../docs/ready.md")
	require.NoError(t, err)
	doc := string(raw)
	for _, c := range Checks() {
		require.Contains(t, doc, "\n| `"+string(c)+"` |")
	}
	_, rights, _ := strings.Cut(doc, "## Rights")
	for _, r := range Rights() {
		group := "| " + r.Group
		if r.Group == "" {
			group = "| core"
		}
		found := false
		for line := range strings.Lines(rights) {
			row := strings.HasPrefix(line, group) && strings.Contains(line, r.Resource) && strings.HasSuffix(strings.TrimSpace(line), "| "+strings.Join(r.Verbs, ", ")+" |")
			for _, name := range r.Names {
				row = row && strings.Contains(line, "`"+name+"`")
			}
			found = found || row
		}
		require.True(t, found, "no row of %s %s", r.Group, r.Resource)
	}
	for _, a := range Actions() {
		require.Contains(t, rights, "`"+a+"`")
	}
}

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	for want, got := range map[string]string{
		"1,234,567": short(1234567), "0.0042": short(0.0042), "12.5": short(12.5), "12": short(12), "-1,000": short(-1000),
		"640/s": number(640, "{request}/s", Measured, "x").String(), "1 replica": number(1, "{replica}", Read, "x").String(),
		"4 ms": number(0.004, "s", Measured, "x").String(), "2.5 cores": number(2.5, "{core}", Read, "x").String(), "unknown": (*Number)(nil).String(),
		"1.5 GiB": size(1.5 * (1 << 30)), "1,001 MiB": size(1000.7 * (1 << 20)), "80 MiB": size(80 << 20), "16 addresses": number(16, "{address}", Read, "x").String(), "3 entries": number(3, "{entry}", Read, "x").String(),
	} {
		require.Equal(t, want, got)
	}
}
