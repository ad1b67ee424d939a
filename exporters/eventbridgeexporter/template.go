package eventbridgeexporter

import (
	"errors"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/finding"
)

// template is a text with attributes in it: text, name, text, name, …, text.
type template []string

var errBraces = errors.New("braces do not match")

func parseTemplate(s string) (template, error) {
	var t template
	for {
		before, rest, ok := strings.Cut(s, "{")
		if strings.Contains(before, "}") {
			return nil, errBraces
		}
		t = append(t, before)
		if !ok {
			return t, nil
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok || name == "" || strings.Contains(name, "{") {
			return nil, errBraces
		}
		t, s = append(t, name), after
	}
}

// fill puts the attributes in; false where one is missing or empty.
func (t template) fill(from ...pcommon.Map) (string, bool) {
	var b strings.Builder
	for i, part := range t {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		value := ""
		for _, m := range from {
			if v, ok := m.Get(part); ok && value == "" {
				value = finding.Clean(v.AsString())
			}
		}
		if value == "" {
			return "", false
		}
		b.WriteString(value)
	}
	return b.String(), true
}
