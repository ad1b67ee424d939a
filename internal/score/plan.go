package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/replay"
)

// Plan is what an evaluation runs.
type Plan struct {
	Seeds       int       // of each scenario and intensity
	FirstSeed   uint64    // 0 means 1
	Intensities []float64 // of the floods; other attacks have the scenario's own
	Only        []string  // scenarios; empty means all

	// Edges are further intensities, which the first FewSeeds seeds run: what is far
	// below or above what matters costs the most and varies the least. The baselines
	// run on those seeds too.
	Edges    []float64
	FewSeeds int // 0 means Seeds
}

// Few is how many seeds the edges and the baselines run on.
func (p Plan) Few() int {
	if p.FewSeeds == 0 {
		return p.Seeds
	}
	return min(p.FewSeeds, p.Seeds)
}

// Baselines says whether the baselines run on a case's seed.
func (p Plan) Baselines(seed uint64) bool { return seed < max(p.FirstSeed, 1)+uint64(p.Few()) }

// Quick and Full are the plans of `make eval`.
func Quick() Plan { return Plan{Seeds: 3, Intensities: []float64{0.2, 0.5, 1}} }

// Full runs twenty seeds of +20 % to +100 %, and five of +10 %, +300 % and +1,000 %.
func Full() Plan {
	return Plan{Seeds: 20, Intensities: []float64{0.2, 0.5, 1}, Edges: []float64{0.1, 3, 10}, FewSeeds: 5}
}

// Cases lists the plan's runs, seed by seed, so that what was interrupted is whole
// for the seeds that it reached; a seed's long ones first, so that no core waits for
// a last one.
func (p Plan) Cases() ([]Case, error) {
	var out []Case
	for _, name := range p.Only {
		if !slices.Contains(replay.Names(), name) {
			return nil, fmt.Errorf("no built-in scenario %q", name)
		}
	}
	size := map[Case]float64{}
	for _, name := range replay.Names() {
		if len(p.Only) > 0 && !slices.Contains(p.Only, name) {
			continue
		}
		s, err := replay.Builtin(name)
		if err != nil {
			return nil, err
		}
		intensities := []float64{0}
		if flood(s) {
			intensities = p.Intensities
		}
		for i := range p.Seeds {
			run := intensities
			if flood(s) && i < p.Few() {
				run = slices.Concat(intensities, p.Edges)
			}
			for _, x := range run {
				c := Case{Scenario: name, Seed: max(p.FirstSeed, 1) + uint64(i), Intensity: x}
				c.Scale = scale(s, c.Seed)
				out = append(out, c)
				size[c] = c.Scale * s.Background.Rate * time.Duration(s.Duration).Seconds() * (1 + x)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Case) int {
		return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(size[b], size[a]))
	})
	return out, nil
}

// flood says that the scenario's attacks are measured by the whole background.
func flood(s *replay.Scenario) bool {
	for _, a := range s.Attacks {
		if a.Intensity > 0 && a.RelativeTo == "all" {
			return true
		}
	}
	return false
}

// maxLines bounds the people's requests of one run, four times as many where the
// attack is measured by their sign-ins.
const maxLines = 250_000

// scale varies the size of the site from seed to seed, 150 to 1,000 requests/s on
// an ordinary evening, less where the scenario is long or its crowd large:
// nothing may hang on a rate.
func scale(s *replay.Scenario, seed uint64) float64 {
	x := float64(seed*7%11) / 10
	if s.Name == "semi-final" {
		return 0.004 + 0.016*x
	}
	limit := float64(maxLines)
	for _, a := range s.Attacks {
		if a.RelativeTo == "sign_in" { // one request in a hundred signs in
			limit *= 4
		}
	}
	lines := s.Background.Rate * time.Duration(s.Duration).Seconds()
	for _, c := range s.Crowds {
		lines += c.Intensity*s.Background.Rate*time.Duration(c.Duration).Seconds() + c.Sessions*9
	}
	return min(150*math.Pow(1000.0/150, x)/s.Background.Rate, (0.4+0.6*x)*limit/lines)
}
