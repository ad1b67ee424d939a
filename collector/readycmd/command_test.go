package readycmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/ready"
	"github.com/vigie-otel/vigie/internal/ready/apitest"
)

const cluster = `
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {kubernetes.io/hostname: n1}}
spec: {podCIDR: 10.244.0.0/24}
status:
  capacity: {cpu: "8", memory: 32Gi, pods: "110"}
  allocatable: {cpu: "8", memory: 31Gi, pods: "110"}
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: shop, name: signin}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: signin}}
    spec: {containers: [{name: app, resources: {requests: {cpu: 250m, memory: 256Mi}}}]}
status: {readyReplicas: 2}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {namespace: shop, name: signin}
spec:
  minReplicas: 2
  maxReplicas: %d
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: signin}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
status:
  currentReplicas: 2
  desiredReplicas: 2
  currentMetrics: [{type: Resource, resource: {name: cpu, current: {averageUtilization: 60}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {namespace: shop, name: signin}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: signin}}}
status: {disruptionsAllowed: 1, desiredHealthy: 1, currentHealthy: 2, expectedPods: 2}
---
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: kube-system, name: coredns, labels: {k8s-app: kube-dns}}
spec: {replicas: 2, template: {metadata: {labels: {k8s-app: kube-dns}}, spec: {containers: [{name: coredns}]}}}
status: {readyReplicas: 2}
`

const semi = "events:\n  - {name: Semi-final, kick_off: 2026-07-14T21:00:00+02:00, services: [signin], expected_audience: 2400000, usual_audience: 300000}\n"

// run runs the command on a cluster whose autoscaler stops at most.
func run(t *testing.T, s *apitest.Server, calendar string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Setenv("VIGIE_CALENDAR", "")
	t.Setenv("VIGIE_METRICS_URL", "")
	cmd := newCommand(&options{version: "test", now: func() time.Time { return time.Date(2026, 7, 14, 14, 0, 0, 0, time.UTC) }})
	o := []string{"--kubeconfig", s.Kubeconfig(t), "--no-aws"}
	if calendar != "" {
		o = append(o, "--calendar", file(t, "calendar.yaml", calendar))
	}
	cmd.SetArgs(append(o, args...))
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func api(t *testing.T, most int) *apitest.Server {
	t.Helper()
	s := apitest.New(t)
	s.Put(t, apitest.YAML(t, fmt.Sprintf(cluster, most))...)
	return s
}

// prometheus answers what Vigie's store would of a service with 100 requests a
// second, and of one node.
func prometheus(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		expr, rows := r.URL.Query().Get("query"), ""
		value := func(labels, v string) { rows = fmt.Sprintf(`{"metric":{%s},"value":[1,%q]}`, labels, v) }
		switch {
		case strings.HasSuffix(r.URL.Path, "query_range"), strings.HasSuffix(expr, "]") && !strings.Contains(expr, "("):
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
			return
		case strings.Contains(expr, "vigie_traffic_requests"):
			value(`"service_name":"signin"`, "100")
		case strings.Contains(expr, "conntrack_usage"):
			value(`"instance":"n1"`, "5000")
		case strings.Contains(expr, "conntrack_limit"):
			value(`"instance":"n1"`, "262144")
		case strings.Contains(expr, "coredns"):
			value("", "0.004")
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, rows)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func code(err error) int {
	if e, ok := errors.AsType[*notReady](err); ok {
		return e.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func TestTheExitCodeSaysReadyNotReadyOrThatItCouldNotTell(t *testing.T) {
	m := prometheus(t)
	out, _, err := run(t, api(t, 40), semi, "--metrics", m, "--accept", "ena")
	require.NoError(t, err, out)
	require.Contains(t, out, "ready, with warnings: ")
	require.Contains(t, out, "(accepted)")

	out, _, err = run(t, api(t, 10), semi, "--metrics", m, "--accept", "ena")
	require.Equal(t, 1, code(err))
	require.ErrorContains(t, err, "not ready for Semi-final")
	require.Contains(t, out, "16 are needed, and it stops at 10")
	require.Contains(t, out, "kubectl -n shop patch horizontalpodautoscaler signin --type merge -p '{\"spec\":{\"maxReplicas\":20,\"minReplicas\":16}}'")

	out, _, err = run(t, api(t, 40), semi, "--metrics", m)
	require.Equal(t, 2, code(err), "ENA is unknown and not accepted")
	require.Contains(t, out, "cannot tell: ")

	out, _, err = run(t, api(t, 40), semi, "--metrics", "http://127.0.0.1:1")
	require.Equal(t, 2, code(err))
	require.Contains(t, out, "metrics could not be read")
}

func TestEveryNumberComesWithItsSource(t *testing.T) {
	out, _, err := run(t, api(t, 10), semi, "--metrics", prometheus(t))
	require.Equal(t, 1, code(err))
	for _, want := range []string{
		"shop/signin  100/s  800/s       50/s      2      16    2   10",
		"peak: measured, highest 5 min at the event's hour on 2026-07-07, vigie.traffic.requests × 8 by the calendar: 2,400,000 expected over 300,000 usual",
		"a replica: measured over 15 min at 14:00 UTC: 100/s on 2 replicas at 100 % of the target (cpu, 60 % of the request)",
		"limit 10 replicas: read, maxReplicas of HorizontalPodAutoscaler shop/signin",
		"to apply before 2026-07-14 19:30",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "\x1b", "no colours but on a terminal")
}

func TestACapacityThatIsGivenGoesBeforeWhatIsMeasured(t *testing.T) {
	expect := file(t, "capacity.yaml", "services: [{service: signin, peak: 3000, per_replica: 100}]")
	out, _, err := run(t, api(t, 40), semi, "--metrics", prometheus(t), "--accept", "ena", "--per-replica", expect)
	require.NoError(t, err)
	require.Contains(t, out, "3,000/s      100/s      2      30")
	require.Contains(t, out, "given in the expectations, line 1")
}

func TestTheJSONIsTheResult(t *testing.T) {
	out, _, err := run(t, api(t, 10), semi, "--metrics", prometheus(t), "-o", "json")
	require.Equal(t, 1, code(err))
	var r ready.Result
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, 1, r.Format)
	require.False(t, r.Ready)
	require.Equal(t, ready.Fail, r.Status)
	require.Equal(t, 16.0, r.Services[0].Needed.Value)
	require.Len(t, r.Patches, 1)
}

func TestAPatchComesWithItsUndoWhichIsNeverOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "final.yaml")
	s := api(t, 10)
	_, stderr, err := run(t, s, semi, "--metrics", prometheus(t), "--patch", path)
	require.Equal(t, 1, code(err))
	require.Contains(t, stderr, "final.undo.yaml to undo them")
	do, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(do), "minReplicas: 16")
	undo, err := os.ReadFile(strings.Replace(path, ".yaml", ".undo.yaml", 1))
	require.NoError(t, err)
	require.Contains(t, string(undo), "minReplicas: 2")

	_, _, err = run(t, s, semi, "--metrics", prometheus(t), "--patch", path)
	require.Equal(t, 2, code(err))
	require.ErrorContains(t, err, "final.undo.yaml is there already")
	for _, r := range s.Requests() {
		require.Equal(t, "GET", r.Method, "nothing is applied")
	}
}

func TestWhatIsMissingStopsNothingAndIsUnknown(t *testing.T) {
	s := api(t, 40)
	for path := range s.Lists {
		s.Refused[path] = http.StatusForbidden
	}
	out, _, err := run(t, s, semi, "--metrics", prometheus(t))
	require.Equal(t, 2, code(err))
	require.Contains(t, out, "allow list on deployments.apps in a ClusterRole (vigie-ready has it)")

	s = apitest.New(t)
	kubeconfig := s.Kubeconfig(t)
	text, err := os.ReadFile(kubeconfig)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(kubeconfig, bytes.ReplaceAll(text, []byte(s.URL), []byte("http://127.0.0.1:1")), 0o600))
	out, _, err = run(t, s, semi, "--metrics", prometheus(t), "--kubeconfig", kubeconfig)
	require.Equal(t, 2, code(err))
	require.Contains(t, out, "the cluster could not be read")
	require.NotContains(t, out, "unknown   hpa", "once is enough where there is nothing to judge")
}

func TestBadInputNamesTheThingAndTheWayOut(t *testing.T) {
	s := api(t, 40)
	for _, tc := range []struct {
		calendar string
		args     []string
		want     string
	}{
		{"", nil, "--calendar is required"},
		{"events: [", nil, "calendar.yaml"},
		{"events: [{name: Past, kick_off: 2026-07-01T21:00:00+02:00}, {name: Bad}]", nil, `event "Bad": kick_off is required`},
		{semi, []string{"--event", "Final"}, `no event "Final"`},
		{semi, []string{"--output", "xml"}, "--output must be text or json"},
		{semi, []string{"--accept", "everything"}, "it takes calendar, metrics, demand"},
		{semi, []string{"--timeout", "0s"}, "--timeout must be 1s or more"},
		{semi, []string{"--per-replica", "/does/not/exist"}, "/does/not/exist"},
		{semi, []string{"--nonsense"}, "nonsense"},
	} {
		_, _, err := run(t, s, tc.calendar, tc.args...)
		require.ErrorContains(t, err, tc.want)
		require.Equal(t, 2, code(err), tc.want)
	}
	require.Empty(t, s.Requests())

	out, _, err := run(t, s, semi+"  - {name: Odd}\n", "--metrics", prometheus(t), "--accept", "ena")
	require.NoError(t, err, "a bad entry beside a good one is a warning")
	require.Contains(t, out, `event "Odd": kick_off is required`)
}

func TestTheDocumentNamesEveryFlag(t *testing.T) {
	raw, err := os.ReadFile("../../docs/ready.md")
	require.NoError(t, err)
	_, flags, _ := strings.Cut(string(raw), "## Flags")
	names := regexp.MustCompile(`--[a-z-]+`).FindAllString(New("test").Flags().FlagUsages(), -1)
	require.Greater(t, len(names), 10)
	for _, name := range names {
		require.Contains(t, flags, "`"+name+"`")
	}
}
