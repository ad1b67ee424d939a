package score

import (
	"fmt"
	"strings"
)

// rulesTable writes what the proposed rules do, beside what was said that they
// would do.
func rulesTable(b *strings.Builder, rows []*Row) {
	b.WriteString("\n## Proposed rules\n\nApplied to the same traffic, from the first opening to the attack's end. Last: the rules that each finding ended with, which knew the whole attack. As they stood: the rules that were proposed when a request came, at most half a minute old. Estimated: by the finding itself, of its last rules together. A challenge counts neither as stopping nor as hitting.\n\n")
	b.WriteString("| Scenario | Intensity | With rules | Last stop p50 | p5 | hit p50 | p95 | Estimated stop p50 | hit p95 | As they stood stop p50 | p5 | hit p95 |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		if r.Found == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %d/%d | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Scenario, intensity(r.Intensity), r.WithRules, r.Found,
			percent(&r.Coverage, 0.5), percent(&r.Coverage, 0.05), hundredths(&r.RuleHit, 0.5), hundredths(&r.RuleHit, 0.95),
			percent(&r.EstCover, 0.5), hundredths(&r.EstHit, 0.95), percent(&r.LiveCover, 0.5), percent(&r.LiveCover, 0.05), hundredths(&r.LiveHit, 0.95))
	}
}

func hundredths(s *Spread[float64], at float64) string {
	if s.N() == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", 100*s.At(at))
}
