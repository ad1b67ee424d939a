package promstore

import (
	"errors"
	"fmt"
	"time"
)

// Config says where the store keeps its data and what it may use. The zero
// value of a field means its default, except Dir, which is required.
type Config struct {
	// Dir holds blocks, write-ahead log and lock. It is created if missing.
	Dir string
	// Retention is the age at which data goes; default 48h. Whole blocks go at
	// a time, so data may stay up to a tenth of it (at least 2h) longer.
	Retention time.Duration
	// MaxBytes bounds blocks, log and head chunks together; default 2 GiB. The
	// oldest block goes first. The log may exceed it by one maintenance
	// interval's worth of samples.
	MaxBytes int64
	// MinFreeBytes is the room on the file system below which writing stops
	// until it is back; default 64 MiB. -1 turns the check off.
	MinFreeBytes int64
	// OutOfOrderWindow is how far behind the newest sample one may come;
	// default 30m, -1 for none.
	OutOfOrderWindow time.Duration
	// MaxFuture is how far ahead of the clock a sample may be; default 10m.
	MaxFuture time.Duration

	// QueryTimeout bounds a query with its wait for a free slot; default 1m.
	QueryTimeout time.Duration
	// QueryConcurrency is how many queries run at once; default 4. Eight times
	// as many may wait; more are refused.
	QueryConcurrency int
	// QueryMaxSamples is how many samples one query may hold in memory, 16
	// bytes each; default 4,000,000.
	QueryMaxSamples int

	// RemoteWriteMaxBytes bounds a remote-write body after decompression;
	// default 32 MiB. The compressed body may have as many.
	RemoteWriteMaxBytes int64
	// MaxSeries bounds the active series; default 100,000. One costs about
	// 2 kB. A series stops being active two to three hours after its last
	// sample.
	MaxSeries int
	// MaxSeriesPerMetric bounds the active series of one metric name; default
	// 20,000: one careless label must not lock out every other metric.
	MaxSeriesPerMetric int
	// MaxLabels bounds the labels of a series; default 150, as in AMP.
	MaxLabels int
	// MaxLabelNameBytes bounds a label name; default 1024, as in AMP.
	MaxLabelNameBytes int
	// MaxLabelValueBytes bounds a label value; default 2048, as in AMP.
	MaxLabelValueBytes int
	// MaxHistogramBuckets bounds the buckets of one histogram point; default 500.
	MaxHistogramBuckets int
	// MaxExemplars is the size of the exemplar ring; default 10,000, -1 for none.
	MaxExemplars int
	// MaxMetadata bounds the metric names whose type, unit and help are kept;
	// default 20,000.
	MaxMetadata int
}

// Validate reports every problem at once, each with its key, what it got and
// what it takes.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	c = c.withDefaults()
	if c.Dir == "" {
		bad("dir must name the data directory (got \"\"), e.g. ./data")
	}
	if c.Retention < 2*time.Hour {
		bad("retention must be at least 2h, one block (got %s), e.g. 48h", c.Retention)
	}
	if c.MaxBytes < 64<<20 {
		bad("max_bytes must be at least 64 MiB (got %d), e.g. 2147483648", c.MaxBytes)
	}
	if c.MinFreeBytes < -1 {
		bad("min_free_bytes must be positive, or -1 for no check (got %d), e.g. 67108864", c.MinFreeBytes)
	}
	if c.OutOfOrderWindow != -1 && (c.OutOfOrderWindow < 0 || c.OutOfOrderWindow > c.Retention) {
		bad("out_of_order_window must lie between 0 and the retention, or be -1 for none (got %s), e.g. 30m", c.OutOfOrderWindow)
	}
	for _, d := range []struct {
		key string
		got time.Duration
		eg  string
	}{{"max_future", c.MaxFuture, "10m"}, {"query_timeout", c.QueryTimeout, "1m"}} {
		if d.got < 0 {
			bad("%s must be positive (got %s), e.g. %s", d.key, d.got, d.eg)
		}
	}
	for _, n := range []struct {
		key      string
		got, min int
	}{
		{"query_concurrency", c.QueryConcurrency, 1},
		{"query_max_samples", c.QueryMaxSamples, 1000},
		{"remote_write_max_bytes", int(c.RemoteWriteMaxBytes), 1 << 10},
		{"max_series", c.MaxSeries, 1},
		{"max_series_per_metric", c.MaxSeriesPerMetric, 1},
		{"max_labels", c.MaxLabels, 1},
		{"max_label_name_bytes", c.MaxLabelNameBytes, 16},
		{"max_label_value_bytes", c.MaxLabelValueBytes, 16},
		{"max_histogram_buckets", c.MaxHistogramBuckets, 1},
		{"max_exemplars", c.MaxExemplars, -1},
		{"max_metadata", c.MaxMetadata, 1},
	} {
		if n.got < n.min {
			bad("%s must be at least %d (got %d)", n.key, n.min, n.got)
		}
	}
	return errors.Join(errs...)
}

// withDefaults fills what was left zero.
func (c Config) withDefaults() Config {
	def(&c.Retention, 48*time.Hour)
	def(&c.MaxBytes, 2<<30)
	def(&c.MinFreeBytes, 64<<20)
	def(&c.OutOfOrderWindow, 30*time.Minute)
	def(&c.MaxFuture, 10*time.Minute)
	def(&c.QueryTimeout, time.Minute)
	def(&c.QueryConcurrency, 4)
	def(&c.QueryMaxSamples, 4_000_000)
	def(&c.RemoteWriteMaxBytes, 32<<20)
	def(&c.MaxSeries, 100_000)
	def(&c.MaxSeriesPerMetric, 20_000)
	def(&c.MaxLabels, 150)
	def(&c.MaxLabelNameBytes, 1024)
	def(&c.MaxLabelValueBytes, 2048)
	def(&c.MaxHistogramBuckets, 500)
	def(&c.MaxExemplars, 10_000)
	def(&c.MaxMetadata, 20_000)
	return c
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
