package seriesguardprocessor

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Config of one instance, which all its pipelines share.
type Config struct {
	// MaxSeries bounds the active series in all, those of protected metrics
	// aside. Default 1000000; zero is refused.
	MaxSeries int `mapstructure:"max_series"`
	// MaxSeriesPerMetric bounds those of one metric (name, unit and type, which
	// make the name at the destination). Default 50000; zero means MaxSeries.
	MaxSeriesPerMetric int `mapstructure:"max_series_per_metric"`
	// MaxMetrics bounds the metrics. Default 20000; zero is refused.
	MaxMetrics int `mapstructure:"max_metrics"`
	// ActiveWindow is how long a series without points counts as active; its room
	// is free an eighth of it later at most. Default 2h, the window of Amazon
	// Managed Prometheus; zero is refused.
	ActiveWindow time.Duration `mapstructure:"active_window"`
	// Protect are names of metrics that are never cut, beside Vigie's own; * is
	// any run of characters. Empty by default.
	Protect []string `mapstructure:"protect"`
	// RemoteWrite says what the exporter behind makes of a point.
	RemoteWrite RemoteWriteConfig `mapstructure:"remote_write"`

	_ struct{} // keyed literals only
}

// RemoteWriteConfig repeats the settings of the exporter behind that decide what
// is a series.
type RemoteWriteConfig struct {
	// TargetInfo is target_info::enabled of the exporter. Default true.
	TargetInfo bool `mapstructure:"target_info"`
	// ScopeInfo is the opposite of its disable_scope_info. Default true.
	ScopeInfo bool `mapstructure:"scope_info"`
	// NativeHistograms is its convert_explicit_histograms_to_nhcb: a histogram is
	// one series then. Default false.
	NativeHistograms bool `mapstructure:"native_histograms"`
}

// own are Vigie's own metrics, which tell the war room what happens while others
// are cut.
var own = [...]string{"vigie.*", "vigie_*", "otelcol_*", "otelcol.*", "system.network.conntrack.*", "aws.ena.*"}

func defaultConfig() *Config {
	return &Config{
		MaxSeries:          1_000_000,
		MaxSeriesPerMetric: 50_000,
		MaxMetrics:         20_000,
		ActiveWindow:       2 * time.Hour,
		RemoteWrite:        RemoteWriteConfig{TargetInfo: true, ScopeInfo: true},
	}
}

// most is where a limit is surely a mistake: it would take 2 GB.
const most = 100_000_000

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.MaxSeries > 0 && c.MaxSeries <= most, "max_series must be within 1 and %d (got %d), e.g. 1000000", most, c.MaxSeries)
	check(c.MaxSeriesPerMetric >= 0 && c.MaxSeriesPerMetric <= most, "max_series_per_metric must be within 0 and %d (got %d), e.g. 50000", most, c.MaxSeriesPerMetric)
	check(c.MaxMetrics > 0 && c.MaxMetrics <= 1_000_000, "max_metrics must be within 1 and 1000000 (got %d), e.g. 20000", c.MaxMetrics)
	check(c.ActiveWindow >= time.Minute, "active_window must be 1m or longer (got %s), e.g. 2h", c.ActiveWindow)
	for i, p := range c.Protect {
		check(strings.Trim(p, "*") != "", "protect[%d] must name metrics (got %q, which is %s), e.g. http.server.*", i, p, map[bool]string{true: "all of them", false: "none"}[p != ""])
	}
	return errors.Join(errs...)
}

// matches says whether name is of pattern, in which * is any run of characters.
func matches(pattern, name string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	for {
		var part string
		part, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
		if !ok {
			return false
		}
	}
}
