package awsclient

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Clock is the time that requests are signed with: this machine's, until AWS refuses
// it. A signature holds for five minutes; a node whose clock is further off would get
// nothing out. The zero value is ready to use.
type Clock struct {
	ahead atomic.Int64 // ns that AWS' clock is ahead of ours
}

// clockTolerance is less than a signature's validity: what is refused for the clock
// is further off, and what is nearer was refused for something else.
const clockTolerance = 4 * time.Minute

// At is AWS' time when this machine's is now.
func (c *Clock) At(now time.Time) time.Time { return now.Add(time.Duration(c.ahead.Load())) }

// Refused takes the service's time from an answer that refused a signature of signed;
// now is this machine's. It says whether that was the clock's doing, and how far AWS'
// is ahead (negative: behind): the same request, signed again, may pass. Of several
// that were under way at once each is told so.
func (c *Clock) Refused(resp *http.Response, signed, now time.Time) (ahead time.Duration, wrong bool) {
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil || theirs.Sub(signed).Abs() <= clockTolerance {
		return 0, false
	}
	ahead = theirs.Sub(now)
	c.ahead.Store(int64(ahead))
	return ahead, true
}
