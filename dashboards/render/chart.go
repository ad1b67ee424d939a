package render

import (
	"math"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/dashboards/panel"
)

// chart draws lines over time.
func (r *renderer) chart(p *panel.Panel, all []*series, b box) {
	if !anything(all) {
		r.nothing(p, b)
		return
	}
	lo, hi := extent(p, all)
	unit := p.Unit
	marks := ticks(lo, hi, max(2, int(b.h/46)), unit == "bytes")
	left := 0.0
	for _, m := range marks {
		left = max(left, width(value(m, unit, nil), 11))
	}
	legendHigh := r.legend(all, box{b.x, b.y + b.h - 15, b.w, 15}, false)
	plot := box{b.x + left + 8, b.y + 4, b.w - left - 14, b.h - legendHigh - 24}
	x := func(t int64) float64 {
		return plot.x + plot.w*float64(t-r.Start.UnixMilli())/float64(r.End.Sub(r.Start).Milliseconds())
	}
	y := func(v float64) float64 { return plot.y + plot.h*(1-(math.Min(math.Max(v, lo), hi)-lo)/(hi-lo)) }
	for _, m := range marks {
		r.line(plot.x, y(m), plot.x+plot.w, y(m), grid, "")
		r.text(plot.x-6, y(m)+4, 11, dim, "end", value(m, unit, nil), "")
	}
	r.times(plot)
	r.bands(plot, x)
	if p.Lines {
		for _, t := range p.Thresholds[1:] {
			if t.From > lo && t.From < hi {
				r.line(plot.x, y(t.From), plot.x+plot.w, y(t.From), t.Color, ` stroke-dasharray="4 4" stroke-opacity=".8"`)
			}
		}
	}
	if p.Stack {
		r.stacked(all, x, y)
	} else {
		for _, s := range all {
			r.lineOf(p, s, x, y, y(math.Max(lo, 0)))
		}
	}
	r.legend(all, box{b.x, b.y + b.h - legendHigh + 11, b.w, legendHigh}, true)
}

func anything(all []*series) bool {
	for _, s := range all {
		if !math.IsNaN(s.last()) {
			return true
		}
	}
	return false
}

// extent is the range of the axis, from zero like the dashboards' own.
func extent(p *panel.Panel, all []*series) (lo, hi float64) {
	sums := map[int64]float64{}
	for _, s := range all {
		for _, q := range s.points {
			if math.IsNaN(q.v) || math.IsInf(q.v, 0) {
				continue
			}
			lo, hi = math.Min(lo, q.v), math.Max(hi, q.v)
			sums[q.t] += q.v
		}
	}
	if p.Stack {
		for _, v := range sums {
			hi = math.Max(hi, v)
		}
	}
	hi *= 1.06
	if p.Min != nil {
		lo = *p.Min
	}
	if p.Max != nil {
		hi = *p.Max
	}
	if hi <= lo {
		hi = lo + 1
	}
	return lo, hi
}

// times are the labels of the time axis, by the event's own clock.
func (r *renderer) times(plot box) {
	span := r.End.Sub(r.Start)
	step := time.Minute
	for float64(span/step)*46 > plot.w {
		step = map[time.Duration]time.Duration{time.Minute: 2 * time.Minute, 2 * time.Minute: 5 * time.Minute}[step]
		if step == 0 {
			step = span
		}
	}
	for d := time.Duration(0); d <= span; d += step {
		at := plot.x + plot.w*float64(d)/float64(span)
		anchor := "middle"
		if d == span {
			anchor = "end"
		}
		r.text(at, plot.y+plot.h+14, 11, dim, anchor, r.Clock.Add(d).Format("15:04"), "")
	}
}

// bands are the annotations: a wash from where one begins to where it ends.
func (r *renderer) bands(plot box, x func(int64) float64) {
	for _, a := range r.marks {
		from, to := x(a.from), math.Min(x(a.to), plot.x+plot.w)
		r.rect(from, plot.y, to-from, plot.h, a.color, ` fill-opacity=".07"`)
		r.line(from, plot.y, from, plot.y+plot.h, a.color, ` stroke-dasharray="3 3" stroke-opacity=".8"`)
	}
}

type at struct{ x, y float64 }

// thin keeps of a line what can be seen of it: a third of a pixel is not
// (Douglas and Peucker).
func thin(run []at) []at {
	if len(run) < 3 {
		return run
	}
	a, c := run[0], run[len(run)-1]
	far, index := 0.0, 0
	for i, q := range run[1 : len(run)-1] {
		on := a.y + (c.y-a.y)*(q.x-a.x)/(c.x-a.x)
		if d := math.Abs(on - q.y); d > far {
			far, index = d, i+1
		}
	}
	if far < 0.35 {
		return []at{a, c}
	}
	return append(thin(run[:index+1]), thin(run[index:])[1:]...)
}

// path is a polyline; gaps of a minute and what is no number stay gaps.
func path(ps []point, x func(int64) float64, y func(float64) float64) string {
	var b strings.Builder
	var run []at
	flush := func() {
		op := "M"
		for _, q := range thin(run) {
			b.WriteString(op + num(q.x) + " " + num(q.y))
			op = "L"
		}
		run = run[:0]
	}
	for i, p := range ps {
		number := !math.IsNaN(p.v) && !math.IsInf(p.v, 0)
		if !number || i > 0 && p.t-ps[i-1].t > 60_000 {
			flush()
		}
		if number {
			run = append(run, at{x(p.t), y(p.v)})
		}
	}
	flush()
	return b.String()
}

func (r *renderer) lineOf(p *panel.Panel, s *series, x func(int64) float64, y func(float64) float64, zero float64) {
	d := path(s.points, x, y)
	if d == "" {
		return
	}
	if p.Fill > 0 && !s.style.Dashed && !s.style.NoFill && strings.Count(d, "M") == 1 {
		first, last := s.points[0], s.points[len(s.points)-1]
		r.add(`<path d="%sL%s %sL%s %sZ" fill="%s" fill-opacity="%s" stroke="none"/>`, d, num(x(last.t)), num(zero), num(x(first.t)), num(zero), s.color, num2(float64(p.Fill)/100))
	}
	more := ""
	if s.style.Dashed {
		more = ` stroke-dasharray="7 5"`
	}
	r.add(`<path d="%s" fill="none" stroke="%s" stroke-width="%d" stroke-linejoin="round"%s/>`, d, s.color, max(2, s.style.Width), more)
}

func num2(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(value(v, "", panel.P(2)), "0"), ".")
}

// stacked draws areas on top of each other.
func (r *renderer) stacked(all []*series, x func(int64) float64, y func(float64) float64) {
	base := map[int64]float64{}
	for _, s := range all {
		var top, bottom []point
		for _, q := range s.points {
			if math.IsNaN(q.v) {
				continue
			}
			bottom = append(bottom, point{q.t, base[q.t]})
			base[q.t] += q.v
			top = append(top, point{q.t, base[q.t]})
		}
		if len(top) < 2 {
			continue
		}
		under := path(bottom, x, y)
		var back []string
		for _, part := range strings.FieldsFunc(under, func(c rune) bool { return c == 'M' || c == 'L' }) {
			back = append([]string{"L" + part}, back...)
		}
		over := path(top, x, y)
		r.add(`<path d="%s%sZ" fill="%s" fill-opacity=".62" stroke="none"/>`, over, strings.Join(back, ""), s.color)
		r.add(`<path d="%s" fill="none" stroke="%s"/>`, over, s.color)
	}
}

// legend draws the names in at most two lines and says how high it is; without
// draw it only measures.
func (r *renderer) legend(all []*series, b box, draw bool) float64 {
	x, y, lines, shown := b.x, b.y, 1, 0
	for i, s := range all {
		name := fit(short(s.name), 11.5, 210)
		w := 18 + width(name, 11.5) + 14
		if x+w > b.x+b.w && x > b.x {
			if lines == 2 || b.w < 200 {
				break
			}
			lines, x, y = lines+1, b.x, y+15
		}
		if rest := len(all) - i - 1; rest > 0 && lines == 2 && x+w+width("+ 99 more", 11.5) > b.x+b.w {
			break
		}
		if draw {
			r.rect(x, y-5, 12, 3.5, s.color, ` rx="1"`)
			r.text(x+17, y, 11.5, ink, "start", name, "")
		}
		x, shown = x+w, i+1
	}
	if draw && shown < len(all) {
		r.text(x, y, 11.5, dim, "start", "+ "+number(float64(len(all)-shown), 0)+" more", "")
	}
	return 15*float64(lines) + 2
}
