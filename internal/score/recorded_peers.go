package score

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// peerTest is one of a peer's tests: which sources it names in a log.
type peerTest struct {
	Test   string `json:"test"`
	Log    string `json:"log"`
	Lines  int    `json:"lines"`
	Expect []struct {
		Scenario string   `json:"scenario"`
		Sources  []string `json:"sources"`
		Events   int      `json:"events"`
	} `json:"expect"`
}

// inScope are the scenarios about behaviour; signatures of one vulnerability in
// one request, or of one user agent, are not ours.
func inScope(scenario string) bool {
	for _, word := range []string{"-bf", "http-probing", "crawl", "dos", "dos-swit", "user-enum", "sensitive-files", "admin-interface-probing", "path-traversal", "sqli-prob", "xss-prob"} {
		if strings.Contains(scenario, word) && !strings.Contains(scenario, "CVE") {
			return true
		}
	}
	return false
}

func peerTests(ctx context.Context, folder string) ([]RealResult, error) {
	text, err := os.ReadFile(filepath.Join(folder, "crowdsec-hub", "expectations.json"))
	if err != nil {
		return nil, fmt.Errorf("crowdsec-hub: %w", err)
	}
	var tests []peerTest
	if err := json.Unmarshal(text, &tests); err != nil {
		return nil, fmt.Errorf("read crowdsec-hub: %w", err)
	}
	var named, missed, calm []string
	lines, silent, raised := int64(0), 0, 0
	for _, test := range tests {
		sources := map[string]bool{}
		for _, e := range test.Expect {
			if inScope(e.Scenario) && e.Events > 1 {
				for _, s := range e.Sources {
					sources[s] = true
				}
			}
		}
		if test.Lines == 0 || len(sources) == 0 && len(test.Expect) > 0 {
			continue
		}
		rec, err := record(ctx, filepath.Join(folder, "crowdsec-hub", test.Log))
		if err != nil {
			return nil, err
		}
		lines += rec.lines
		if len(test.Expect) == 0 { // the peer expects nothing
			if rec.attacks() == "none" {
				silent++
			} else {
				raised++
				calm = append(calm, test.Test)
			}
			continue
		}
		for s := range sources {
			if rec.names(s) {
				named = append(named, test.Test)
			} else {
				missed = append(missed, test.Test)
			}
		}
	}
	slices.Sort(missed)
	out := RealResult{
		Name: "a peer's tests: brute force, probing, crawling, DoS", Lines: lines, Findings: fmt.Sprintf("%d of %d expected sources named", len(named), len(named)+len(missed)),
		Wanted: fmt.Sprintf("%d sources", len(named)+len(missed)), Found: fmt.Sprintf("%d", len(named)), Precision: fmt.Sprintf("%d of %d tests that expect nothing stay silent", silent, silent+raised), Recall: "–",
	}
	if len(missed) > 0 {
		out.Found += " (not: " + strings.Join(missed, ", ") + ")"
	}
	if len(calm) > 0 {
		out.Precision += " (not: " + strings.Join(calm, ", ") + ")"
	}
	return []RealResult{out}, nil
}

// names says whether an attack finding has the source among its actors, or its
// requests are marked.
func (r *recording) names(source string) bool {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return false
	}
	for _, f := range r.findings {
		for _, a := range f.Actors {
			if p, err := netip.ParsePrefix(a.Value); err == nil && f.Class.Attack() && p.Contains(addr) {
				return true
			}
			if a.Value == source && f.Class.Attack() {
				return true
			}
		}
	}
	return slices.ContainsFunc(r.tally, func(t tally) bool { return t.marked && t.client == addr })
}
