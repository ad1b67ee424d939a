package render

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vigie-otel/vigie/dashboards/panel"
)

// point is a value at a time in milliseconds.
type point struct {
	t int64
	v float64
}

// series is one line, bar or number.
type series struct {
	name   string
	labels labels.Labels
	points []point
	style  panel.Style
	color  string
}

func (s *series) last() float64 {
	for i := len(s.points) - 1; i >= 0; i-- {
		if !math.IsNaN(s.points[i].v) && !math.IsInf(s.points[i].v, 0) {
			return s.points[i].v
		}
	}
	return math.NaN()
}

var braces = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

func legend(format string, ls labels.Labels) string {
	return strings.TrimSpace(braces.ReplaceAllStringFunc(format, func(s string) string {
		return ls.Get(braces.FindStringSubmatch(s)[1])
	}))
}

// collect names and colours what the panel's queries answered: a style's colour,
// else a threshold's or the next of the palette.
func collect(p *panel.Panel, ask func(panel.Query) parser.Value) []*series {
	var out []*series
	for _, q := range p.Queries {
		if q.Cloud != nil {
			continue
		}
		q.Instant = q.Instant || p.Kind == panel.Table
		first := len(out)
		switch v := ask(q).(type) {
		case promql.Matrix:
			for _, s := range v {
				one := &series{name: legend(q.Legend, s.Metric), labels: s.Metric}
				for _, f := range s.Floats {
					one.points = append(one.points, point{f.T, f.F})
				}
				out = append(out, one)
			}
		case promql.Vector:
			for _, s := range v {
				out = append(out, &series{name: legend(q.Legend, s.Metric), labels: s.Metric, points: []point{{s.T, s.F}}})
			}
		}
		slices.SortStableFunc(out[first:], func(a, b *series) int {
			if p.Kind == panel.Bars {
				if c := cmp.Compare(b.last(), a.last()); c != 0 {
					return c
				}
			}
			return cmp.Compare(a.name, b.name)
		})
	}
	next := 0
	for _, s := range out {
		for _, st := range p.Styles {
			if regexp.MustCompile("^(?:" + st.Match + ")$").MatchString(s.name) {
				s.style = st
				s.color = st.Color
			}
		}
		if s.color == "" {
			s.color = panel.Palette[next%len(panel.Palette)]
			next++
		}
	}
	return out
}

// threshold is the colour of a value.
func threshold(p *panel.Panel, v float64) string {
	color := panel.Sky
	for i, t := range p.Thresholds {
		if i == 0 || v >= t.From {
			color = t.Color
		}
	}
	return color
}

// mapped is a value's word and colour.
func mapped(p *panel.Panel, v float64) (string, string) {
	for _, m := range p.Mappings {
		if m.Value == fmt.Sprint(v) {
			return m.Text, m.Color
		}
	}
	return value(v, p.Unit, p.Decimals), threshold(p, v)
}
