package cloudwatchexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/names"
)

// BudgetConfig bounds what is spent. The hour is the clock's, since CloudWatch
// bills a metric for each hour in which it has data.
type BudgetConfig struct {
	// MaxMetrics is how many distinct metrics (namespace, name, dimensions) an
	// hour may have. Default 10,000; it cannot be switched off.
	MaxMetrics int `mapstructure:"max_metrics"`
	// MaxLogBytesPerHour bounds log events, 26 bytes an event included; metrics'
	// documents are not in it. Default 0: no bound.
	MaxLogBytesPerHour int64 `mapstructure:"max_log_bytes_per_hour"`
	// OnMetricsExceeded is what happens to further metrics: drop (the default) or
	// sample: 1 of sample_one_in of them, others each hour.
	OnMetricsExceeded string `mapstructure:"on_metrics_exceeded"`
	// OnLogsExceeded is what happens to further log records: drop (the default)
	// or sample: 1 of sample_one_in of them, whole traces where there are traces.
	OnLogsExceeded string `mapstructure:"on_logs_exceeded"`
	// SampleOneIn is of sample. Default 10.
	SampleOneIn int `mapstructure:"sample_one_in"`
}

// PricesConfig are list prices, in USD. The defaults are those of us-east-1 as
// published in February 2026; discounts and free tiers are not in them.
type PricesConfig struct {
	// LogsPerGB is a gigabyte (10^9 bytes) of events taken in. Default 0.50.
	LogsPerGB float64 `mapstructure:"logs_per_gb"`
	// Metrics is what a metric costs a month, by tiers: the first up_to of them
	// at usd each, and so on; up_to 0 is the rest. Default 0.30 to 10,000, 0.10
	// to 250,000, 0.05 to 1,000,000, then 0.02.
	Metrics []PriceTier `mapstructure:"metrics"`
}

// PriceTier is a range of metrics with one price.
type PriceTier struct {
	// UpTo is the number of metrics where the tier ends; 0 for no end.
	UpTo int `mapstructure:"up_to"`
	// USD a metric and month.
	USD float64 `mapstructure:"usd"`
}

const (
	actDrop   = "drop"
	actSample = "sample"
)

func defaultBudget() BudgetConfig {
	return BudgetConfig{MaxMetrics: 10_000, OnMetricsExceeded: actDrop, OnLogsExceeded: actDrop, SampleOneIn: 10}
}

func defaultPrices() PricesConfig {
	return PricesConfig{LogsPerGB: 0.50, Metrics: []PriceTier{{10_000, 0.30}, {250_000, 0.10}, {1_000_000, 0.05}, {0, 0.02}}}
}

// Validate tells everything that is wrong at once; the collector puts the key
// "budget" before it.
func (c *BudgetConfig) Validate() error {
	var errs []error
	if c.MaxMetrics < 1 || c.MaxMetrics > 10_000_000 {
		errs = append(errs, fmt.Errorf("max_metrics must be between 1 and 10000000 (got %d), e.g. 10000", c.MaxMetrics))
	}
	if c.MaxLogBytesPerHour < 0 {
		errs = append(errs, fmt.Errorf("max_log_bytes_per_hour must be positive, or 0 for no bound (got %d)", c.MaxLogBytesPerHour))
	}
	for _, a := range []struct{ key, got string }{{"on_metrics_exceeded", c.OnMetricsExceeded}, {"on_logs_exceeded", c.OnLogsExceeded}} {
		if !slices.Contains([]string{actDrop, actSample}, a.got) {
			errs = append(errs, fmt.Errorf("%s must be drop or sample (got %q)", a.key, a.got))
		}
	}
	if c.SampleOneIn < 2 {
		errs = append(errs, fmt.Errorf("sample_one_in must be at least 2 (got %d), e.g. 10", c.SampleOneIn))
	}
	return errors.Join(errs...)
}

// Validate tells everything that is wrong at once; the collector puts the key
// "prices" before it.
func (c *PricesConfig) Validate() error {
	var errs []error
	if c.LogsPerGB < 0 {
		errs = append(errs, fmt.Errorf("logs_per_gb must not be negative (got %v)", c.LogsPerGB))
	}
	last := 0
	for i, t := range c.Metrics {
		if t.USD < 0 {
			errs = append(errs, fmt.Errorf("metrics[%d]::usd must not be negative (got %v)", i, t.USD))
		}
		if t.UpTo != 0 && t.UpTo <= last || t.UpTo == 0 && i != len(c.Metrics)-1 {
			errs = append(errs, fmt.Errorf("metrics[%d]::up_to must be above the one before, and 0 in the last only (got %d)", i, t.UpTo))
		}
		last = t.UpTo
	}
	return errors.Join(errs...)
}

// budget watches an hour's metrics and bytes, of one signal.
type budget struct {
	cfg    BudgetConfig
	prices PricesConfig
	now    func() time.Time

	mu      sync.Mutex
	hour    int64               // guarded by mu; hours since the epoch
	began   time.Time           // guarded by mu; when counting in this hour began
	bytes   int64               // guarded by mu; in this hour, documents included
	logs    int64               // guarded by mu; in this hour, log events alone
	seen    map[uint64]struct{} // guarded by mu; hashes of this hour's metrics
	before  usage               // guarded by mu; the hour before
	records uint64              // guarded by mu; counts what is sampled
}

type usage struct {
	bytesPerHour float64
	metrics      int
}

func newBudget(cfg *Config) *budget {
	return &budget{cfg: cfg.Budget, prices: cfg.Prices, now: time.Now, seen: map[uint64]struct{}{}}
}

// turnLocked begins a new hour when there is one.
func (b *budget) turnLocked(now time.Time) {
	hour := now.Unix() / 3600
	if hour == b.hour {
		return
	}
	b.before = usage{}
	if hour == b.hour+1 {
		b.before = usage{bytesPerHour: float64(b.bytes), metrics: len(b.seen)}
		if part := time.Duration(3600-b.began.Unix()%3600) * time.Second; part > time.Minute {
			b.before.bytesPerHour *= float64(time.Hour) / float64(part)
		}
	}
	b.hour, b.began, b.bytes, b.logs = hour, now, 0, 0
	clear(b.seen)
}

// takeRecord reports whether a log record of so many bytes is within the budget,
// and counts it if it is. Findings always are: they are few, and what the money
// is for.
func (b *budget) takeRecord(rec plog.LogRecord, bytes int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turnLocked(now)
	if limit := b.cfg.MaxLogBytesPerHour; limit > 0 && b.logs+int64(bytes) > limit && !isFinding(rec) {
		if b.cfg.OnLogsExceeded != actSample || !b.chosenLocked(rec) {
			return false
		}
	}
	b.bytes += int64(bytes)
	b.logs += int64(bytes)
	return true
}

// addBytes counts what belongs to something that was let through.
func (b *budget) addBytes(bytes int, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turnLocked(now)
	b.bytes += int64(bytes)
	b.logs += int64(bytes)
}

func isFinding(rec plog.LogRecord) bool {
	if rec.EventName() == names.EventFinding {
		return true
	}
	v, ok := rec.Attributes().Get(names.EventName)
	return ok && v.Str() == names.EventFinding
}

// chosenLocked picks one in so many, by trace where there is one.
func (b *budget) chosenLocked(rec plog.LogRecord) bool {
	if id := rec.TraceID(); !id.IsEmpty() {
		n := uint64(0)
		for _, c := range id[8:] {
			n = n<<8 | uint64(c)
		}
		return n%uint64(b.cfg.SampleOneIn) == 0
	}
	b.records++
	return b.records%uint64(b.cfg.SampleOneIn) == 0
}

// Begin locks the budget for a batch of metrics.
func (b *budget) Begin(now time.Time) {
	b.mu.Lock()
	b.turnLocked(now)
}

// End unlocks what Begin locked.
func (b *budget) End() { b.mu.Unlock() }

// Allow reports whether a metric, given by the hash of namespace, name and
// dimensions, is within the budget. Vigie's own always are. It is called between
// Begin and End.
func (b *budget) Allow(metric uint64, name string) bool {
	if _, ok := b.seen[metric]; ok {
		return true
	}
	if len(b.seen) < b.cfg.MaxMetrics {
		b.seen[metric] = struct{}{}
		return true
	}
	if strings.HasPrefix(name, "vigie.") {
		return true
	}
	// Others each hour, so that each has an hour now and then.
	return b.cfg.OnMetricsExceeded == actSample && (metric^uint64(b.hour)*0x9e3779b97f4a7c15)%uint64(b.cfg.SampleOneIn) == 0
}

// addDocument counts a document's bytes.
func (b *budget) addDocument(bytes int, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turnLocked(now)
	b.bytes += int64(bytes)
}

type estimate struct {
	metrics                  int
	ingestionUSD, metricsUSD float64
}

// hoursAMonth is what AWS' own calculator goes by.
const hoursAMonth = 730

// estimate is what a month like the last hour costs: the hour before until this
// one has lasted ten minutes, then this one. Storage and what a query reads are
// not in it.
func (b *budget) estimate() estimate {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.now()
	b.turnLocked(at)
	now := usage{metrics: max(len(b.seen), b.before.metrics), bytesPerHour: b.before.bytesPerHour}
	if lasted := at.Sub(b.began); b.bytes > 0 && (lasted >= 10*time.Minute || b.before == (usage{})) {
		now.bytesPerHour = float64(b.bytes) / max(lasted, time.Minute).Hours()
	}
	return estimate{metrics: len(b.seen), ingestionUSD: now.bytesPerHour * hoursAMonth / 1e9 * b.prices.LogsPerGB, metricsUSD: b.prices.monthly(now.metrics)}
}

// monthly is the price of so many metrics.
func (c *PricesConfig) monthly(metrics int) float64 {
	usd, from := 0.0, 0
	for _, t := range c.Metrics {
		until := metrics
		if t.UpTo != 0 {
			until = min(metrics, t.UpTo)
		}
		if until > from {
			usd += float64(until-from) * t.USD
			from = until
		}
	}
	return usd
}
