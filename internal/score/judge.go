package score

import (
	"math"
	"net/netip"
	"time"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/request"
)

// Judge is a detector on trial: Vigie's, or a baseline.
type Judge interface {
	// Observe takes a request and says to which open finding it belongs; "" to
	// none. r is valid during the call.
	Observe(r *request.Request) (id string)
	// Tick closes the time until now and returns what opened, changed or closed.
	Tick(now time.Time) []finding.Finding
	// Flush ends the run.
	Flush() []finding.Finding
	// Verdict is that of the last tick.
	Verdict() finding.Verdict
}

// Vigie is Vigie's detector as a Judge of one service.
func Vigie(cfg detect.Config, service string) (Judge, error) {
	d, err := detect.New(cfg)
	if err != nil {
		return nil, err
	}
	return &vigie{Detector: d, service: service}, nil
}

type vigie struct {
	*detect.Detector
	service string
}

func (v *vigie) Observe(r *request.Request) string { return v.Detector.Observe(r).FindingID }

func (v *vigie) Verdict() finding.Verdict {
	s, ok := v.Status(v.service)
	if !ok {
		return finding.Unknown
	}
	return s.Verdict
}

// perClient is the baseline that most sites have: a leaky bucket a client, as in
// nginx's limit_req or CrowdSec's http-crawl (capacity 40, one request each
// 500 ms leaks). A client that overflows is banned for a minute. Its finding is
// open while anyone is banned.
type perClient struct {
	rate, capacity float64
	ban            int64
	clients        map[netip.Addr]*bucket
	episode        episode
	until          int64 // of the last ban
	now            int64
}

type bucket struct {
	level         float64
	at, bannedFor int64
}

// PerClient is the static per-client threshold.
func PerClient() Judge {
	return &perClient{rate: 2, capacity: 40, ban: 60e9, clients: map[netip.Addr]*bucket{}, episode: episode{name: "per-client"}}
}

func (p *perClient) Observe(r *request.Request) string {
	b := p.clients[r.Client]
	if b == nil {
		b = &bucket{at: r.UnixNano}
		p.clients[r.Client] = b
	}
	b.level = max(0, b.level-p.rate*float64(r.UnixNano-b.at)/1e9) + 1
	b.at = r.UnixNano
	if b.level > p.capacity {
		b.level = p.capacity
		b.bannedFor = r.UnixNano + p.ban
		p.until = max(p.until, b.bannedFor)
	}
	if r.UnixNano < b.bannedFor {
		return p.episode.id()
	}
	return ""
}

func (p *perClient) Tick(now time.Time) []finding.Finding {
	p.now = now.UnixNano()
	if now.Second() == 0 { // forget who is gone, so that a day fits in memory
		for a, b := range p.clients {
			if p.now-b.at > 120e9 {
				delete(p.clients, a)
			}
		}
	}
	return p.episode.set(p.until > p.now, now)
}

func (p *perClient) Flush() []finding.Finding { return p.episode.set(false, time.Unix(0, p.now).UTC()) }
func (p *perClient) Verdict() finding.Verdict { return p.episode.verdict() }

// ewma is the baseline of dashboards: the rate of ten seconds more than three
// standard deviations above its moving average. It marks everything meanwhile.
type ewma struct {
	alpha          float64
	mean, variance float64
	windows        int
	count          float64
	seconds        int
	episode        episode
	now            time.Time
}

// EWMA is the rate detector with 3 σ.
func EWMA() Judge { return &ewma{alpha: 0.05, episode: episode{name: "ewma"}} }

func (e *ewma) Observe(*request.Request) string {
	e.count++
	if e.episode.open {
		return e.episode.id()
	}
	return ""
}

func (e *ewma) Tick(now time.Time) []finding.Finding {
	e.now = now
	e.seconds++
	if e.seconds < 10 {
		return nil
	}
	x := e.count / 10
	e.count, e.seconds = 0, 0
	e.windows++
	// Six windows to begin with; a second of the mean's own Poisson noise is the
	// least deviation that means anything.
	sigma := math.Sqrt(max(e.variance, e.mean/10))
	high := e.windows > 6 && x > e.mean+3*sigma
	d := x - e.mean
	if e.windows == 1 {
		e.mean = x
	} else {
		e.mean += e.alpha * d
		e.variance = (1 - e.alpha) * (e.variance + e.alpha*d*d)
	}
	return e.episode.set(high, now)
}

func (e *ewma) Flush() []finding.Finding { return e.episode.set(false, e.now) }
func (e *ewma) Verdict() finding.Verdict { return e.episode.verdict() }

// episode is a baseline's alarm as a finding: begun, going on, over.
type episode struct {
	name  string
	open  bool
	began time.Time
	n     int
}

func (e *episode) id() string { return e.name }

func (e *episode) verdict() finding.Verdict {
	if e.open {
		return finding.Attack
	}
	return finding.Normal
}

func (e *episode) set(on bool, now time.Time) []finding.Finding {
	if on == e.open {
		return nil
	}
	e.open = on
	f := finding.Finding{ID: e.name + string(rune('0'+e.n%10)), Class: finding.HTTPFlood, Status: finding.Open, StartedAt: now, DetectedAt: now}
	if on {
		e.began = now
	} else {
		e.n++
		f.Status, f.StartedAt, f.DetectedAt, f.ClosedAt = finding.Closed, e.began, e.began, now
	}
	return []finding.Finding{f}
}
