package cloudwatchexporter

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// template is a name with attributes in it: /vigie/{k8s.cluster.name}/{a|b:none}
// takes the first of a and b that the resource has, else the text after the
// colon, else "undefined".
type template struct {
	source string
	pieces []piece
}

type piece struct {
	text     string   // when keys is empty
	keys     []string // in order of preference
	fallback string
}

const undefined = "undefined"

func parseTemplate(source string) (template, error) {
	t := template{source: source}
	rest := source
	for rest != "" {
		before, after, open := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return t, fmt.Errorf("%q has a } without its {", source)
		}
		if before != "" {
			t.pieces = append(t.pieces, piece{text: before})
		}
		if !open {
			break
		}
		inside, next, closed := strings.Cut(after, "}")
		if !closed || strings.Contains(inside, "{") {
			return t, fmt.Errorf("%q has a { without its }", source)
		}
		keys, fallback, _ := strings.Cut(inside, ":")
		p := piece{keys: strings.Split(keys, "|"), fallback: fallback}
		for _, k := range p.keys {
			if strings.TrimSpace(k) == "" {
				return t, fmt.Errorf("%q: {%s} names no attribute, e.g. {k8s.cluster.name}", source, inside)
			}
		}
		if p.fallback == "" {
			p.fallback = undefined
		}
		t.pieces = append(t.pieces, p)
		rest = next
	}
	return t, nil
}

// section is a key that stands for the Container Insights log group that a
// record belongs to; it is no attribute.
const section = "insights.section"

// hasSection reports whether the name depends on the record, not on the resource
// alone.
func (t *template) hasSection() bool {
	for _, p := range t.pieces {
		for _, k := range p.keys {
			if k == section {
				return true
			}
		}
	}
	return false
}

// render appends the name to b, with what allowed refuses replaced by _.
func (t *template) render(b []byte, attrs pcommon.Map, in string, allowed func(byte) bool) []byte {
	for i := range t.pieces {
		p := &t.pieces[i]
		if len(p.keys) == 0 {
			b = append(b, p.text...)
			continue
		}
		b = appendName(b, p.value(attrs, in), allowed)
	}
	// A name is at most 512 characters long.
	return b[:min(len(b), 512)]
}

func (p *piece) value(attrs pcommon.Map, in string) string {
	for _, k := range p.keys {
		if k == section && in != "" {
			return in
		}
		if v, ok := attrs.Get(k); ok {
			if s := v.AsString(); s != "" {
				return s
			}
		}
	}
	return p.fallback
}

func appendName(b []byte, s string, allowed func(byte) bool) []byte {
	for i := range len(s) {
		c := s[i]
		if !allowed(c) {
			c = '_'
		}
		b = append(b, c)
	}
	return b
}

// inGroup is a byte of a log group's name: letters, digits and _-/.#
func inGroup(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '/' || c == '.' || c == '#'
}

// inStream is a byte of a stream's name: the service refuses : and *, and a name
// that is to be typed is better off without the rest.
func inStream(c byte) bool { return c > ' ' && c < 0x7f && c != ':' && c != '*' }
