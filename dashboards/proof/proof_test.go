package proof

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/dashboards"
	"github.com/vigie-otel/vigie/dashboards/lint"
	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/dashboards/panel"
)

// One event is enough for all that is asked of it.
func TestProof(t *testing.T) {
	if testing.Short() {
		t.Skip("plays ten minutes of an event: not with -short")
	}
	p := Run(t)
	t.Run("every query of every panel has an answer", func(t *testing.T) { answers(t, p) })
	t.Run("a query that has none is found", func(t *testing.T) { misses(t, p) })
	t.Run("every variable has values", func(t *testing.T) { variables(t, p) })
	t.Run("the catalogue is what components emit", func(t *testing.T) { catalogue(t, p) })
	t.Run("every rule has what it reads", func(t *testing.T) { ruled(t, p) })
	t.Run("pictures", func(t *testing.T) { pictures(t, p) })
}

// outcome is what became of a query: a problem, or that it has no answer in good
// order.
type outcome struct {
	problem string
	absent  bool
}

func ask(ctx context.Context, p *Proof, q panel.Query) outcome {
	r, err := p.Ask(ctx, q.Expr, q.Instant)
	switch {
	case err != nil:
		return outcome{problem: err.Error()}
	case len(r.Warnings) > 0:
		return outcome{problem: fmt.Sprint(r.Warnings.AsErrors())}
	case Values(r) > 0:
		return outcome{}
	case q.Conditional == "":
		return outcome{problem: "no answer, and no reason for that"}
	}
	return outcome{absent: true}
}

func answers(t *testing.T, p *Proof) {
	queries, panels, conditional, absent := 0, 0, 0, 0
	check := func(where string, q panel.Query) {
		queries++
		if q.Conditional != "" {
			conditional++
		}
		o := ask(t.Context(), p, q)
		if o.problem != "" {
			t.Errorf("%s: %s\n\t%s", where, o.problem, q.Expr)
		}
		if o.absent {
			absent++
			t.Logf("%s: no answer here, %s", where, q.Conditional)
		}
	}
	all := dashboards.All()
	for _, d := range all {
		for _, a := range d.Annotations {
			check(d.UID+", annotation "+a.Name, panel.Query{Expr: a.Expr, Conditional: a.Conditional})
		}
		for _, row := range d.Rows {
			for _, q := range row.Panels {
				for i, question := range q.Queries {
					if question.Cloud != nil {
						continue
					}
					question.Instant = question.Instant || q.Kind == panel.Table
					check(d.UID+", "+q.Title, question)
					if i == 0 {
						panels++
					}
				}
			}
		}
	}
	require.Greater(t, queries, 200)
	fmt.Printf("executed %d queries of %d panels in %d dashboards, %d conditional (%d of them without an answer here)\n", queries, panels, len(all), conditional, absent)
}

func misses(t *testing.T, p *Proof) {
	for expr, want := range map[string]string{
		"vigie_traffic_rate_renamed":                               "no answer",
		`vigie_traffic_rate_per_second{service_name="nobody"}`:     "no answer",
		"vigie_traffic_rate_per_second / on (nowhere) up":          "many-to-many",
		"rate(vigie_traffic_requests_total[$__rate_interval]) / 0": "no answer", // infinity is no answer
		"sum(": "unclosed",
	} {
		require.Contains(t, ask(t.Context(), p, panel.Query{Expr: expr}).problem, want, expr)
	}
	require.True(t, ask(t.Context(), p, panel.Query{Expr: "vigie_traffic_rate_renamed", Conditional: "for a reason"}).absent)
}

var variable = regexp.MustCompile(`^label_values\((.*),\s*(\w+)\)$`)

func variables(t *testing.T, p *Proof) {
	found := 0
	for _, d := range dashboards.All() {
		for _, v := range d.Variables {
			m := variable.FindStringSubmatch(v.Query)
			if m == nil || v.Conditional != "" {
				continue
			}
			r, err := p.Ask(t.Context(), fmt.Sprintf(`count by (%s) (%s)`, m[2], m[1]), true)
			require.NoError(t, err)
			values := 0
			for _, s := range r.Value.(promql.Vector) {
				if s.Metric.Get(m[2]) != "" {
					values++
				}
			}
			if values == 0 {
				t.Errorf("%s: variable %s has no values: %s", d.UID, v.Name, v.Query)
			}
			found++
		}
	}
	require.Greater(t, found, 8)
}

// complete are the sources of which the catalogue has every metric that they were
// seen to emit; of others it has what is used.
var complete = map[metrics.Source]bool{metrics.AttackMetrics: true, metrics.ContainerLog: true, metrics.SpanMetrics: true}

// notHere are metrics of such a source that this event does not have, with the
// reason. One that it has must go from the list.
var notHere = map[*metrics.Metric]string{
	metrics.LogsSacrificed: "nothing is behind",
	metrics.LogsPassedOver: "no pod's logs are left out",
}

// detailed are labels that the collector's helpers add at the telemetry level
// detailed; the configurations say normal, where the service takes them off.
var detailed = map[string]bool{"error_type": true, "error_permanent": true}

// The components ran: their names, units, kinds and labels are the truth, and the
// catalogue must agree with it.
func catalogue(t *testing.T, p *Proof) {
	byName := map[string]*metrics.Metric{}
	for _, m := range metrics.All() {
		if m.OTel != "" {
			byName[m.OTel] = m
		}
	}
	seen := map[*metrics.Metric]bool{}
	for name, e := range p.emitted {
		m := byName[name]
		if m == nil {
			for _, prefix := range []string{"vigie.", "otelcol_attack", "otelcol_conntrack", "traces."} {
				if strings.HasPrefix(name, prefix) {
					t.Errorf("%s is emitted and not in the catalogue: no panel can show it", name)
				}
			}
			continue
		}
		seen[m] = true
		if m.Unit != e.unit || m.Kind != e.kind {
			t.Errorf("%s: the catalogue has unit %q and kind %d, the component %q and %d", name, m.Unit, m.Kind, e.unit, e.kind)
		}
		for l := range e.labels {
			if !m.HasLabel(m.Series()[0], l) && !detailed[l] {
				t.Errorf("%s: the component gives the label %s, which the catalogue does not have", name, l)
			}
		}
	}
	for _, m := range metrics.All() {
		if !complete[m.Source] || !strings.Contains(m.OTel, ".") {
			continue
		}
		switch reason, excused := notHere[m]; {
		case !seen[m] && !excused:
			t.Errorf("%s is in the catalogue and %s did not emit it", m.OTel, m.Source)
		case seen[m] && excused:
			t.Errorf("%s is there: take it from the list of what is not (%s)", m.OTel, reason)
		}
	}
	require.Greater(t, len(seen), 80)
}

func TestKindsOfPointsAreRead(t *testing.T) {
	m := pmetric.NewMetric()
	m.SetEmptyGauge().DataPoints().AppendEmpty().Attributes().PutStr("a.b", "x")
	e := look(m)
	require.Equal(t, metrics.Gauge, e.kind)
	require.True(t, e.labels["a_b"])
	m.SetEmptySum().SetIsMonotonic(true)
	require.Equal(t, metrics.Counter, look(m).kind)
	m.SetEmptySum()
	require.Equal(t, metrics.UpDown, look(m).kind)
	m.SetEmptyHistogram()
	require.Equal(t, metrics.Histogram, look(m).kind)
	require.Equal(t, "x{a=~\".*\"}[1m]", lint.Substitute("x{a=~\"$b\"}[$__rate_interval]"))
}
