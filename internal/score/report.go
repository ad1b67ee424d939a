package score

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Provenance says how a report came about.
type Provenance struct {
	Command string
	Machine string
	Date    time.Time
	Took    time.Duration // 0: in several sittings
	Cases   int
	Lines   int64
	Note    []string // further lines: what was skipped, and why
}

// Report writes the rows as Markdown.
func Report(w io.Writer, rows []*Row, p Provenance, real []RealResult, peers []PeerResult) error {
	b := &strings.Builder{}
	b.WriteString("# How well the detector detects\n\n")
	b.WriteString("Written by a run; do not edit. Every figure is measured on traffic of `vigie replay`, whose truth is known, read back from nginx combined lines (no host, no duration, no account, whole seconds). Each seed is another site: other paths, networks, devices, size (150 to 1,000 requests/s), and another style of each attack.\n\n")
	fmt.Fprintf(b, "- command: `%s`\n- machine: %s\n- date: %s\n- %d runs, %d requests", p.Command, p.Machine, p.Date.Format(time.DateOnly), p.Cases, p.Lines)
	if p.Took > 0 {
		fmt.Fprintf(b, ", %s", p.Took.Round(time.Second))
	}
	b.WriteString("\n")
	for _, n := range p.Note {
		fmt.Fprintf(b, "- %s\n", n)
	}
	vigie, baselines := split(rows)

	b.WriteString("\n## Attacks\n\nDelay: first attack request to the tick that opened a finding. Precision and recall: of the marks from then on. Rules: the proposed ones applied to the same traffic; what they would have stopped of the attack, and of the legitimate requests. End: last attack request to `closed`. Class: findings whose class, as told last, is the attack's.\n\n")
	b.WriteString("| Scenario | Intensity | Found | Delay p50 | p95 | Class | Precision p50 | p5 | Recall p50 | p5 | Rules stop p50 | p5 | Rules hit p50 | p95 | End p95 | Findings | False |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range vigie {
		if r.Attacks == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %d/%d | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %d |\n",
			r.Scenario, intensity(r.Intensity), r.Found, r.Attacks,
			seconds(&r.Delay, 0.5), seconds(&r.Delay, 0.95), ratio(r.ClassRight, r.Found),
			percent(&r.Precision, 0.5), percent(&r.Precision, 0.05), percent(&r.Recall, 0.5), percent(&r.Recall, 0.05),
			percent(&r.Coverage, 0.5), percent(&r.Coverage, 0.05), percent(&r.RuleHit, 0.5), percent(&r.RuleHit, 0.95),
			ends(r), perFound(r), r.FalseFindings)
	}
	rulesTable(b, vigie)
	b.WriteString("\n## Crowds and quiet days\n\nNo attack finding may open here.\n\n| Scenario | Runs | Runs with an attack finding | Attack findings | Legitimate requests marked | Time under attack or mixed | Time under crowd |\n|---|---|---|---|---|---|---|\n")
	for _, r := range vigie {
		if r.Attacks > 0 {
			continue
		}
		fmt.Fprintf(b, "| %s | %d | %d | %d | %.3f %% | %.2f %% | %.1f %% |\n", r.Scenario, r.Runs, r.FalseRuns, r.FalseFindings, 100*r.LegitMarked, share(r.AttackSeconds, r.CalmSeconds), share(r.CrowdSeconds, r.CalmSeconds))
	}
	if len(baselines) > 0 {
		b.WriteString("\n## Baselines on the same traffic\n\n`per-client`: a leaky bucket of 40 requests a client, two a second leak, a minute's ban. `ewma`: the rate of ten seconds more than 3 σ above its moving average; it cannot say who. \"Found\" only asks whether an alarm rose during the attack, whomever it accused.\n\n| Judge | Scenario | Intensity | Found | Delay p50 | p95 | Precision p50 | Recall p50 | Alarms outside attacks | Runs with any |\n|---|---|---|---|---|---|---|---|---|---|\n")
		for _, r := range baselines {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s | %d | %d/%d |\n", r.Judge, r.Scenario, intensity(r.Intensity), ratio(r.Found, r.Attacks),
				seconds(&r.Delay, 0.5), seconds(&r.Delay, 0.95), percent(&r.Precision, 0.5), percent(&r.Recall, 0.5), r.FalseFindings, r.FalseRuns, r.Runs)
		}
	}
	if len(peers) > 0 {
		b.WriteString("\n## CrowdSec on the same traffic, small\n\nCrowdSec accuses addresses. In reach: the share of the attack's requests that come from an address which it named at any time.\n\n| Scenario | Intensity | Seed | Lines | Attackers named | Attack in reach | People named | Took |\n|---|---|---|---|---|---|---|---|\n")
		for _, r := range peers {
			fmt.Fprintf(b, "| %s | %s | %d | %d | %s | %.1f %% | %d/%d | %s |\n", r.Case.Scenario, intensity(r.Case.Intensity), r.Case.Seed, r.Lines,
				ratio(r.AttackersHit, r.Attackers), 100*float64(r.InReach)/float64(max(1, r.AttackRequests)), r.PeopleHit, r.People, r.Took.Round(time.Second))
		}
	}
	if len(real) > 0 {
		b.WriteString("\n## Recorded traffic\n\n| Data | Lines | Findings | What was to be found | Found | Marked: precision | recall |\n|---|---|---|---|---|---|---|\n")
		for _, r := range real {
			fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %s | %s |\n", r.Name, r.Lines, r.Findings, r.Wanted, r.Found, r.Precision, r.Recall)
		}
	}
	_, err := io.WriteString(w, b.String())
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// VigieName is the judge whose rows come first in a report.
const VigieName = "vigie"

func split(rows []*Row) (vigie, baselines []*Row) {
	for _, r := range rows {
		if r.Judge == VigieName {
			vigie = append(vigie, r)
		} else {
			baselines = append(baselines, r)
		}
	}
	return vigie, baselines
}

func intensity(x float64) string {
	if x == 0 {
		return "own"
	}
	return fmt.Sprintf("%+.0f %%", 100*x)
}

func seconds(s *Spread[time.Duration], at float64) string {
	if s.N() == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", s.At(at).Seconds())
}

func percent(s *Spread[float64], at float64) string {
	if s.N() == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*s.At(at))
}

func ratio(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d/%d", n, of)
}

func share(n, of int) float64 { return 100 * float64(n) / float64(max(1, of)) }

func ends(r *Row) string {
	s := seconds(&r.Close, 0.95)
	if r.NotClosed > 0 {
		s += fmt.Sprintf(" (%d open)", r.NotClosed)
	}
	return s
}

func perFound(r *Row) string {
	if r.Found == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", r.Findings)
}

// RealResult is what was found in recorded traffic, in words.
type RealResult struct {
	Name, Findings, Wanted, Found, Precision, Recall string
	Lines                                            int64
}
