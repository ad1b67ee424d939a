package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// The drawing's size in its own units; it is scaled to the paper.
const (
	chartWidth, chartHeight      = 1000, 220
	plotLeft, plotTop, plotRight = 64, 10, 8
	plotBottom                   = 26
	plotWidth                    = chartWidth - plotLeft - plotRight
	plotHeight                   = chartHeight - plotTop - plotBottom
)

// line is one row of a chart; class names its stroke in the style sheet.
type line struct {
	name, class string
	row         []float32
}

// chart draws rows over the range of s, with what the verdict was behind them:
// a tint, and for attack and mixed a hatching, so that it is seen without
// colour. alt is the same in words.
func (s *Series) chart(id, title, alt string, format func(float64) string, lines ...line) template.HTML {
	top := 0.0
	for _, l := range lines {
		for _, v := range l.row {
			if x := float64(v); !math.IsNaN(x) && !math.IsInf(x, 0) {
				top = max(top, x)
			}
		}
	}
	if top == 0 {
		top = 1
	}
	top *= 1.06
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		chartWidth, chartHeight, id, id, id, html.EscapeString(title), id, html.EscapeString(alt))
	s.ground(&b, id)
	s.grid(&b, top, format)
	for _, l := range lines {
		fmt.Fprintf(&b, `<path class="line %s" d="%s"/>`, l.class, path(l.row, top))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers, constants, and escaped text
}

// x is where a share of the range is drawn.
func x(share float64) string { return short1(plotLeft + share*plotWidth) }

// short1 writes a coordinate with one decimal.
func short1(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

func (s *Series) ground(b *strings.Builder, id string) {
	fmt.Fprintf(b, `<defs><pattern id="%[1]s-h" width="8" height="8" patternUnits="userSpaceOnUse"><path class="hatch" d="M0 8L8 0"/></pattern>`+
		`<pattern id="%[1]s-x" width="8" height="8" patternUnits="userSpaceOnUse"><path class="hatch" d="M0 8L8 0M0 0L8 8"/></pattern></defs>`, id)
	n := float64(len(s.Verdict))
	for i := 0; i < len(s.Verdict); {
		j := i + 1
		for j < len(s.Verdict) && s.Verdict[j] == s.Verdict[i] {
			j++
		}
		fill := ""
		switch v := s.Verdict[i]; v {
		case finding.Attack:
			fill = id + "-h"
		case finding.Mixed:
			fill = id + "-x"
		}
		if v := s.Verdict[i]; v != finding.Normal {
			class := string(v)
			if !v.Valid() {
				class = "gap"
			}
			box := fmt.Sprintf(`x="%s" y="%d" width="%s" height="%d"`, x(float64(i)/n), plotTop, short1(float64(j-i)/n*plotWidth), plotHeight)
			fmt.Fprintf(b, `<rect class="g-%s" %s/>`, class, box)
			if fill != "" {
				fmt.Fprintf(b, `<rect fill="url(#%s)" %s/>`, fill, box)
			}
		}
		i = j
	}
}

func (s *Series) grid(b *strings.Builder, top float64, format func(float64) string) {
	step := nice(top / 4)
	for v := 0.0; v <= top; v += step {
		y := short1(plotTop + plotHeight*(1-v/top))
		fmt.Fprintf(b, `<path class="grid" d="M%d %sH%d"/><text x="%d" y="%s" class="y">%s</text>`, plotLeft, y, chartWidth-plotRight, plotLeft-6, y, html.EscapeString(format(v)))
	}
	length := time.Duration(len(s.Verdict)) * s.Step
	every := tick(length)
	for at := s.From.Truncate(every).Add(every); at.Before(s.From.Add(length)); at = at.Add(every) {
		px := x(float64(at.Sub(s.From)) / float64(length))
		layout := "15:04"
		if every < time.Minute {
			layout = time.TimeOnly
		} else if every >= 24*time.Hour {
			layout = "2 Jan"
		}
		fmt.Fprintf(b, `<path class="grid" d="M%s %dV%d"/><text x="%s" y="%d" class="x">%s</text>`, px, plotTop, plotTop+plotHeight, px, chartHeight-8, at.Format(layout))
	}
}

// tick is the distance of two times on the axis.
func tick(length time.Duration) time.Duration {
	for _, t := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 12 * time.Hour} {
		if length/t <= 12 {
			return t
		}
	}
	return 24 * time.Hour
}

// nice is the next number up that a person would choose.
func nice(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if m*base >= v*0.999 {
			return m * base
		}
	}
	return 10 * base
}

// path draws a row. Of points that share a pixel the highest is drawn, so that no
// peak is lost; what was not measured is a gap.
func path(row []float32, top float64) string {
	var b strings.Builder
	columns := min(len(row), plotWidth)
	pen := false
	for c := range columns {
		from, to := c*len(row)/columns, (c+1)*len(row)/columns
		best, _ := peak(row[from:to])
		if !best.Known() {
			pen = false
			continue
		}
		move := "L"
		if !pen {
			move = "M"
		}
		share := (float64(c) + 0.5) / float64(columns)
		y := plotTop + plotHeight*(1-float64(best)/top)
		b.WriteString(move + x(share) + " " + short1(y))
		if !pen { // a single point is seen too
			b.WriteString("h.1")
		}
		pen = true
	}
	return b.String()
}
