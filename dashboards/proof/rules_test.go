package proof

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/dashboards/rules"
)

// absent are metrics that rules read and that this event does not have, with the
// reason. One that it has must go from the list.
var absent = map[string]string{
	metrics.ExporterEnqueueLogs.Name:     "no queue was full",
	metrics.ExporterEnqueueMetrics.Name:  "no queue was full",
	metrics.ExporterEnqueueSpans.Name:    "no queue was full",
	metrics.ConntrackFindingsLost.Name:   "no finding was lost",
	metrics.GuardPointsCut.Name:          "nothing was cut: Vigie's own metrics are protected",
	metrics.CloudWatchEventsDropped.Name: "no CloudWatch is configured",
	metrics.CloudWatchPointsDropped.Name: "no CloudWatch is configured",
}

// ruled evaluates the rules as a ruler would, from the event's beginning to its
// end: recordings have values that go back into the store, alerts run on them, and
// whatever an alert reads is there.
func ruled(t *testing.T, p *Proof) {
	records, alerts := 0, 0
	told := map[string]bool{}
	for _, f := range rules.Files() {
		for _, g := range f.Groups {
			for at := p.Start.Add(g.Interval); !at.After(p.End); at = at.Add(g.Interval) {
				for _, r := range g.Records {
					written(t, p, r, at)
				}
			}
			for _, r := range g.Records {
				records++
				exists(t, p, r.Name, "the recording "+r.Name, told)
			}
		}
	}
	for _, a := range rules.Alerts() {
		alerts++
		for _, at := range []time.Time{p.Start, p.Start.Add(length / 2), p.End} {
			r, err := p.Store.Query(t.Context(), a.Expr, at)
			require.NoError(t, err, a.Name)
			require.Empty(t, r.Warnings.AsErrors(), a.Name)
		}
		e, err := parser.NewParser(parser.Options{}).ParseExpr(a.Expr)
		require.NoError(t, err, a.Name)
		parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok {
				exists(t, p, v.Name, a.Name, told)
			}
			return nil
		})
	}
	fires := func(at time.Time) (n int) {
		for _, a := range rules.Alerts() {
			if a.Kind == rules.KindAttack {
				r, err := p.Store.Query(t.Context(), a.Expr, at)
				require.NoError(t, err)
				n += len(r.Value.(promql.Vector))
			}
		}
		return n
	}
	require.Zero(t, fires(p.Start.Add(6*time.Minute+30*time.Second)), "an alert of an attack in the midst of the crowd, before the flood")
	require.Positive(t, fires(p.End), "no alert of the flood")
	fmt.Printf("evaluated %d recording rules and %d alerts\n", records, alerts)
}

func written(t *testing.T, p *Proof, r rules.Record, at time.Time) {
	t.Helper()
	got, err := p.Store.Query(t.Context(), r.Expr, at)
	require.NoError(t, err, r.Name)
	require.Empty(t, got.Warnings.AsErrors(), r.Name)
	var out []prompb.TimeSeries
	for _, s := range got.Value.(promql.Vector) {
		b := labels.NewBuilder(s.Metric)
		b.Set(model.MetricNameLabel, r.Name)
		for k, v := range r.Labels {
			b.Set(k, v)
		}
		out = append(out, prompb.TimeSeries{Labels: prompb.FromLabels(b.Labels(), nil), Samples: []prompb.Sample{{Value: s.F, Timestamp: at.UnixMilli()}}})
	}
	if len(out) > 0 {
		write(t, p.Store.Handler(), out)
	}
}

// exists demands that a series of that name was there at some time.
func exists(t *testing.T, p *Proof, name, who string, told map[string]bool) {
	t.Helper()
	if told[name] {
		return
	}
	told[name] = true
	r, err := p.Store.QueryRange(t.Context(), name, p.Start, p.End, 15*time.Second)
	require.NoError(t, err)
	reason, excused := absent[name]
	switch there := len(r.Value.(promql.Matrix)) > 0; {
	case !there && !excused:
		t.Errorf("%s reads %s, which is not there, and no reason for that", who, name)
	case there && excused:
		t.Errorf("%s is there: take it from the list of what is absent", name)
	case !there:
		t.Logf("%s is not there: %s", name, reason)
	}
}
