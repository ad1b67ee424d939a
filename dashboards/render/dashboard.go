package render

import (
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vigie-otel/vigie/dashboards/panel"
)

// Input is what a picture is made of.
type Input struct {
	// Ask answers a query over Start to End, or at End where it is instant; nil
	// for no answer.
	Ask        func(panel.Query) parser.Value
	Start, End time.Time
	// Clock is what the clocks said at Start, for the time axis.
	Clock time.Time
	// Note says where the data is from; it is written on the picture.
	Note string
}

type mark struct {
	from, to int64 // ms
	color    string
}

type renderer struct {
	drawing
	Input
	marks []mark
}

const (
	pixels = 1440
	unitX  = float64(pixels-16) / panel.Columns
	unitY  = 30
	gap    = 8
	header = 52
)

// SVG draws a dashboard.
func SVG(d *panel.Dashboard, in Input) []byte {
	r := &renderer{Input: in}
	placed := d.Flow()
	bottom := 0
	for _, p := range placed {
		bottom = max(bottom, p.Y+p.H)
	}
	high := float64(bottom)*unitY + header + 8
	r.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %s" font-family="Inter,Helvetica Neue,Arial,sans-serif"><title>%s</title>`, pixels, num(high), escape.Replace(d.Title))
	r.rect(0, 0, pixels, high, canvas, "")
	r.text(16, 33, 20, ink, "start", d.Title, ` font-weight="600"`)
	r.text(pixels-16, 32, 12, dim, "end", in.Note, "")
	r.annotate(d)
	for i := range placed {
		r.place(&placed[i])
	}
	r.add("</svg>\n")
	return []byte(r.b.String())
}

// annotate reads the annotations as Grafana does: times without a gap are one.
func (r *renderer) annotate(d *panel.Dashboard) {
	for _, a := range d.Annotations {
		m, ok := r.Ask(panel.Query{Expr: a.Expr}).(promql.Matrix)
		if !ok || a.OffByDefault {
			continue
		}
		for _, s := range m {
			for i, f := range s.Floats {
				if i == 0 || f.T-s.Floats[i-1].T > 30_000 {
					r.marks = append(r.marks, mark{from: f.T, color: a.Color})
				}
				r.marks[len(r.marks)-1].to = f.T
			}
		}
	}
}

func (r *renderer) place(p *panel.Placed) {
	b := box{8 + float64(p.X)*unitX + gap/2, header + float64(p.Y)*unitY + gap/2, float64(p.W)*unitX - gap, float64(p.H)*unitY - gap}
	if p.Panel == nil {
		r.text(b.x+2, b.y+17, 15, ink, "start", p.Heading, ` font-weight="600"`)
		return
	}
	q := p.Panel
	r.rect(b.x, b.y, b.w, b.h, card, ` stroke="`+edge+`" rx="3"`)
	r.text(b.x+10, b.y+20, 13, ink, "start", fit(q.Title, 13, b.w-20), ` font-weight="500"`)
	in := box{b.x + 10, b.y + 32, b.w - 20, b.h - 40}
	if q.Kind == panel.Text {
		r.markdown(q, in)
		return
	}
	if len(q.Queries) > 0 && q.Queries[0].Cloud != nil {
		r.clouds(q, in)
		return
	}
	all := collect(q, r.Ask)
	switch q.Kind {
	case panel.Stat:
		r.stat(q, all, in)
	case panel.Bars:
		r.bars(q, all, in)
	case panel.Timeline:
		r.timeline(q, all, in)
	case panel.Table:
		r.table(q, all, in)
	default:
		r.chart(q, all, in)
	}
}
