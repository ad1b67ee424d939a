package mitigation

import (
	"fmt"
	"io"
	"strings"

	"github.com/vigie-otel/vigie/internal/finding"
)

// Format is a language in which rules are written.
type Format string

// The languages.
const (
	WAF   Format = "waf"   // AWS WAFv2: rules and IP sets as JSON
	Nginx Format = "nginx" // a snippet for the http and server blocks
	CIDR  Format = "cidr"  // one prefix a line, comments after #
)

// ParseFormat reads a language's name.
func ParseFormat(s string) (Format, error) {
	switch f := Format(strings.ToLower(s)); f {
	case WAF, Nginx, CIDR:
		return f, nil
	}
	return "", fmt.Errorf("rule format %q is unknown: take one of waf, nginx, cidr", s)
}

// Write writes the rules of all findings to w.
func Write(w io.Writer, f Format, findings []finding.Finding) error {
	var err error
	switch f {
	case WAF:
		err = writeWAF(w, findings)
	case Nginx:
		err = writeNginx(w, findings)
	case CIDR:
		err = writeCIDR(w, findings)
	default:
		return fmt.Errorf("rule format %q is unknown", f)
	}
	if err != nil {
		return fmt.Errorf("write %s rules: %w", f, err)
	}
	return nil
}

// about is the comment beside a rule.
func about(f *finding.Finding, n int, r *finding.Rule) string {
	return fmt.Sprintf("finding %s, %s on %s, rule %d (%s, %s): estimated to cover %.1f %% of the attack and to hit %.2f %% of legitimate requests",
		f.ID, f.Class, oneLine(f.Service), n, r.Kind, r.Action, 100*r.Coverage, 100*r.LegitimateHit)
}

// oneLine keeps a value from ending the comment that it stands in.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
