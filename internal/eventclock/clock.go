package eventclock

import "time"

const (
	// Jump is how far a stamp may lie from the clock without being doubted.
	// Longer silences are real (a log of nights and days), and so are broken
	// clocks: which of the two it is, the next events tell.
	Jump = 10 * time.Minute
	// Agree is how many events in a row must agree on a jump forward.
	Agree = 3
	// AgreeBack is how many must agree on a jump back. It is higher, since old
	// events among new ones are common (a proxy that was cut off delivers).
	AgreeBack = 256
)

// Step says what an event's stamp did to the clock.
type Step uint8

const (
	// Same: the clock is within the second it was in, or knows no time yet.
	Same Step = iota
	// NewSecond: the clock has entered a second that is later than all before.
	NewSecond
	// Rewound: the stream has gone back. What was learnt of later times is
	// from another life.
	Rewound
)

// Clock follows the time of a stream. The zero value knows no time yet.
type Clock struct {
	now     int64 // newest stamp that is believed, ns; 0 before the first
	second  int64 // the second that now is in
	doubted int64 // where the last stamps jumped to
	agree   int   // how many did in a row
}

// Now is the newest event time that is believed; false before there is one.
func (c *Clock) Now() (time.Time, bool) {
	return time.Unix(0, c.now).UTC(), c.now != 0
}

// Second is the start of the second that Now is in, which is when to tick.
func (c *Clock) Second() time.Time { return time.Unix(c.second, 0).UTC() }

// See takes the stamp of the next event, in nanoseconds since the epoch; 0 (the
// event has none) moves nothing.
func (c *Clock) See(unixNano int64) Step {
	ahead := unixNano - c.now
	if uint64(ahead) <= uint64(Jump) && c.now != 0 { // 0 ≤ ahead ≤ Jump
		c.agree = 0
		return c.set(unixNano)
	}
	return c.far(unixNano, ahead)
}

func (c *Clock) set(unixNano int64) Step {
	c.now = unixNano
	if unixNano < (c.second+1)*int64(time.Second) && c.second != 0 {
		return Same
	}
	c.second = unixNano / int64(time.Second)
	return NewSecond
}

func (c *Clock) far(unixNano, ahead int64) Step {
	if unixNano <= 0 {
		return Same
	}
	if c.now != 0 && ahead < 0 && ahead >= -int64(Jump) {
		c.agree = 0
		return Same
	}
	d := unixNano - c.doubted
	if c.agree == 0 || d > int64(Jump) || d < -int64(Jump) {
		c.agree = 0
	}
	c.doubted = unixNano
	c.agree++
	switch {
	case c.now != 0 && ahead < 0:
		if c.agree < AgreeBack {
			return Same
		}
		c.agree, c.second = 0, 0
		c.set(unixNano)
		return Rewound
	case c.agree < Agree:
		return Same
	}
	c.agree = 0
	return c.set(unixNano)
}
