// Package match runs the rules over the telemetry of a match: the same one that
// the dashboards are proven on (dashboards/proof), in the embedded store. It holds
// a test and nothing else, in a package of its own because it links the
// components.
package match

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards/proof"
	"github.com/vigie-otel/vigie/dashboards/rules"
)

const interval = 30 * time.Second

// The match: a crowd from the third minute on, a flood from the eighth.
const flood = 7 * time.Minute

// absentThere are metrics that the match has no series of (or none of the value
// that is selected), each with the reason.
var absentThere = map[string]string{
	`vigie_attack_findings{vigie_attack_class="retry_storm"}`:                                              "nobody retries",
	`kube_horizontalpodautoscaler_status_condition{condition=~"ScalingActive|AbleToScale",status="false"}`: "the page shows the conditions that hold, and all can scale",
	`otelcol_exporter_enqueue_failed_metric_points_total`:                                                  "from the first failure on; no queue is full",
	`otelcol_exporter_enqueue_failed_log_records_total`:                                                    "from the first failure on; no queue is full",
	`otelcol_exporter_enqueue_failed_spans_total`:                                                          "from the first failure on; no queue is full",
	`otelcol_conntrack_findings_dropped_total`:                                                             "from the first loss on; none is lost",
	`vigie_series_guard_points_cut_total`:                                                                  "no series guard in the match",
	`vigie_cloudwatch_events_dropped_total{vigie_cloudwatch_reason="budget"}`:                              "no CloudWatch in the match",
	`vigie_cloudwatch_points_dropped_total{vigie_cloudwatch_reason="budget"}`:                              "no CloudWatch in the match",
}

// One match is enough for all that is asked of it.
func TestTheRulesOverAMatch(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a whole match, which takes some 20 s; the full run has it")
	}
	p := proof.Run(t)
	evaluated := record(t, p)
	t.Run("every rule finds its series", func(t *testing.T) { inputs(t, p) })
	t.Run("what fires", func(t *testing.T) { fires(t, p) })
	fmt.Printf("evaluated %d recording rules and %d alerts over a match\n", evaluated, len(rules.Alerts()))
}

// record evaluates the recording rules, in order, and writes what they record
// into the store.
func record(t *testing.T, p *proof.Proof) (n int) {
	for _, f := range rules.Files() {
		for _, g := range f.Groups {
			for _, r := range g.Records {
				var series []prompb.TimeSeries
				for _, s := range over(t, p, r.Expr) {
					ts := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: r.Name}}}
					s.Metric.Range(func(l labels.Label) {
						if l.Name != "__name__" {
							ts.Labels = append(ts.Labels, prompb.Label{Name: l.Name, Value: l.Value})
						}
					})
					for k, v := range r.Labels {
						ts.Labels = append(ts.Labels, prompb.Label{Name: k, Value: v})
					}
					slices.SortFunc(ts.Labels, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
					for _, v := range s.Floats {
						ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: v.T, Value: v.F})
					}
					series = append(series, ts)
				}
				require.NotEmpty(t, series, "%s %v records nothing", r.Name, r.Labels)
				write(t, p.Store.Handler(), series)
				n++
			}
		}
	}
	return n
}

func over(t *testing.T, p *proof.Proof, expr string) promql.Matrix {
	t.Helper()
	res, err := p.Store.QueryRange(t.Context(), expr, p.Start, p.End, interval)
	require.NoError(t, err, expr)
	require.Empty(t, res.Warnings, expr)
	m, err := res.Matrix()
	require.NoError(t, err, expr)
	return m
}

func write(t *testing.T, h http.Handler, series []prompb.TimeSeries) {
	t.Helper()
	raw, err := (&prompb.WriteRequest{Timeseries: series}).Marshal()
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/write", bytes.NewReader(snappy.Encode(nil, raw)))
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Less(t, w.Code, 300, w.Body.String())
}

// inputs asks for each series that a rule selects. An alert that reads what
// nobody sends is silent for ever, and no test of its arithmetic would show it.
func inputs(t *testing.T, p *proof.Proof) {
	asked := map[string]bool{}
	for _, a := range rules.Alerts() {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(a.Expr)
		require.NoError(t, err)
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			sel, ok := n.(*parser.VectorSelector)
			if !ok || asked[sel.String()] {
				return nil
			}
			asked[sel.String()] = true
			found := len(over(t, p, sel.String())) > 0
			reason := absentThere[sel.String()]
			switch {
			case !found && reason == "":
				t.Errorf("%s: nothing of %s in a whole match", a.Name, sel)
			case found && reason != "":
				t.Errorf("%s: %s is there, and is said to be absent: %s", a.Name, sel, reason)
			}
			return nil
		})
	}
	fmt.Printf("asked for %d series that alerts select, %d of them absent for a reason\n", len(asked), len(absentThere))
}

// fires holds the story: the crowd of the kick-off is no attack and burns no
// budget; the flood is told within a minute, and before any
// symptom of it, so that Alertmanager has what it inhibits them by.
func fires(t *testing.T, p *proof.Proof) {
	first := map[string]time.Duration{}
	for _, a := range rules.Alerts() {
		for _, s := range over(t, p, a.Expr) {
			at, ok := firing(s.Floats, a.For)
			if !ok {
				continue
			}
			since := at.Sub(p.Start)
			if old, ok := first[a.Name]; !ok || since < old {
				first[a.Name] = since
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(first)) {
		t.Logf("%-22s fires at %s", name, first[name])
	}
	require.Contains(t, first, "AttackOpen", "a flood of minutes must be told")
	require.Greater(t, first["AttackOpen"], flood, "a crowd is no attack")
	require.LessOrEqual(t, first["AttackOpen"], flood+time.Minute)
	for _, a := range rules.Alerts() {
		at, ok := first[a.Name]
		if !ok {
			continue
		}
		if a.Kind == rules.KindAttack {
			require.Greater(t, at, flood, "%s at a kick-off", a.Name)
		}
		if strings.Contains(a.Expr, "cluster_service:") {
			require.GreaterOrEqual(t, at, first["AttackOpen"], "%s before the attack that inhibits it", a.Name)
		}
	}
}

// firing is when an alert that held at these evaluations began to fire.
func firing(held []promql.FPoint, wait time.Duration) (time.Time, bool) {
	since := 0
	for i, v := range held {
		if i > 0 && v.T-held[i-1].T > interval.Milliseconds() {
			since = i
		}
		if time.Duration(v.T-held[since].T)*time.Millisecond >= wait {
			return time.UnixMilli(v.T), true
		}
	}
	return time.Time{}, false
}
