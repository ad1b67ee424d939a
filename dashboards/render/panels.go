package render

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/dashboards/panel"
)

// nothing says why there is nothing to draw.
func (r *renderer) nothing(p *panel.Panel, b box) {
	word := p.NoValue
	if word == "" {
		word = "No data"
	}
	r.text(b.x+b.w/2, b.y+b.h/2, 15, dim, "middle", word, "")
	for _, q := range p.Queries {
		if q.Conditional != "" {
			r.text(b.x+b.w/2, b.y+b.h/2+18, 11, dim, "middle", fit(q.Conditional, 11, b.w), "")
			return
		}
	}
}

// stat draws numbers beside each other.
func (r *renderer) stat(p *panel.Panel, all []*series, b box) {
	if len(all) == 0 {
		r.nothing(p, b)
		return
	}
	const most = 4
	all = all[:min(len(all), most)]
	w := b.w / float64(len(all))
	tall := b.h >= 100 && len(all) > 1 && w < 120
	for i, s := range all {
		c := box{b.x + float64(i)*w, b.y, w - 4, b.h}
		if tall {
			h := b.h / float64(len(all))
			c = box{b.x, b.y + float64(i)*h, b.w, h - 4}
		}
		text, color := mapped(p, s.last())
		fill := color
		if p.Background {
			r.rect(c.x, c.y, c.w, c.h, color, ` rx="3"`)
			fill = "#ffffff"
			if color == panel.Sky || color == panel.Orange || color == panel.Yellow {
				fill = "#111217"
			}
		} else {
			r.spark(s, box{c.x, c.y + c.h*0.62, c.w, c.h * 0.38}, color)
		}
		size := math.Min(c.h*0.42, 40)
		for size > 12 && width(text, size) > c.w-8 {
			size--
		}
		y := c.y + c.h/2 + size*0.36
		if len(all) > 1 || p.Background {
			r.text(c.x+c.w/2, c.y+17, 12.5, fill, "middle", fit(short(s.name), 12.5, c.w-8), "")
			y += 6
		} else if !p.Background {
			y -= c.h * 0.08
		}
		r.text(c.x+c.w/2, y, size, fill, "middle", text, ` font-weight="600"`)
	}
}

// spark is the small line below a number.
func (r *renderer) spark(s *series, b box, color string) {
	if len(s.points) < 3 {
		return
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, q := range s.points {
		if !math.IsNaN(q.v) {
			lo, hi = math.Min(lo, q.v), math.Max(hi, q.v)
		}
	}
	if hi <= lo {
		return
	}
	lo = math.Min(lo, 0)
	x := func(t int64) float64 {
		return b.x + b.w*float64(t-r.Start.UnixMilli())/float64(r.End.Sub(r.Start).Milliseconds())
	}
	y := func(v float64) float64 { return b.y + b.h*(1-(v-lo)/(hi-lo)) }
	d := path(s.points, x, y)
	first, last := s.points[0], s.points[len(s.points)-1]
	if strings.Count(d, "M") == 1 {
		r.add(`<path d="%sL%s %sL%s %sZ" fill="%s" fill-opacity=".15" stroke="none"/>`, d, num(x(last.t)), num(b.y+b.h), num(x(first.t)), num(b.y+b.h), color)
	}
	r.add(`<path d="%s" fill="none" stroke="%s" stroke-opacity=".7"/>`, d, color)
}

// bars draws a horizontal bar each.
func (r *renderer) bars(p *panel.Panel, all []*series, b box) {
	if len(all) == 0 {
		r.nothing(p, b)
		return
	}
	hi := 0.0
	for _, s := range all {
		hi = math.Max(hi, s.last())
	}
	if p.Max != nil {
		hi = *p.Max
	}
	most := max(1, int(b.h/17))
	all = all[:min(len(all), most)]
	h := math.Min(28, b.h/float64(len(all)))
	names, values := 0.0, 0.0
	for _, s := range all {
		names = math.Max(names, width(short(s.name), 11.5))
		values = math.Max(values, width(value(s.last(), p.Unit, p.Decimals), 12.5))
	}
	names = math.Min(names+8, b.w*0.48)
	for i, s := range all {
		y := b.y + float64(i)*h
		color := threshold(p, s.last())
		r.text(b.x, y+h/2+4, 11.5, ink, "start", fit(short(s.name), 11.5, names-6), "")
		track := box{b.x + names, y + 3, b.w - names - values - 12, h - 6}
		r.rect(track.x, track.y, track.w, track.h, "#22252b", ` rx="2"`)
		if hi > 0 {
			r.rect(track.x, track.y, track.w*math.Min(1, s.last()/hi), track.h, color, ` rx="2"`)
		}
		r.text(b.x+b.w, y+h/2+4.5, 12.5, color, "end", value(s.last(), p.Unit, p.Decimals), ` font-weight="600"`)
	}
}

// short takes the domain off a node's name.
func short(s string) string { return strings.ReplaceAll(s, ".eu-south-1.compute.internal", "") }

// timeline draws states over time.
func (r *renderer) timeline(p *panel.Panel, all []*series, b box) {
	if len(all) == 0 {
		r.nothing(p, b)
		return
	}
	names := 0.0
	for _, s := range all {
		names = math.Max(names, width(short(s.name), 12))
	}
	names = math.Min(names+14, b.w*0.4)
	plot := box{b.x + names, b.y + 4, b.w - names - 8, b.h - 26}
	h := math.Min(90, plot.h/float64(len(all)))
	x := func(t int64) float64 {
		return plot.x + plot.w*float64(t-r.Start.UnixMilli())/float64(r.End.Sub(r.Start).Milliseconds())
	}
	for i, s := range all {
		y := plot.y + float64(i)*h
		r.text(plot.x-8, y+h/2+4, 12, ink, "end", fit(short(s.name), 12, names-10), "")
		for j := 0; j < len(s.points); {
			k := j
			for k+1 < len(s.points) && s.points[k+1].v == s.points[j].v && s.points[k+1].t-s.points[k].t < 60_000 {
				k++
			}
			end := s.points[k].t
			if k+1 < len(s.points) && s.points[k+1].t-s.points[k].t < 60_000 {
				end = s.points[k+1].t
			}
			text, color := mapped(p, s.points[j].v)
			from, to := x(s.points[j].t), x(end)
			r.rect(from, y+2, math.Max(to-from, 1.5), h-5, color, ` fill-opacity=".88"`)
			if to-from > width(text, 12)+8 {
				fill := "#ffffff"
				if color == panel.Sky || color == panel.Orange {
					fill = "#111217"
				}
				r.text(from+6, y+h/2+4, 12, fill, "start", text, "")
			}
			j = k + 1
		}
	}
	r.times(box{plot.x, plot.y, plot.w, h * float64(len(all))})
}

// table draws a row each, with the columns that the panel names.
func (r *renderer) table(p *panel.Panel, all []*series, b box) {
	if len(all) == 0 {
		r.nothing(p, b)
		return
	}
	type column struct{ label, heading string }
	var columns []column
	for _, l := range []string{"node", "namespace", "pod", "container", "condition", "status", "reason",
		metrics.LedgerSignal, metrics.LedgerTo, metrics.LedgerAccount, metrics.LedgerReason, "Value"} {
		if heading := p.Columns[l]; heading != "" {
			columns = append(columns, column{l, heading})
		}
	}
	cell := func(s *series, c column) string {
		if c.label == "Value" {
			return value(s.last(), p.Unit, p.Decimals)
		}
		return short(s.labels.Get(c.label))
	}
	widths := make([]float64, len(columns))
	total := 0.0
	for i, c := range columns {
		widths[i] = width(c.heading, 12)
		for _, s := range all {
			widths[i] = math.Max(widths[i], width(cell(s, c), 12))
		}
		widths[i] += 18
		total += widths[i]
	}
	x := b.x
	for i, c := range columns {
		w := widths[i] * b.w / math.Max(total, b.w*0.6)
		r.text(x, b.y+14, 12, panel.Sky, "start", fit(c.heading, 12, w-6), ` font-weight="600"`)
		for j, s := range all {
			y := b.y + 36 + 24*float64(j)
			if y > b.y+b.h {
				break
			}
			if i == 0 {
				r.line(b.x, y-16, b.x+b.w, y-16, grid, "")
			}
			r.text(x, y, 12, ink, "start", fit(cell(s, c), 12, w-6), "")
		}
		x += w
	}
}

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// markdown writes paragraphs, without their marks.
func (r *renderer) markdown(p *panel.Panel, b box) {
	y := b.y + 12
	for para := range strings.SplitSeq(p.Markdown, "\n\n") {
		para = strings.ReplaceAll(strings.ReplaceAll(link.ReplaceAllString(para, "$1"), "**", ""), "*", "")
		line := ""
		for _, word := range strings.Fields(para) {
			if line != "" && width(line+" "+word, 12.5) > b.w {
				r.text(b.x, y, 12.5, ink, "start", line, "")
				line, y = "", y+17
			}
			line = strings.TrimSpace(line + " " + word)
		}
		r.text(b.x, y, 12.5, ink, "start", line, "")
		y += 25
	}
}

// clouds names what CloudWatch would be asked: there is no account to ask here.
func (r *renderer) clouds(p *panel.Panel, b box) {
	var names []string
	for _, q := range p.Queries {
		names = append(names, fmt.Sprintf("%s, %s", q.Cloud.Metric, q.Cloud.Stat))
	}
	slices.Sort(names)
	y := b.y + b.h/2 - 9*float64(len(names))
	for _, n := range append([]string{p.Queries[0].Cloud.Namespace}, names...) {
		r.text(b.x+b.w/2, y, 12.5, dim, "middle", fit(n, 12.5, b.w), "")
		y += 19
	}
}
