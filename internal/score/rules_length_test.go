package score

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
)

// TestRulesAtLength prints, of the cases that the environment names, what the
// proposed rules stop and hit when they are applied to the same traffic, beside
// the detector's own estimates.
//
//	VIGIE_RULES=flood,mimic VIGIE_SEEDS=4 VIGIE_FIRST=1 VIGIE_INTENSITY=0.2,1 VIGIE_DETAIL=1
func TestRulesAtLength(t *testing.T) {
	want := os.Getenv("VIGIE_RULES")
	if want == "" {
		t.Skip("VIGIE_RULES is not set: a list of scenarios")
	}
	plan := Plan{Seeds: 2, FirstSeed: 1, Intensities: []float64{0.5}, Only: strings.Split(want, ",")}
	if n, err := strconv.Atoi(os.Getenv("VIGIE_SEEDS")); err == nil {
		plan.Seeds = n
	}
	if n, err := strconv.Atoi(os.Getenv("VIGIE_FIRST")); err == nil {
		plan.FirstSeed = uint64(n)
	}
	if s := os.Getenv("VIGIE_INTENSITY"); s != "" {
		plan.Intensities = nil
		for x := range strings.SplitSeq(s, ",") {
			f, err := strconv.ParseFloat(x, 64)
			require.NoError(t, err)
			plan.Intensities = append(plan.Intensities, f)
		}
	}
	cases, err := plan.Cases()
	require.NoError(t, err)
	var mu sync.Mutex // guards lines
	var lines []string
	var wg sync.WaitGroup
	next := make(chan Case)
	for range 2 {
		wg.Go(func() {
			for c := range next {
				text, err := rulesOf(t, c)
				mu.Lock()
				lines = append(lines, text...)
				mu.Unlock()
				if err != nil {
					t.Errorf("%s seed %d: %v", c.Scenario, c.Seed, err)
				}
			}
		})
	}
	for _, c := range cases {
		next <- c
	}
	close(next)
	wg.Wait()
	slices.Sort(lines)
	fmt.Println(strings.Join(lines, "\n"))
}

func rulesOf(t *testing.T, c Case) ([]string, error) {
	service, err := c.Service()
	if err != nil {
		return nil, err
	}
	judge, err := Vigie(detect.Config{Seed: c.Seed}, service)
	if err != nil {
		return nil, err
	}
	c.keepRules = true
	out, err := c.Run(t.Context(), Entrant{Name: VigieName, Judge: judge})
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, a := range out[0].Attacks {
		s := a.Truth.Style
		l := fmt.Sprintf("%-17s %5s seed %2d stop %5.1f%% hit %5.2f%% | live %5.1f%% %5.2f%% | est %5.1f%% %5.2f%% | prec %.4f rec %.3f | %d cl %s/%s/%s",
			c.Scenario, intensity(c.Intensity), c.Seed, 100*a.Coverage, 100*a.RuleHit, 100*a.LiveCover, 100*a.LiveHit, 100*a.EstCover, 100*a.EstHit,
			a.Precision(), a.Recall(), a.Truth.Clients, s.Target, s.Agents, s.Addresses)
		if os.Getenv("VIGIE_DETAIL") != "" {
			rules, _ := a.proposed(math.MaxInt64)
			for _, r := range rules {
				l += "\n    " + ruleText(r)
			}
		}
		lines = append(lines, l)
	}
	return lines, nil
}

func ruleText(r finding.Rule) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s %s cov %.3f hit %.4f", r.Action, r.Kind, r.Coverage, r.LegitimateHit)
	for _, c := range r.Match {
		fmt.Fprintf(b, " | %s %s %d", c.Field, c.Op, len(c.Values))
		for _, v := range c.Values[:min(3, len(c.Values))] {
			fmt.Fprintf(b, " %q", v)
		}
	}
	return b.String()
}
