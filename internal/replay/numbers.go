package replay

import (
	"fmt"
	"math"
	"time"
)

// Numbers are those of a built-in scenario that a load generator needs to do the
// same: who arrives when, and what each does. They come out of the generator
// itself, so that a rehearsal with requests and one with log lines are the same
// match.
type Numbers struct {
	Scenario    string `json:"scenario"`
	Description string `json:"description"`
	Crowd       string `json:"crowd"`   // class of the people
	Seconds     int    `json:"seconds"` // how long they arrive
	// Visits that begin each second at scale 1, the mean of each of the equally
	// long stages.
	VisitsPerSecond  []float64 `json:"visits_per_second"`
	Visits           float64   `json:"visits"` // in all
	RequestsPerVisit float64   `json:"requests_per_visit"`
	Steps            []Step    `json:"steps"`
}

// Step is a part of what one visit does: between Least and Most requests, in a
// Share of the visits, Gap seconds on average before each.
type Step struct {
	Name  string  `json:"name"`
	Least int     `json:"least"`
	Most  int     `json:"most"`
	Share float64 `json:"share"`
	Gap   float64 `json:"gap_seconds"`
	Timer bool    `json:"timer,omitempty"` // a timer's even gap rather than a person's
}

// stages is into how many parts the time of arrival is divided.
const stages = 20

// small is a scale at which a scenario is prepared in no time; what is counted
// is multiplied back.
const small = 1e-3

// NumbersOf are the numbers of a class of people in a built-in scenario, with the
// programs that phones run (those of a crowd are alike on all devices but in
// browsers).
func NumbersOf(scenario string, people Class) (*Numbers, error) {
	s, err := Builtin(scenario)
	if err != nil {
		return nil, err
	}
	g, err := New(s, Options{Seed: 1, Scale: small, WithoutAttacks: true})
	if err != nil {
		return nil, err
	}
	for _, src := range g.sources {
		if src.class == people {
			return g.numbers(src), nil
		}
	}
	return nil, fmt.Errorf("scenario %s has no %s", scenario, people)
}

func (g *Generator) numbers(src *source) *Numbers {
	length := src.to - src.from
	n := &Numbers{
		Scenario: g.scenario.Name, Description: g.scenario.Description, Crowd: src.class.String(),
		Seconds: int(time.Duration(length).Seconds()),
	}
	const samples = 100 // of a stage
	for stage := range stages {
		sum := 0.0
		for i := range samples {
			sum += g.visits(src, src.from+length*int64(stage*samples+i)/(stages*samples))
		}
		n.VisitsPerSecond = append(n.VisitsPerSecond, round(sum/samples/small))
		n.Visits += sum / samples / small * float64(n.Seconds) / stages
	}
	n.Visits = math.Round(n.Visits)
	program := g.site.programs[src.programs[deviceIOS]]
	n.RequestsPerVisit = round(program.mean)
	for _, st := range program.steps {
		n.Steps = append(n.Steps, Step{
			Name: g.site.nameOf(st.route), Least: int(st.low), Most: int(st.up),
			Share: round(float64(st.chance) / (1 << 32)), Gap: time.Duration(st.gap).Seconds(), Timer: st.rhythmic,
		})
	}
	return n
}

// stepNames are what the broadcaster's routes are called, by role and order.
var stepNames = map[role][]string{
	roleHome: {"home"}, rolePage: {"title"}, roleList: {"section"}, roleLive: {"live"}, roleSearch: {"search"},
	roleAsset: {"asset"}, roleImage: {"image"}, roleConfig: {"config"}, roleSignIn: {"sign_in"}, roleToken: {"token"},
	roleAPI: {"catalog", "detail", "score"}, rolePlay: {"play"}, roleManifest: {"manifest"}, roleHeartbeat: {"heartbeat"},
	roleAds: {"ad_pod", "ad_beacon"},
}

func (s *site) nameOf(route uint8) string {
	r := s.routes[route].role
	for i, other := range s.roles[r] {
		if other == route && i < len(stepNames[r]) {
			return stepNames[r][i]
		}
	}
	return fmt.Sprintf("route_%d", route)
}

// round keeps three decimals, enough for a plan and stable on every machine.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }
