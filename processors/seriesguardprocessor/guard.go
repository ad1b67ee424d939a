package seriesguardprocessor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/processors/seriesguardprocessor/internal/metadata"
)

const (
	epochs    = 8                // of a window: how finely series age
	tick      = 10 * time.Second // how soon the log says what was cut
	nameBytes = 200              // of a metric's name that are kept
)

// guard is what the pipelines of one component ID share.
type guard struct {
	cfg       *Config
	log       *zap.Logger
	id        identity
	protect   []string
	perMetric int

	mu        sync.Mutex
	metrics   map[uint64]*active // guarded by mu, by identity.metric; at most MaxMetrics
	series    int                // guarded by mu; active and not protected, at most MaxSeries
	protected int                // guarded by mu; active and protected, at most MaxSeries are followed
	uncounted int64              // guarded by mu; protected points that found no room to be followed
	epoch     uint8              // guarded by mu
	info      *active            // guarded by mu; target_info, beside metrics
	cuts      cuts               // guarded by mu
	prints    []uint64           // guarded by mu; of the metric that is looked at

	led        *ledger.Tally
	unregister func() error
	cancel     context.CancelFunc // nil before Start
	done       sync.WaitGroup
}

// active is one metric's active series.
type active struct {
	table
	name      string
	series    int // by weight
	protected bool
}

func newGuard(set processor.Settings, cfg *Config, seed uint64) (*guard, error) {
	g := &guard{
		cfg: cfg, log: set.Logger, id: newIdentity(seed), protect: slices.Concat(own[:], cfg.Protect),
		perMetric: cfg.MaxSeriesPerMetric, metrics: map[uint64]*active{}, cuts: newCuts(),
	}
	if g.perMetric == 0 || g.perMetric > cfg.MaxSeries {
		g.perMetric = cfg.MaxSeries
	}
	g.info = &active{name: targetInfo}
	var err error
	if g.led, err = ledger.NewTally(set.MeterProvider.Meter(metadata.ScopeName), "processor", set.ID.String(), "metrics"); err != nil {
		return nil, err
	}
	g.unregister, err = g.register(set.TelemetrySettings)
	return g, err
}

// Start begins to age the series.
func (g *guard) Start(context.Context, component.Host) error {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	g.done.Go(func() { g.run(ctx) })
	return nil
}

// Shutdown waits for the goroutine, if there is one.
func (g *guard) Shutdown(context.Context) error {
	if g.cancel != nil {
		g.cancel()
	}
	g.done.Wait()
	return g.unregister()
}

// run is the guard's goroutine.
func (g *guard) run(ctx context.Context) {
	part := g.cfg.ActiveWindow / epochs
	every := time.NewTicker(min(tick, part))
	defer every.Stop()
	begun := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-every.C:
			for ; now.Sub(begun) >= part; begun = begun.Add(part) {
				g.age()
			}
			g.report(now)
		}
	}
}

// find returns the metric of a key, made at its first point; nil when there are
// too many.
func (g *guard) find(key uint64, name string) *active {
	m := g.metrics[key]
	if m == nil && len(g.metrics) < g.cfg.MaxMetrics {
		m = &active{
			name:      strings.ToValidUTF8(strings.Clone(name[:min(len(name), nameBytes)]), ""),
			protected: g.isProtected(name),
		}
		g.metrics[key] = m
	}
	return m
}

func (g *guard) isProtected(name string) bool {
	return slices.ContainsFunc(g.protect, func(p string) bool { return matches(p, name) })
}

// admit says whether a series may pass, and why not. It is the only place where
// a series begins.
func (g *guard) admit(m *active, print uint64, weight int) reason {
	if slot, known := m.table.find(print); known {
		m.touch(slot, g.epoch)
		return passed
	}
	if m.protected {
		if g.protected+weight > g.cfg.MaxSeries || weight > maxWeight {
			g.uncounted++
			return passed
		}
		g.protected += weight
	} else {
		// A point of 65,536 series is a mistake whatever the limit.
		if m.series+weight > g.perMetric || weight > maxWeight {
			return metricLimit
		}
		if g.series+weight > g.cfg.MaxSeries {
			return totalLimit
		}
		g.series += weight
	}
	m.series += weight
	m.add(print, uint16(weight), g.epoch)
	return passed
}

// age begins a new epoch and forgets what was silent for a window. Between two
// metrics it lets batches pass.
func (g *guard) age() {
	g.mu.Lock()
	g.epoch++
	epoch := g.epoch
	keys := make([]uint64, 0, len(g.metrics))
	for key := range g.metrics {
		keys = append(keys, key)
	}
	g.sweep(g.info, epoch)
	g.mu.Unlock()
	for _, key := range keys {
		g.mu.Lock()
		// Only age removes a metric.
		m := g.metrics[key]
		if g.sweep(m, epoch); m.n == 0 {
			delete(g.metrics, key)
		}
		g.mu.Unlock()
	}
}

func (g *guard) sweep(m *active, epoch uint8) {
	// Seen in epoch e a series is silent for at least epoch-e-1 parts of the window.
	freed := m.table.sweep(epoch, epochs)
	m.series -= freed
	if m.protected {
		g.protected -= freed
	} else {
		g.series -= freed
	}
}
