package score

import (
	"context"
	"fmt"
	"time"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/request"
)

// Case is one run: a scenario under a seed, at a scale and an intensity.
type Case struct {
	Scenario  string
	Seed      uint64
	Scale     float64
	Intensity float64 // 0: as the scenario says
	Duration  time.Duration
	// SkipRules leaves out the second run, which tries the proposed rules.
	SkipRules bool `json:",omitempty"`
	keepRules bool // for a closer look
}

// Outcome is what a judge made of a case.
type Outcome struct {
	Case    Case            `json:"case"`
	Judge   string          `json:"judge"`
	Expect  string          `json:"expect"`
	Lines   int64           `json:"lines"`
	Attacks []AttackOutcome `json:"attacks"`
	// False are the attack findings that opened outside any attack.
	False []finding.Finding `json:"false_findings"`
	// LegitMarked of Legit requests were marked at any time.
	Legit       int64 `json:"legitimate"`
	LegitMarked int64 `json:"legitimate_marked"`
	// Verdicts counts the seconds under each verdict, outside attacks and during.
	Calm  map[finding.Verdict]int `json:"verdicts_without_attack"`
	Under map[finding.Verdict]int `json:"verdicts_under_attack"`
}

// AttackOutcome is how one attack was seen.
type AttackOutcome struct {
	Truth    replay.AttackTruth `json:"truth"`
	Found    bool               `json:"found"`
	Class    finding.Class      `json:"class"`     // of the first finding, as it was told last
	Findings int                `json:"findings"`  // that opened during it
	Delay    time.Duration      `json:"delay"`     // first request to the tick that opened it
	Closed   bool               `json:"closed"`    // all findings closed within the run
	Close    time.Duration      `json:"close"`     // last request to the last closing tick
	Marked   int64              `json:"marked"`    // attack requests
	After    int64              `json:"after"`     // attack requests after the opening
	LegitHit int64              `json:"legit_hit"` // legitimate requests marked after the opening
	LegitAll int64              `json:"legit_all"` // legitimate requests after the opening, until the attack's end

	HasRules  bool    `json:"has_rules"`
	Coverage  float64 `json:"coverage"`      // measured share of the attack, after the opening, that the last rules stop
	RuleHit   float64 `json:"rule_hit"`      // and of the legitimate requests in the same time
	LiveCover float64 `json:"coverage_live"` // the same of the rules as they stood when each request came
	LiveHit   float64 `json:"rule_hit_live"`
	EstCover  float64 `json:"est_cover"` // the detector's own estimates, of the last rules together
	EstHit    float64 `json:"est_hit"`
	proposals []proposal
	opened    time.Time
}

// Precision is the share of the marks, from the opening on, that hit the attack.
func (a *AttackOutcome) Precision() float64 {
	if a.Marked+a.LegitHit == 0 {
		return 1
	}
	return float64(a.Marked) / float64(a.Marked+a.LegitHit)
}

// Recall is the share of the attack's requests, from the opening on, that were
// marked.
func (a *AttackOutcome) Recall() float64 {
	if a.After == 0 {
		return 0
	}
	return float64(a.Marked) / float64(a.After)
}

// Entrant is a judge with its name.
type Entrant struct {
	Name  string
	Judge Judge
}

// Run plays the case to the judges as nginx combined lines, read back as a
// collector reads them: without host, duration or account, and with times cut to
// the second. It gives an outcome for each, in order. A second run applies the
// rules that were proposed.
func (c Case) Run(ctx context.Context, entrants ...Entrant) ([]*Outcome, error) {
	g, err := c.generator()
	if err != nil {
		return nil, err
	}
	p, err := newPlayer(g)
	if err != nil {
		return nil, err
	}
	trials := make([]*trial, len(entrants))
	for i, e := range entrants {
		o := &Outcome{Case: c, Judge: e.Name, Calm: map[finding.Verdict]int{}, Under: map[finding.Verdict]int{}}
		o.Attacks = make([]AttackOutcome, len(g.Truth().Attacks))
		trials[i] = &trial{outcome: o, truth: g.Truth(), judge: e.Judge, status: map[string]*seen{}}
	}
	second := g.Start().Unix()
	tick := func() {
		second++
		for _, t := range trials {
			t.tick(time.Unix(second, 0).UTC())
		}
	}
	for p.next() {
		if s := p.event.UnixNano / 1e9; s > second {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for second < s {
				tick()
			}
		}
		for _, t := range trials {
			t.observe(&p.event, &p.request)
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	// The log goes silent: ticks go on, as they do live, and findings close.
	for range 120 {
		tick()
	}
	var outcomes []*Outcome
	for _, t := range trials {
		t.findings(t.judge.Flush(), time.Unix(second, 0).UTC())
		t.finish()
		if !c.SkipRules {
			if err := c.applyRules(ctx, t.outcome); err != nil {
				return nil, err
			}
		}
		if !c.keepRules {
			for i := range t.outcome.Attacks { // ten thousand addresses each
				t.outcome.Attacks[i].proposals = nil
			}
		}
		outcomes = append(outcomes, t.outcome)
	}
	return outcomes, nil
}

func (c Case) generator() (*replay.Generator, error) {
	s, err := replay.Builtin(c.Scenario)
	if err != nil {
		return nil, err
	}
	return replay.New(s, replay.Options{Seed: c.Seed, Scale: c.Scale, Intensity: c.Intensity, Duration: c.Duration})
}

// player makes the requests as a log shows them.
type player struct {
	g       *replay.Generator
	lines   replay.LineWriter
	parser  *accesslog.Parser
	event   replay.Event
	request request.Request
	buf     []byte
	service []byte
	err     error
}

func newPlayer(g *replay.Generator) (*player, error) {
	format, err := accesslog.ParseFormat("combined")
	if err != nil {
		return nil, err
	}
	parser, err := accesslog.New(format, accesslog.Options{})
	if err != nil {
		return nil, err
	}
	return &player{g: g, parser: parser, lines: replay.LineWriter{Format: replay.Combined}, service: []byte(g.Service())}, nil
}

func (p *player) next() bool {
	if !p.g.Next(&p.event) {
		return false
	}
	p.buf = p.lines.Append(p.buf[:0], &p.event)
	p.request.Reset()
	if err := p.parser.Parse(p.buf[:len(p.buf)-1], &p.request); err != nil {
		p.err = fmt.Errorf("line %d (%q): %w", p.g.Truth().Lines, p.buf, err)
		return false
	}
	p.request.Service = p.service
	return true
}

// trial keeps the books of one run.
type trial struct {
	outcome *Outcome
	truth   *replay.Truth
	judge   Judge
	status  map[string]*seen
}

// seen is a finding's life; attack is -1 where it is nobody's.
type seen struct {
	attack int
	first  bool // of its attack
	closed bool
}

func (t *trial) observe(ev *replay.Event, r *request.Request) {
	id := t.judge.Observe(r)
	marked := id != ""
	o := t.outcome
	if ev.Attack >= 0 {
		if a := &o.Attacks[ev.Attack]; a.Found {
			a.After++
			if marked {
				a.Marked++
			}
		}
		return
	}
	o.Legit++
	if marked {
		o.LegitMarked++
	}
	for i := range o.Attacks {
		a := &o.Attacks[i]
		if !a.Found || ev.UnixNano > t.truth.Attacks[i].End.UnixNano() {
			continue
		}
		a.LegitAll++
		if marked {
			a.LegitHit++
		}
	}
}

func (t *trial) tick(now time.Time) {
	t.findings(t.judge.Tick(now), now)
	under := false
	for _, a := range t.truth.Attacks {
		under = under || a.Requests > 0 && !now.Before(a.FirstRequest) && now.Before(a.End)
	}
	if under {
		t.outcome.Under[t.judge.Verdict()]++
	} else {
		t.outcome.Calm[t.judge.Verdict()]++
	}
}

// grace is how long after an attack's end a finding that opens still is about it.
const grace = 60 * time.Second

// attackAt is the attack that a finding which opens now is about; -1 for none.
func (t *trial) attackAt(now time.Time) int {
	for i, a := range t.truth.Attacks {
		if a.Requests > 0 && !now.Before(a.FirstRequest) && now.Before(a.End.Add(grace)) {
			return i
		}
	}
	return -1
}

func (t *trial) findings(list []finding.Finding, now time.Time) {
	for _, f := range list {
		if !f.Class.Attack() {
			continue
		}
		s := t.status[f.ID]
		if s == nil {
			s = &seen{attack: t.attackAt(now)}
			t.status[f.ID] = s
			if s.attack < 0 {
				t.outcome.False = append(t.outcome.False, f)
			} else {
				a := &t.outcome.Attacks[s.attack]
				a.Findings++
				if !a.Found {
					s.first = true
					a.Found, a.opened = true, now
					a.Delay = now.Sub(t.truth.Attacks[s.attack].FirstRequest)
				}
			}
		}
		if s.attack >= 0 {
			a := &t.outcome.Attacks[s.attack]
			if s.first {
				a.Class = f.Class // it follows the evidence: what it was last
			}
			if len(f.Rules) > 0 {
				a.proposals = append(a.proposals, proposal{at: now.UnixNano(), finding: &f})
			}
			if f.Status == finding.Closed && !s.closed {
				a.Close = max(a.Close, now.Sub(t.truth.Attacks[s.attack].LastRequest))
			}
		}
		s.closed = s.closed || f.Status == finding.Closed
	}
}

func (t *trial) finish() {
	t.outcome.Lines, t.outcome.Expect = t.truth.Lines, t.truth.Expect
	for i := range t.outcome.Attacks {
		a := &t.outcome.Attacks[i]
		a.Truth = t.truth.Attacks[i]
		a.Closed = a.Found
		for _, s := range t.status {
			if s.attack == i && !s.closed {
				a.Closed = false
			}
		}
	}
}

// Service is the name under which the case's requests are judged.
func (c Case) Service() (string, error) {
	g, err := c.generator()
	if err != nil {
		return "", err
	}
	return g.Service(), nil
}
