package mitigation

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// writeNginx writes maps for the http block and, as comments, the lines that a
// server block then needs. nginx sees the socket's peer: behind a proxy,
// set_real_ip_from and real_ip_header must be set.
func writeNginx(w io.Writer, findings []finding.Finding) error {
	b := bufio.NewWriter(w)
	for i := range findings {
		f := &findings[i]
		for n := range f.Rules {
			fmt.Fprintf(b, "# %s\n", about(f, n+1, &f.Rules[n]))
			text, err := nginxRule(fmt.Sprintf("vigie_%s_%d", variableName(f.ID), n+1), &f.Rules[n])
			if err != nil {
				fmt.Fprintf(b, "# left out: %s\n\n", oneLine(err.Error()))
				continue
			}
			fmt.Fprintln(b, text)
		}
	}
	return b.Flush()
}

func variableName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, id)
}

func nginxRule(name string, r *finding.Rule) (string, error) {
	if r.Action == finding.ActionChallenge {
		return "", fmt.Errorf("nginx has no challenge, and to block it would hit people")
	}
	var b strings.Builder
	var tests []string
	limit := 0.0
	for i := range r.Match {
		c := &r.Match[i]
		if c.More > 0 {
			return "", fmt.Errorf("%d values of %s are not in the finding", c.More, c.Field)
		}
		if c.Op == finding.OpAbove {
			perWindow, err := perWindow(c, r.Action)
			if err != nil {
				return "", err
			}
			limit = float64(perWindow) / wafWindow
			continue
		}
		v := fmt.Sprintf("$%s_%d", name, i+1)
		if err := nginxCondition(&b, v, c); err != nil {
			return "", err
		}
		tests = append(tests, v)
	}
	if len(tests) == 0 && r.Action != finding.ActionRateLimit {
		return "", fmt.Errorf("it has no condition that nginx could test")
	}
	hit, miss := "1", "0"
	if r.Action == finding.ActionRateLimit {
		hit, miss = "$binary_remote_addr", `""`
	}
	fmt.Fprintf(&b, "map \"%s\" $%s {\n    default %s;\n    %q %s;\n}\n", strings.Join(tests, ""), name, miss, strings.Repeat("1", len(tests)), hit)
	switch r.Action {
	case finding.ActionRateLimit:
		if limit == 0 {
			limit = float64(wafRateLimit) / wafWindow
		}
		perMinute := int(math.Max(1, math.Round(limit*60)))
		fmt.Fprintf(&b, "limit_req_zone $%s zone=%s:10m rate=%dr/m;\n# in the server block: limit_req zone=%s burst=%d nodelay;\n",
			name, name, perMinute, name, max(1, perMinute/6))
	case finding.ActionBlock:
		fmt.Fprintf(&b, "# in the server block: if ($%s) { return 403; }\n", name)
	default:
		fmt.Fprintf(&b, "# in the server block: access_log /var/log/nginx/%s.log combined if=$%s;\n", name, name)
	}
	return b.String(), nil
}

func nginxCondition(b *strings.Builder, variable string, c *finding.Condition) error {
	if isAddress(c) {
		ps := prefixes(c.Values)
		if len(ps) == 0 {
			return fmt.Errorf("it names no address that could be blocked")
		}
		fmt.Fprintf(b, "geo %s {\n    default 0;\n", variable)
		for _, p := range ps {
			fmt.Fprintf(b, "    %s 1;\n", p)
		}
		b.WriteString("}\n")
		return nil
	}
	source, ok := nginxVariable(c.Field)
	if !ok {
		return fmt.Errorf("nginx cannot test %s", c.Field)
	}
	fmt.Fprintf(b, "map %s %s {\n    default 0;\n", source, variable)
	switch c.Op {
	case finding.OpPresent:
		b.WriteString("    \"~.\" 1;\n")
	case finding.OpAbsent:
		b.WriteString("    \"~^$\" 1;\n")
	}
	for _, v := range c.Values {
		key, err := nginxKey(c.Op, v, c.Field == names.URLPath)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "    %s 1;\n", key)
	}
	b.WriteString("}\n")
	return nil
}

// nginxKey quotes a value for a map. Plain keys are compared without regard to
// case and may not begin with "~" or name map's own parameters, so every value
// is written as an anchored, case-sensitive expression. A path is looked for in
// $request_uri, which is as it was sent and as logs have it: $uri is decoded, and
// rewritten on the way.
func nginxKey(op, v string, isPath bool) (string, error) {
	re, isTemplate := templateRegexp(v)
	end := "$"
	if isPath {
		end = `(\?|$)`
	}
	if isTemplate && isPath {
		re = strings.ReplaceAll(strings.TrimSuffix(re, "$"), "[^/]+", "[^/?]+") + end
	} else {
		whole, isCut := strings.CutSuffix(v, "…")
		if isCut && op != finding.OpContains {
			op = finding.OpPrefix
		}
		re = regexp.QuoteMeta(whole)
		switch op {
		case finding.OpEquals, finding.OpIn:
			re = "^" + re + end
		case finding.OpPrefix:
			re = "^" + re
		case finding.OpContains:
			if isPath {
				re = `^[^?]*` + re
			}
		default:
			return "", fmt.Errorf("nginx cannot test %q", op)
		}
	}
	for _, r := range re {
		if r < ' ' || r == 0x7f {
			return "", fmt.Errorf("%s is no value for a configuration file", strconv.Quote(v))
		}
	}
	// In nginx's quotes, a backslash is only special before a quote, a backslash
	// or one of \t \r \n.
	return `"~` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(re) + `"`, nil
}
