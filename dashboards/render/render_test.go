package render

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards/panel"
)

func TestValuesAreWrittenAsGrafanaWritesThem(t *testing.T) {
	for want, c := range map[string]struct {
		v    float64
		unit string
	}{
		"1.23 K req/s": {1234, "reqps"}, "12 %": {0.12, "percentunit"}, "0": {-1e-15, "short"}, "1.5 GiB": {1.5 * (1 << 30), "bytes"},
		"4.2 ms": {0.0042, "s"}, "5 min": {300, "s"}, "3 min 22 s": {202, "dtdurations"}, "2 d 3 h": {2*86400 + 3*3600, "dtdurations"}, "–": {math.NaN(), "s"},
	} {
		require.Equal(t, want, value(c.v, c.unit, nil))
	}
}

func TestAThinnedLineStaysWithinAThirdOfAPixel(t *testing.T) {
	var run []at
	for i := range 400 {
		x := float64(i)
		run = append(run, at{x, 50 + 40*math.Sin(x/30) + 0.1*math.Sin(x)})
	}
	kept := thin(append([]at(nil), run...))
	require.Less(t, len(kept), 120)
	k := 0
	for _, q := range run {
		for kept[k+1].x < q.x {
			k++
		}
		a, b := kept[k], kept[k+1]
		require.InDelta(t, q.y, a.y+(b.y-a.y)*(q.x-a.x)/(b.x-a.x), 0.4)
	}
}

func TestADashboardIsWellFormedWithAndWithoutAnswers(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	d := panel.Dashboard{Title: "T <&> t", Rows: []panel.Row{{Title: "row & row"}}}
	for _, k := range []panel.Kind{panel.Stat, panel.Series, panel.Bars, panel.Timeline, panel.Table} {
		d.Rows[0].Panels = append(d.Rows[0].Panels, panel.Panel{Kind: k, Title: string(k) + " <x>", W: 8, H: 6, Unit: "reqps", NoValue: "none here",
			Columns: map[string]string{"pod": "Pod"}, Queries: []panel.Query{{Expr: "x", Legend: "{{pod}}"}}})
	}
	floats := func(vs ...float64) (out []promql.FPoint) {
		for i, v := range vs {
			out = append(out, promql.FPoint{T: start.UnixMilli() + int64(i)*5000, F: v})
		}
		return out
	}
	answers := map[string]parser.Value{
		"nothing": nil,
		"lines":   promql.Matrix{{Metric: labels.FromStrings("pod", `a<b>&"c"`), Floats: floats(1, math.NaN(), 3, math.Inf(1), 2)}, {Metric: labels.FromStrings("pod", "z"), Floats: floats(0, 0)}},
		"points":  promql.Vector{{Metric: labels.FromStrings("pod", "a"), T: start.UnixMilli(), F: 7}},
	}
	for name, answer := range answers {
		svg := string(SVG(&d, Input{Ask: func(panel.Query) parser.Value { return answer }, Start: start, End: start.Add(time.Minute), Clock: start, Note: "n"}))
		dec := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
		}
		require.NotContains(t, svg, "NaN", name)
		require.NotContains(t, svg, "Inf", name)
		require.Equal(t, name == "nothing", strings.Contains(svg, "none here"), name)
	}
}
