package detect

import (
	"errors"
	"fmt"
	"time"
)

// Config says how a Detector decides. The zero value works.
type Config struct {
	// Seed keys every hash, so that nobody can craft keys that collide, and
	// every sample. Detectors whose summaries are merged share it. 0 is a seed
	// like any other.
	Seed uint64

	// MaxServices is how many services have a state of their own; requests of
	// further ones are judged together as OverflowService and counted.
	// 0 means 256. A service holds at most 8 MiB.
	MaxServices int

	// Lateness is how far behind the newest event time a request may be and
	// still count in the rate of its second. Later ones count for their client
	// and in the total, never in a rate. 0 means 3 s; at most 1 min.
	Lateness time.Duration

	// SilentAfter is how long a service may send nothing before its verdict is
	// unknown. 0 means 60 s.
	SilentAfter time.Duration

	// CloseAfter is how long after its last request a finding closes. 0 means
	// 60 s; the target is that it is closed 90 s after the attack's end.
	CloseAfter time.Duration

	// MinFloodRate is the least excess, in requests a second, that can be a
	// flood: below it a site is not harmed. 0 means 5. Classes that need no
	// surge do not use it.
	MinFloodRate float64

	// MinFloodShare is the least share of a service's requests, 0–1, that can be
	// a flood. 0 means 0.04.
	MinFloodShare float64

	// Expect gives by what factor a service's request rate may exceed its
	// baseline at a time, from the event calendar; 1 means nothing is planned.
	// It widens what counts as a surge and nothing else: composition is judged
	// the same. nil means 1.
	Expect func(service string, at time.Time) float64
}

const (
	defaultMaxServices = 256
	defaultLateness    = 3 * time.Second
	maxLateness        = time.Minute
)

// Validate reports everything that is wrong with c.
func (c *Config) Validate() error {
	var errs []error
	if c.MaxServices < 0 {
		errs = append(errs, fmt.Errorf("max services must not be negative (got %d), e.g. 256", c.MaxServices))
	}
	if c.Lateness < 0 || c.Lateness > maxLateness {
		errs = append(errs, fmt.Errorf("lateness must be within 0 and %s (got %s), e.g. 3s", maxLateness, c.Lateness))
	}
	if c.SilentAfter < 0 {
		errs = append(errs, fmt.Errorf("silent after must not be negative (got %s), e.g. 60s", c.SilentAfter))
	}
	if c.CloseAfter < 0 {
		errs = append(errs, fmt.Errorf("close after must not be negative (got %s), e.g. 60s", c.CloseAfter))
	}
	if c.MinFloodRate < 0 {
		errs = append(errs, fmt.Errorf("min flood rate must not be negative (got %g), e.g. 5", c.MinFloodRate))
	}
	if c.MinFloodShare < 0 || c.MinFloodShare > 1 {
		errs = append(errs, fmt.Errorf("min flood share must be within 0 and 1 (got %g), e.g. 0.04", c.MinFloodShare))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.MaxServices == 0 {
		c.MaxServices = defaultMaxServices
	}
	if c.Lateness == 0 {
		c.Lateness = defaultLateness
	}
	if c.SilentAfter == 0 {
		c.SilentAfter = time.Minute
	}
	if c.CloseAfter == 0 {
		c.CloseAfter = time.Minute
	}
	if c.MinFloodRate == 0 {
		c.MinFloodRate = 5
	}
	if c.MinFloodShare == 0 {
		c.MinFloodShare = 0.04
	}
	if c.Expect == nil {
		c.Expect = func(string, time.Time) float64 { return 1 }
	}
	return c
}
