package score

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/request"
)

func TestProposedRulesDoWhatTheirFindingEstimates(t *testing.T) {
	if testing.Short() {
		t.Skip("replays of several minutes are long")
	}
	for _, c := range []Case{
		{Scenario: "flood", Seed: 5},             // 93 clients, a few user agents
		{Scenario: "cache-busting", Seed: 2},     // of a data centre
		{Scenario: "ua-rotation", Seed: 2},       // another user agent each time
		{Scenario: "low-and-many", Seed: 1},      // one request in ten seconds each
		{Scenario: "flood-distributed", Seed: 2}, // in the audience's manner, from 2,000 clients
	} {
		t.Run(c.Scenario, func(t *testing.T) {
			s, err := replay.Builtin(c.Scenario)
			require.NoError(t, err)
			c.Scale, c.Duration = scale(s, c.Seed), 6*time.Minute
			if flood(s) {
				c.Intensity = 0.5
			}
			service, err := c.Service()
			require.NoError(t, err)
			judge, err := Vigie(detect.Config{Seed: c.Seed}, service)
			require.NoError(t, err)
			out, err := c.Run(t.Context(), Entrant{Name: VigieName, Judge: judge})
			require.NoError(t, err)
			a := out[0].Attacks[0]
			t.Logf("stop %.3f hit %.4f, as they stood %.3f and %.4f, estimated %.3f and %.4f", a.Coverage, a.RuleHit, a.LiveCover, a.LiveHit, a.EstCover, a.EstHit)
			require.True(t, a.HasRules)
			require.GreaterOrEqual(t, a.Coverage, 0.9)
			require.LessOrEqual(t, a.RuleHit, 0.005)
			require.InDelta(t, a.Coverage, a.EstCover, 0.05)
			require.InDelta(t, a.RuleHit, a.EstHit, 0.005)
		})
	}
}

func TestRulesAreTriedAsAFirewallReadsThem(t *testing.T) {
	rule := func(action string, match ...finding.Condition) finding.Rule {
		return finding.Rule{Action: action, Match: match}
	}
	absent := finding.Condition{Field: names.HTTPRequestHeaderReferer, Op: finding.OpAbsent}
	query := finding.Condition{Field: names.URLQuery, Op: finding.OpPresent}
	prefix := finding.Condition{Field: names.URLPath, Op: finding.OpPrefix, Values: []string{"/a/", "/b/"}}
	r := &request.Request{Path: []byte("/b/c"), Query: []byte("x")}
	for _, c := range []struct {
		rule finding.Rule
		want bool
	}{
		{rule(finding.ActionBlock, absent, query, prefix), true},
		{rule(finding.ActionChallenge, absent, query, prefix), false},
		{rule(finding.ActionCount, absent), false},
		{rule(finding.ActionBlock), false},
		{rule(finding.ActionBlock, finding.Condition{Field: "enduser.id", Op: finding.OpPresent}), false},
	} {
		require.Equal(t, c.want, newMatcher([]finding.Rule{c.rule}).match(r), "%+v", c.rule)
	}
	r.Query, r.Referer = nil, []byte("https://a.example/")
	require.False(t, newMatcher([]finding.Rule{rule(finding.ActionBlock, absent)}).match(r))
	require.False(t, newMatcher([]finding.Rule{rule(finding.ActionBlock, query)}).match(r))
}
