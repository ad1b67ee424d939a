package checkcmd

import (
	"net/http"
	"sync"
	"time"
)

// clock compares this machine's clock with the Date headers of answers. AWS
// refuses a signature that is more than 5 minutes off.
type clock struct {
	mu     sync.Mutex
	offset time.Duration // guarded by mu: of the answer that took least
	took   time.Duration // guarded by mu; 0 before the first
	from   string        // guarded by mu
}

// see takes an answer in; from is a host. The header has whole seconds, and the
// server wrote it somewhere between sent and now.
func (c *clock) see(from, date string, sent, now time.Time) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	took := now.Sub(sent) + 1
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.took == 0 || took < c.took {
		middle := sent.Add(took / 2)
		c.offset, c.took, c.from = middle.Sub(at.Add(500*time.Millisecond)), took, from
	}
}

const (
	clockFails = 5 * time.Minute // AWS' limit
	clockWarns = 30 * time.Second
)

func (c *clock) result() (Result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.took == 0 {
		return Result{}, false
	}
	off := c.offset.Abs()
	side := "ahead of"
	if c.offset < 0 {
		side = "behind"
	}
	var r Result
	switch {
	case off > clockFails:
		r = fail("synchronise the clock (chrony with 169.254.169.123 on EC2)", "%s %s %s; AWS refuses signatures that are more than %s off", off.Round(time.Second), side, c.from, clockFails)
	case off > clockWarns:
		r = warn("synchronise the clock (chrony with 169.254.169.123 on EC2)", "%s %s %s; past %s AWS refuses signatures", off.Round(time.Second), side, c.from, clockFails)
	case off < 2*time.Second:
		r = ok("as that of %s, within 2 s", c.from)
	default:
		r = ok("%s %s %s", off.Round(time.Second), side, c.from)
	}
	r.Part = "clock"
	return r, true
}

// timed passes requests on and lets the clock see the answers.
type timed struct {
	clock *clock
	base  http.RoundTripper
}

func (t timed) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := time.Now()
	res, err := t.base.RoundTrip(req)
	if err == nil {
		t.clock.see(req.URL.Host, res.Header.Get("Date"), sent, time.Now())
	}
	return res, err
}
