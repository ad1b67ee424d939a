package conntrackprocessor

import (
	"errors"
	"fmt"
	"time"
)

// FlowRecords is what becomes of flow records once they were read.
type FlowRecords string

// Choices for flow_records.
const (
	DropFlowRecords FlowRecords = "drop"
	PassFlowRecords FlowRecords = "pass"
)

// Config of one instance, which all its pipelines share.
type Config struct {
	// FlowRecords is drop (default) or pass. Dropped records are never seen by
	// exporters; findings quote what matters of them.
	FlowRecords FlowRecords `mapstructure:"flow_records"`
	// NAT is the index by which addresses are resolved.
	NAT NATConfig `mapstructure:"nat"`
	// SYNFlood rules the syn_flood findings.
	SYNFlood SYNFloodConfig `mapstructure:"syn_flood"`
	// Exhaustion rules the conntrack_exhaustion findings.
	Exhaustion ExhaustionConfig `mapstructure:"exhaustion"`
	// UpdateInterval is how often an open finding is told again. Default 10s;
	// zero tells only its opening and its close.
	UpdateInterval time.Duration `mapstructure:"update_interval"`
	// MaxResources bounds the nodes that are followed at once. Default 256; zero
	// is refused. Metrics of further nodes pass untouched, and are counted.
	MaxResources int `mapstructure:"max_resources"`
	// QueueSize bounds the findings that wait for the logs pipeline. Default
	// 256; zero is refused.
	QueueSize int `mapstructure:"queue_size"`

	_ struct{} // keyed literals only
}

// NATConfig bounds the index.
type NATConfig struct {
	// MaxFlows is how many flows are kept, some 200 bytes each. Default 50000;
	// zero keeps no index, and nothing is resolved.
	MaxFlows int `mapstructure:"max_flows"`
	// TTL is how long a flow is kept after the last record of it. Default 5m:
	// three full dumps of a table of 500,000 entries. Zero is refused while
	// MaxFlows is positive.
	TTL time.Duration `mapstructure:"ttl"`
}

// SYNFloodConfig says when half-open connections are a flood.
type SYNFloodConfig struct {
	// Enabled is true by default.
	Enabled bool `mapstructure:"enabled"`
	// MinHalfOpen is the least number of half-open connections to one target,
	// each older than Age. Default 100; zero is refused.
	MinHalfOpen int `mapstructure:"min_half_open"`
	// Age is how long a handshake may take. Default 2s: an honest one takes a
	// round trip, so that a burst of them is never old. Zero counts every
	// half-open connection.
	Age time.Duration `mapstructure:"age"`
	// Ratio is the least share of half-open ones among a target's connections,
	// 0–1. Default 0.25, which a goal on a bad mobile network misses by far
	// (flood_sim_test.go); zero looks at the number alone.
	Ratio float64 `mapstructure:"ratio"`
	// CloseAfter is how long no new half-open connections must come before the
	// finding closes. Default 30s; it should be longer than two intervals of the
	// receiver's half-open dump. Zero is refused.
	CloseAfter time.Duration `mapstructure:"close_after"`
	// MaxTargets bounds the targets whose sources are followed. Default 256;
	// zero is refused.
	MaxTargets int `mapstructure:"max_targets"`
}

// ExhaustionConfig says when a wall is near.
type ExhaustionConfig struct {
	// Enabled is true by default.
	Enabled bool `mapstructure:"enabled"`
	// Within opens a finding when the time to exhaustion is shorter. Default
	// 10m; zero waits until something is lost or Utilization is reached.
	Within time.Duration `mapstructure:"within"`
	// Utilization opens a finding whatever the growth, 0–1. Default 0.95; zero
	// never.
	Utilization float64 `mapstructure:"utilization"`
	// CloseAfter is how long the wall must be far off (twice Within, nothing
	// lost) before the finding closes. Default 30s; zero closes at once.
	CloseAfter time.Duration `mapstructure:"close_after"`
}

func defaultConfig() *Config {
	return &Config{
		FlowRecords: DropFlowRecords,
		NAT:         NATConfig{MaxFlows: 50_000, TTL: 5 * time.Minute},
		SYNFlood: SYNFloodConfig{
			Enabled: true, MinHalfOpen: 100, Age: 2 * time.Second, Ratio: 0.25,
			CloseAfter: 30 * time.Second, MaxTargets: 256,
		},
		Exhaustion: ExhaustionConfig{
			Enabled: true, Within: 10 * time.Minute, Utilization: 0.95, CloseAfter: 30 * time.Second,
		},
		UpdateInterval: 10 * time.Second,
		MaxResources:   256,
		QueueSize:      256,
	}
}

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.FlowRecords == DropFlowRecords || c.FlowRecords == PassFlowRecords,
		"flow_records must be drop or pass (got %q)", c.FlowRecords)
	check(c.NAT.MaxFlows >= 0 && c.NAT.MaxFlows <= 10_000_000, "nat::max_flows must be within 0 and 10000000 (got %d), e.g. 50000", c.NAT.MaxFlows)
	check(c.NAT.MaxFlows == 0 || c.NAT.TTL > 0, "nat::ttl must be positive (got %s), e.g. 5m", c.NAT.TTL)
	f := c.SYNFlood
	check(f.MinHalfOpen > 0, "syn_flood::min_half_open must be positive (got %d), e.g. 100", f.MinHalfOpen)
	check(f.Age >= 0 && f.Age < time.Minute, "syn_flood::age must be within 0 and 1m, the life of a half-open entry (got %s), e.g. 2s", f.Age)
	check(f.Ratio >= 0 && f.Ratio <= 1, "syn_flood::ratio must be within 0 and 1 (got %g), e.g. 0.25", f.Ratio)
	check(f.CloseAfter > 0, "syn_flood::close_after must be positive (got %s), e.g. 30s", f.CloseAfter)
	check(f.MaxTargets > 0 && f.MaxTargets <= 100_000, "syn_flood::max_targets must be within 1 and 100000 (got %d), e.g. 256", f.MaxTargets)
	e := c.Exhaustion
	check(e.Within >= 0, "exhaustion::within must not be negative (got %s), e.g. 10m", e.Within)
	check(e.Utilization >= 0 && e.Utilization <= 1, "exhaustion::utilization must be within 0 and 1 (got %g), e.g. 0.95", e.Utilization)
	check(e.CloseAfter >= 0, "exhaustion::close_after must not be negative (got %s), e.g. 30s", e.CloseAfter)
	check(c.UpdateInterval >= 0, "update_interval must not be negative (got %s), e.g. 10s", c.UpdateInterval)
	check(c.MaxResources > 0, "max_resources must be positive (got %d), e.g. 256", c.MaxResources)
	check(c.QueueSize > 0, "queue_size must be positive (got %d), e.g. 256", c.QueueSize)
	return errors.Join(errs...)
}
