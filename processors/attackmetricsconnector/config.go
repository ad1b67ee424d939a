package attackmetricsconnector

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config is what users set.
type Config struct {
	// Interval is how often metrics are emitted. Default 1s.
	Interval time.Duration `mapstructure:"interval"`
	// StaleAfter is how long after a service's last summary its verdict is
	// unknown and its gauges end. Default 30s.
	StaleAfter time.Duration `mapstructure:"stale_after"`
	// ForgetAfter is how long after its last summary a service's metrics end.
	// Default 1h.
	ForgetAfter time.Duration `mapstructure:"forget_after"`
	// MaxServices is how many services may have metrics; summaries of further
	// ones are dropped and counted. Default 300: the processor's limit of 256,
	// and room for those of a detector that was replaced.
	MaxServices int `mapstructure:"max_services"`
	// MaxOrigins is how many detectors may report on one service. Default 256;
	// the one that was silent for longest goes first.
	MaxOrigins int `mapstructure:"max_origins"`
}

func defaultConfig() component.Config {
	return &Config{Interval: time.Second, StaleAfter: 30 * time.Second, ForgetAfter: time.Hour, MaxServices: 300, MaxOrigins: 256}
}

// Validate reports everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if c.Interval < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("interval must be 100ms or more (got %s), e.g. 1s", c.Interval))
	}
	if c.StaleAfter <= c.Interval {
		errs = append(errs, fmt.Errorf("stale_after must be longer than interval (got %s), e.g. 30s", c.StaleAfter))
	}
	if c.ForgetAfter < c.StaleAfter {
		errs = append(errs, fmt.Errorf("forget_after must not be shorter than stale_after (got %s), e.g. 1h", c.ForgetAfter))
	}
	if c.MaxServices <= 0 {
		errs = append(errs, fmt.Errorf("max_services must be positive (got %d), e.g. 300", c.MaxServices))
	}
	if c.MaxOrigins <= 0 {
		errs = append(errs, fmt.Errorf("max_origins must be positive (got %d), e.g. 256", c.MaxOrigins))
	}
	return errors.Join(errs...)
}
