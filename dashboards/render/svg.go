package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Colours of Grafana's dark theme.
const (
	canvas = "#111217"
	card   = "#181b1f"
	edge   = "#2c2f36"
	ink    = "#d5d6e0"
	dim    = "#9a9ca8"
	grid   = "#2a2d34"
)

// drawing collects elements.
type drawing struct {
	b strings.Builder
}

// num is a coordinate to a tenth of a pixel.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *drawing) rect(x, y, w, h float64, fill, more string) {
	d.add(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s"%s/>`, num(x), num(y), num(max(w, 0)), num(max(h, 0)), fill, more)
}

// text writes s at x, y (its base line); anchor is start, middle or end.
func (d *drawing) text(x, y, size float64, fill, anchor, s, more string) {
	if anchor != "start" {
		more += ` text-anchor="` + anchor + `"`
	}
	d.add(`<text x="%s" y="%s" font-size="%s" fill="%s"%s>%s</text>`, num(x), num(y), num(size), fill, more, escape.Replace(s))
}

func (d *drawing) line(x1, y1, x2, y2 float64, stroke, more string) {
	d.add(`<path d="M%s %sL%s %s" stroke="%s"%s/>`, num(x1), num(y1), num(x2), num(y2), stroke, more)
}

// width is about how wide text is; the fonts of viewers differ.
func width(s string, size float64) float64 {
	n := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljt.,:;|'() ", r):
			n += 0.32
		case strings.ContainsRune("mwMW%@", r):
			n += 0.86
		case r >= 'A' && r <= 'Z':
			n += 0.68
		default:
			n += 0.56
		}
	}
	return n * size
}

// fit cuts text to a width.
func fit(s string, size, w float64) string {
	if width(s, size) <= w {
		return s
	}
	r := []rune(s)
	for len(r) > 1 && width(string(r)+"…", size) > w {
		r = r[:len(r)-1]
	}
	return strings.TrimRight(string(r), " -_") + "…"
}

// box is a rectangle to draw in.
type box struct{ x, y, w, h float64 }
