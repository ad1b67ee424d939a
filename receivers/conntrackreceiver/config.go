package conntrackreceiver

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

// Config is the user's configuration.
type Config struct {
	metadata.MetricsBuilderConfig `mapstructure:",squash"`

	// NetNS is the path of the network namespace to read, e.g.
	// /host/proc/1/ns/net; entering it needs CAP_SYS_ADMIN. Empty, the default,
	// is the collector's own.
	NetNS string `mapstructure:"netns"`
	// StatsInterval is how often count, limit and counters are read (T0), some
	// 20 µs of CPU each. Default 2s; takes 100ms or more.
	StatsInterval time.Duration `mapstructure:"stats_interval"`
	// HalfOpenInterval is how often the entries that are not assured are read
	// (T1); when the table jumps they are read sooner. Default 10s; zero turns
	// it off.
	HalfOpenInterval time.Duration `mapstructure:"half_open_interval"`
	// HalfOpenMaxCPU stretches HalfOpenInterval so that T1 takes no more than
	// this share of one core. Default 5%; zero means no bound.
	HalfOpenMaxCPU Share `mapstructure:"half_open_max_cpu"`
	// FullInterval is how often the whole table is read at most (T2). Default
	// 30s; zero turns it off.
	FullInterval time.Duration `mapstructure:"full_interval"`
	// MaxCPU stretches FullInterval so that T2 takes no more than this share of
	// one core: 500,000 entries cost about a second, so 1% is one dump in 100 s.
	// Default 1%; zero means no bound.
	MaxCPU Share `mapstructure:"max_cpu"`
	// TopOwners is how many owners are reported by themselves, the rest as
	// "other". Default 20; zero reports only "other".
	TopOwners int `mapstructure:"top_owners"`
	// PodPrefixes are networks whose addresses are pods, where the CNI uses
	// neither host routes nor a bridge. Default none.
	PodPrefixes []string `mapstructure:"pod_prefixes"`
	// MaxRecords is how many flow records one dump sends to the logs pipeline at
	// most; those over it are counted. Default 5000; zero sends none.
	MaxRecords int `mapstructure:"max_records"`
	// Events configures the rate of NEW events (T3).
	Events EventsConfig `mapstructure:"events"`
}

// EventsConfig configures the events tier.
type EventsConfig struct {
	// Enabled turns it on. Default false: the kernel then makes a message for
	// each new flow, some 4 µs in its packet's path.
	Enabled bool `mapstructure:"enabled"`
	// ReadBuffer is the socket's buffer in bytes where events must be read one
	// by one. Default 32 MiB; zero means the default.
	ReadBuffer int `mapstructure:"read_buffer"`
}

// Validate reports all that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if c.StatsInterval < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("stats_interval must be 100ms or more (got %s), e.g. 2s", c.StatsInterval))
	}
	for _, d := range []struct {
		key   string
		value time.Duration
		eg    string
	}{{"half_open_interval", c.HalfOpenInterval, "10s"}, {"full_interval", c.FullInterval, "30s"}} {
		if d.value != 0 && d.value < time.Second {
			errs = append(errs, fmt.Errorf("%s must be 1s or more, or 0 for off (got %s), e.g. %s", d.key, d.value, d.eg))
		}
	}
	for _, s := range []struct {
		key   string
		value Share
		eg    string
	}{{"half_open_max_cpu", c.HalfOpenMaxCPU, "5%"}, {"max_cpu", c.MaxCPU, "1%"}} {
		if s.value < 0 || s.value > 1 {
			errs = append(errs, fmt.Errorf("%s must be between 0%% and 100%% of one core (got %s), e.g. %s", s.key, s.value, s.eg))
		}
	}
	for _, n := range []struct {
		key        string
		value, max int
	}{{"top_owners", c.TopOwners, 1000}, {"max_records", c.MaxRecords, 1_000_000}, {"events::read_buffer", c.Events.ReadBuffer, 1 << 30}} {
		if n.value < 0 || n.value > n.max {
			errs = append(errs, fmt.Errorf("%s must be between 0 and %d (got %d)", n.key, n.max, n.value))
		}
	}
	if _, err := c.prefixes(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *Config) prefixes() (all []netip.Prefix, err error) {
	var errs []error
	for _, s := range c.PodPrefixes {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("pod_prefixes takes networks (got %q), e.g. 10.244.0.0/16", s))
			continue
		}
		all = append(all, p.Masked())
	}
	return all, errors.Join(errs...)
}

// Share is a part of one core: 0.01, or "1%" in text.
type Share float64

// UnmarshalText reads "1%" or "0.01".
func (s *Share) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return fmt.Errorf("takes a share of one core (got %q), e.g. 1%%", text)
	}
	if percent {
		v /= 100
	}
	*s = Share(v)
	return nil
}

// MarshalText writes percent.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the share in percent.
func (s Share) String() string { return strconv.FormatFloat(float64(s)*100, 'f', -1, 64) + "%" }

// stretch is the interval at which a reading that costs cost stays within s.
func (s Share) stretch(interval, cost time.Duration) time.Duration {
	if s <= 0 {
		return interval
	}
	return max(interval, time.Duration(float64(cost)/float64(s)))
}
