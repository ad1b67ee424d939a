package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/request"
)

// findings are those of a scenario that is known by nginx's combined lines alone.
func findings(t *testing.T, name string, o replay.Options) (open []finding.Finding, truth *replay.Truth) {
	sc, err := replay.Builtin(name)
	require.NoError(t, err)
	g, err := replay.New(sc, o)
	require.NoError(t, err)
	d, err := New(Config{})
	require.NoError(t, err)
	format, err := accesslog.ParseFormat("combined")
	require.NoError(t, err)
	parser, err := accesslog.New(format, accesslog.Options{})
	require.NoError(t, err)
	lines := replay.LineWriter{Format: replay.Combined}
	var ev replay.Event
	var r request.Request
	var line []byte
	take := func(fs []finding.Finding) {
		for _, f := range fs {
			if f.Status == finding.Open && (len(open) == 0 || open[len(open)-1].ID != f.ID) {
				open = append(open, f)
			}
		}
	}
	for second := g.Start().Unix(); g.Next(&ev); {
		for ; second < ev.UnixNano/1e9; second++ {
			take(d.Tick(time.Unix(second+1, 0).UTC()))
		}
		line = lines.Append(line[:0], &ev)
		r.Reset()
		require.NoError(t, parser.Parse(line[:len(line)-1], &r))
		d.Observe(&r)
	}
	return open, g.Truth()
}

// A thousand clients with the audience's own devices and networks open what it opens:
// at no time does that tell enough, but it goes on.
func TestWhatLeansTowardsAnAttackForLongIsOne(t *testing.T) {
	if testing.Short() {
		t.Skip("replays of several minutes are long")
	}
	open, truth := findings(t, "flood-distributed", replay.Options{Seed: 5, Scale: 0.073072128, Intensity: 1})
	require.Len(t, open, 1)
	require.WithinDuration(t, truth.Attacks[0].FirstRequest, open[0].DetectedAt, 30*time.Second)
}

func TestLookCountsTowardsOneThingAndForAWhileOnly(t *testing.T) {
	of := func(prior float32) *signature { return &signature{set: true, prior: prior} }
	x := excess{rows: []row{{w: 1}}, post: []float32{1}} // a look that accuses one row
	same, other := of(2), of(-2)
	looks := func(ep *episode, n int, every int64, sig *signature) (lasts bool) {
		for i := range n {
			lasts = ep.leans(1000+int64(i)*every, &x, sig)
		}
		return lasts
	}
	require.True(t, looks(&episode{}, leanLooks, 3, same))
	require.False(t, looks(&episode{}, leanLooks-1, 3, same))
	require.False(t, looks(&episode{}, 20, 4, same), "too seldom")
	require.False(t, looks(&episode{}, 20, 1, other), "each is of something else than the one before")
	var ep episode
	require.False(t, looks(&ep, leanLooks-1, 1, same))
	*ep.towards = *other
	require.False(t, looks(&ep, leanLooks-1, 1, same), "it begins anew")
	require.True(t, looks(&ep, 1, 1, same))
}

// A flood's first second is more than the sample of what is recent holds, and comes
// before anybody has looked.
func TestAFloodsFirstSecondIsNoOrdinaryTraffic(t *testing.T) {
	s := newSite(t)
	second := func(from string, n int) {
		for i := range n {
			s.at = s.at.Truncate(time.Second).Add(time.Duration(i) * time.Second / time.Duration(n+1))
			s.get(fmt.Sprintf("%s.%d", from, i%200), "GET", fmt.Sprintf("/p/%d", i%7), browser, "", 200)
		}
		s.wait(s.at.Truncate(time.Second).Add(time.Second).Sub(s.at))
	}
	for range 60 {
		second("192.0.2", 40)
	}
	second("198.51.100", 4000)
	second("192.0.2", 40)
	base := s.d.service(nil).sampler.base
	require.Greater(t, len(base), 500)
	for i := range base {
		if got := base[i].from.String(); !strings.HasPrefix(got, "192.0.2.") {
			t.Fatalf("%s is ordinary", got)
		}
	}
}

func TestTheRulesOfAFloodThatFillsTheSampleStopIt(t *testing.T) {
	r := play(t, "semi-final", 16, 0.0072, nil)
	t.Log(r)
	require.Len(t, r.found, 1)
	require.Greater(t, r.found[0].Mitigation.Coverage, 0.95)
	require.Less(t, r.found[0].Mitigation.LegitimateHit, 0.001)
}

// Nor is what an attack that rose slowly did before it was found.
func TestWhatBotsDidSinceTheyCameSpeaksAgainstNoRule(t *testing.T) {
	if testing.Short() {
		t.Skip("a replay of twenty minutes is long")
	}
	r := play(t, "slow-ramp", 2, 0.04, func(o *replay.Options) { o.Intensity = 0.5 })
	t.Log(r)
	require.Len(t, r.found, 1)
	require.Greater(t, r.found[0].Mitigation.Coverage, 0.99)
	require.Less(t, r.found[0].Mitigation.LegitimateHit, 0.001)
}

func TestAVisitorMayFindMoreDeadLinksThanAScanner(t *testing.T) {
	d, err := New(Config{})
	require.NoError(t, err)
	s := d.service([]byte("shop"))
	c := client{n: 24, dyn: 14, bad: 9, static: 10, refs: 10, tmpls: 0b11111, errs: 1<<9 - 1}
	require.Zero(t, s.scans(&c))
	c.static, c.dyn, c.refs = 0, 14, 0
	require.NotZero(t, s.scans(&c), "with nothing of a visit")
}

func TestAFewOddOnesOfACrowdAreNotEnough(t *testing.T) {
	require.True(t, (&opinion{share: 0.05}).large(0.04))
	require.False(t, (&opinion{share: 0.05, crowded: 0.75}).large(0.04))
	require.True(t, (&opinion{share: 0.12, crowded: 0.75}).large(0.04), "half as many as the baseline's requests")
}

func TestWhatIsOddDecidesHowLongItMustLast(t *testing.T) {
	for name, c := range map[string]struct {
		score, share float32
		odd          [groups]float32
		alien        float32
		auth         bool
		attack, lean bool
	}{
		"who they are, enough at once":        {score: 2, share: 0.1, odd: [groups]float32{groupAgent: 0.6}, attack: true, lean: true},
		"who they are, nearly enough":         {score: 1.75, share: 0.1, odd: [groups]float32{groupNetwork: 0.2}, lean: true},
		"of too few":                          {score: 1.75, share: 0.07, odd: [groups]float32{groupAgent: 0.6}},
		"not enough":                          {score: 1.5, share: 0.5, odd: [groups]float32{groupAgent: 0.6}},
		"how much they ask, nearly enough":    {score: 1.75, share: 0.5, odd: [groups]float32{groupLoad: 1}},
		"how much they ask, enough":           {score: 2, share: 0.5, odd: [groups]float32{groupLoad: 1}, attack: true},
		"what they do in one place":           {score: 2.25, share: 0.5, odd: [groups]float32{groupSession: 1, groupPath: 1, groupAge: 1}, lean: true},
		"the same, nearly enough":             {score: 1.75, share: 0.5, odd: [groups]float32{groupSession: 1, groupPath: 1, groupAge: 1}},
		"what they do all over the site":      {score: 2.25, share: 0.5, odd: [groups]float32{groupSession: 1}, alien: 1, attack: true},
		"what they do among refused sign-ins": {score: 2.25, share: 0.5, odd: [groups]float32{groupSession: 1}, auth: true, attack: true},
	} {
		op := opinion{score: c.score, share: c.share, strange: c.odd, alien: c.alien}
		op.decide(c.auth)
		if op.attack != c.attack || op.lean != c.lean {
			t.Errorf("%s: attack %v, lean %v", name, op.attack, op.lean)
		}
	}
}
