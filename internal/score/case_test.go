package score

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/request"
)

// oracle opens a finding a fixed time after the attack began, marks what has the
// attack's user agent, and closes a fixed time after its end.
type oracle struct {
	opens, closes time.Time
	agent         string
	open          bool
	last          finding.Finding
}

func (o *oracle) Observe(r *request.Request) string {
	if o.open && string(r.UserAgent) == o.agent {
		return "f"
	}
	return ""
}

func (o *oracle) Tick(now time.Time) []finding.Finding {
	switch {
	case !o.open && !now.Before(o.opens) && now.Before(o.closes):
		o.open = true
		o.last = finding.Finding{
			ID: "f", Class: finding.HTTPFlood, Status: finding.Open, DetectedAt: now,
			Rules: []finding.Rule{{Kind: "user_agent", Action: finding.ActionBlock, Match: []finding.Condition{{Field: names.UserAgentOriginal, Op: finding.OpEquals, Values: []string{o.agent}}}}},
		}
		return []finding.Finding{o.last}
	case o.open && !now.Before(o.closes):
		o.open = false
		o.last.Status, o.last.ClosedAt = finding.Closed, now
		return []finding.Finding{o.last}
	}
	return nil
}

func (o *oracle) Flush() []finding.Finding { return nil }

func (o *oracle) Verdict() finding.Verdict {
	if o.open {
		return finding.Attack
	}
	return finding.Normal
}

// toolCase is a seed whose flood comes with one tool's name, and that name.
func toolCase(t *testing.T) (Case, string, replay.AttackTruth) {
	t.Helper()
	for seed := range uint64(100) {
		c := Case{Scenario: "flood", Seed: seed, Scale: 0.02, Intensity: 0.5}
		g, err := c.generator()
		require.NoError(t, err)
		if g.Truth().Attacks[0].Style.Agents != "tool" {
			continue
		}
		agents := map[string]bool{}
		var ev replay.Event
		for g.Next(&ev) {
			if ev.Attack >= 0 {
				agents[string(ev.UserAgent)] = true
			}
		}
		for agent := range agents {
			if len(agents) == 1 {
				return c, agent, g.Truth().Attacks[0]
			}
		}
	}
	t.Fatal("no seed has such a flood")
	return Case{}, "", replay.AttackTruth{}
}

func TestAJudgeThatKnowsTheTruthGetsFullMarks(t *testing.T) {
	c, agent, truth := toolCase(t)
	o := &oracle{agent: agent, opens: truth.Start.Add(4 * time.Second), closes: truth.End.Add(30 * time.Second)}
	outcomes, err := c.Run(t.Context(), Entrant{"oracle", o})
	require.NoError(t, err)
	out := outcomes[0]
	a := out.Attacks[0]
	if !a.Found || a.Precision() != 1 || a.Recall() != 1 || a.Findings != 1 || len(out.False) != 0 || out.LegitMarked != 0 {
		t.Errorf("%+v", a)
	}
	if a.Delay < 3*time.Second || a.Delay > 5*time.Second || !a.Closed || a.Close < 29*time.Second || a.Close > 31*time.Second {
		t.Errorf("found after %s, closed after %s", a.Delay, a.Close)
	}
	if !a.HasRules || a.Coverage != 1 || a.RuleHit != 0 {
		t.Errorf("the rule stops %.3f of the attack and hits %.4f of the people", a.Coverage, a.RuleHit)
	}
	if out.Under[finding.Attack] < 170 || out.Calm[finding.Normal] < 250 {
		t.Errorf("verdicts under attack %v, else %v", out.Under, out.Calm)
	}
}

func TestAFindingBeforeTheAttackIsFalseAndAccusesPeople(t *testing.T) {
	c, _, truth := toolCase(t)
	g, err := c.generator()
	require.NoError(t, err)
	var ev replay.Event
	require.True(t, g.Next(&ev))
	o := &oracle{agent: string(ev.UserAgent), opens: truth.Start.Add(-time.Minute), closes: truth.End}
	outcomes, err := c.Run(t.Context(), Entrant{"oracle", o})
	require.NoError(t, err)
	out := outcomes[0]
	if out.Attacks[0].Found || len(out.False) != 1 || out.LegitMarked == 0 {
		t.Errorf("found %v, %d false findings, %d people marked", out.Attacks[0].Found, len(out.False), out.LegitMarked)
	}
}

func TestVigiesDetectorFindsAFloodAndStaysCalmInAnEvening(t *testing.T) {
	run := func(c Case) *Outcome {
		judge, err := Vigie(detect.Config{Seed: 1}, "broadcaster")
		require.NoError(t, err)
		outcomes, err := c.Run(t.Context(), Entrant{VigieName, judge})
		require.NoError(t, err)
		return outcomes[0]
	}
	flood := run(Case{Scenario: "flood", Seed: 2, Scale: 0.05, Intensity: 1})
	if a := flood.Attacks[0]; !a.Found || a.Delay > 10*time.Second || a.Precision() < 0.95 || len(flood.False) > 0 {
		t.Errorf("flood: found %v after %s, precision %.3f, %d false findings", a.Found, a.Delay, a.Precision(), len(flood.False))
	}
	if evening := run(Case{Scenario: "evening", Seed: 2, Scale: 0.02}); len(evening.False) > 0 {
		t.Errorf("evening: %+v", evening.False)
	}
}

func TestThePerClientBucketFindsTheHastyAndNotTheMany(t *testing.T) {
	found := func(c Case) bool {
		outcomes, err := c.Run(t.Context(), Entrant{"per-client", PerClient()}, Entrant{"ewma", EWMA()})
		require.NoError(t, err)
		if !outcomes[1].Attacks[0].Found {
			t.Errorf("%s: a doubled rate is not above 3 σ", c.Scenario)
		}
		return outcomes[0].Attacks[0].Found
	}
	c, _, _ := toolCase(t)
	c.Intensity = 10
	if !found(c) {
		t.Error("a hasty flood is not found")
	}
	if found(Case{Scenario: "low-and-many", Seed: 2, Scale: 0.05}) {
		t.Error("a client each ten seconds overflows")
	}
}

func TestRulesMatchAsAFirewallWould(t *testing.T) {
	rule := func(action string, match ...finding.Condition) finding.Rule {
		return finding.Rule{Action: action, Match: match}
	}
	net := finding.Condition{Field: names.ClientAddress, Op: finding.OpIn, Values: []string{"192.0.2.0/24", "2001:db8::/48", "198.51.100.7"}}
	path := finding.Condition{Field: names.URLPath, Op: finding.OpPrefix, Values: []string{"/search"}}
	r := func(client, path string) *request.Request {
		return &request.Request{Client: netip.MustParseAddr(client), Path: []byte(path)}
	}
	for _, tc := range []struct {
		rules []finding.Rule
		r     *request.Request
		want  bool
	}{
		{[]finding.Rule{rule("block", net)}, r("192.0.2.9", "/"), true},
		{[]finding.Rule{rule("block", net)}, r("198.51.100.7", "/"), true},
		{[]finding.Rule{rule("block", net)}, r("198.51.100.8", "/"), false},
		{[]finding.Rule{rule("block", net)}, r("2001:db8::5", "/"), true},
		{[]finding.Rule{rule("block", net, path)}, r("192.0.2.9", "/"), false},
		{[]finding.Rule{rule("block", net, path)}, r("192.0.2.9", "/search"), true},
		{[]finding.Rule{rule("block", net), rule("block", path)}, r("203.0.113.1", "/search"), true},
		{[]finding.Rule{rule("count", net)}, r("192.0.2.9", "/"), false},
		{[]finding.Rule{rule("block")}, r("192.0.2.9", "/"), false},
		{[]finding.Rule{rule("block", finding.Condition{Field: "what.is.this", Op: finding.OpEquals, Values: []string{""}})}, r("192.0.2.9", "/"), false},
	} {
		if got := newMatcher(tc.rules).match(tc.r); got != tc.want {
			t.Errorf("%+v on %s %s: %v", tc.rules, tc.r.Client, tc.r.Path, got)
		}
	}
}

func TestAPlanVariesTheSiteAndBoundsTheRuns(t *testing.T) {
	cases, err := Full().Cases()
	require.NoError(t, err)
	rates, perScenario, edge := map[float64]bool{}, map[string]int{}, 0
	for _, c := range cases {
		s, err := replay.Builtin(c.Scenario)
		require.NoError(t, err)
		if c.Scenario == "flood" {
			rates[c.Scale*s.Background.Rate] = true
		}
		if c.Intensity == 0 || c.Intensity == 0.2 {
			perScenario[c.Scenario]++
		}
		if c.Scenario == "flood" && c.Intensity == 10 {
			edge++
			if !Full().Baselines(c.Seed) {
				t.Errorf("%+v runs at an edge without the baselines", c)
			}
		}
		if n := c.Scale * s.Background.Rate * time.Duration(s.Duration).Seconds(); n > 4*maxLines*1.01 {
			t.Errorf("%+v has %.0f background requests", c, n)
		}
	}
	if len(rates) < 8 {
		t.Errorf("%d rates of a flood's background", len(rates))
	}
	for _, name := range replay.Names() {
		if perScenario[name] != 20 {
			t.Errorf("%s has %d seeds", name, perScenario[name])
		}
	}
	if edge != 5 {
		t.Errorf("a flood of +1,000 %% has %d seeds", edge)
	}
	if _, err := (Plan{Seeds: 1, Only: []string{"nothing"}}).Cases(); err == nil {
		t.Error("a scenario that does not exist was planned")
	}
}

func TestTheReportHasARowForEachScenario(t *testing.T) {
	c, agent, truth := toolCase(t)
	o := &oracle{agent: agent, opens: truth.Start.Add(4 * time.Second), closes: truth.End.Add(30 * time.Second)}
	outcomes, err := c.Run(t.Context(), Entrant{VigieName, o}, Entrant{"ewma", EWMA()})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, Report(&b, Summarize(outcomes), Provenance{Command: "vigie eval run", Machine: "m", Date: truth.Start, Cases: 1}, nil, nil))
	for _, want := range []string{"| flood | +50 % | 1/1 | 4.0 s | 4.0 s |", "| ewma | flood | +50 % |", "`vigie eval run`", "2026-07-14"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestASpreadGivesNearestRanks(t *testing.T) {
	var s Spread[int]
	if s.At(0.5) != 0 {
		t.Error("nothing has a median")
	}
	for i := range 20 {
		s.add(20 - i)
	}
	if s.At(0.5) != 10 || s.At(0.95) != 19 || s.At(1) != 20 || s.At(0) != 1 {
		t.Errorf("%d %d %d %d", s.At(0.5), s.At(0.95), s.At(1), s.At(0))
	}
}
