package grafanaexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/storeclient"
)

// grafana is one exporter.
type grafana struct {
	cfg    *Config
	set    exporter.Settings
	counts counts
	table  *table
	wake   chan struct{}

	transport http.RoundTripper // in place of the network, for tests

	// Set by Start, before anything is delivered; constant after it.
	client *client
	host   component.Host
	stop   context.CancelFunc
	work   sync.WaitGroup
	metric metric.Registration

	storing sync.Mutex
	store   *store // guarded by storing: calls, one at a time
}

func newGrafana(set exporter.Settings, cfg *Config) *grafana {
	g := &grafana{cfg: cfg, set: set, wake: make(chan struct{}, 1)}
	g.table = newTable(cfg, &g.counts)
	return g
}

// Start reads what was stored and begins to work. It needs no Grafana and no
// token: both are waited for.
func (g *grafana) Start(ctx context.Context, host component.Host) error {
	g.host = host
	httpClient := &http.Client{Transport: g.transport, Timeout: g.cfg.Timeout}
	if g.transport == nil {
		var err error
		if httpClient, err = g.cfg.ToClient(ctx, host.GetExtensions(), g.set.TelemetrySettings); err != nil {
			return fmt.Errorf("make the HTTP client: %w", err)
		}
	}
	// A redirect would turn a POST into a GET of a page to sign in.
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	g.client = &client{http: httpClient, root: strings.TrimRight(g.cfg.Endpoint, "/"), tokenFile: g.cfg.TokenFile, orgID: g.cfg.OrgID}

	kept, err := storeclient.Open(ctx, host, g.cfg.Storage, component.KindExporter, g.set.ID)
	if err != nil {
		return err
	}
	g.store = newStore(kept)
	// Shutdown has nothing to do for one that did not start.
	if err := g.restore(ctx); err != nil {
		return errors.Join(err, g.store.close(ctx))
	}
	if g.metric, err = g.counts.register(g.set.TelemetrySettings); err != nil {
		return errors.Join(fmt.Errorf("register metrics: %w", err), g.store.close(ctx))
	}
	work, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.work.Go(func() { g.run(work) })
	if g.cfg.Calendar != "" {
		g.work.Go(func() { g.follow(work) })
	}
	if g.cfg.LogBook != "" {
		g.work.Go(func() { g.keep(work) })
	}
	return nil
}

func (g *grafana) restore(ctx context.Context) error {
	entries, broken, err := g.store.load(ctx)
	if err != nil {
		return err
	}
	if broken > 0 {
		g.set.Logger.Warn("stored annotations could not be read and are left out", zap.Int("count", broken))
	}
	g.save(ctx, nil, g.table.load(entries, time.Now()))
	return nil
}

// Shutdown delivers what waits, as long as Grafana takes it and ctx lasts; the
// rest stays in the storage.
func (g *grafana) Shutdown(ctx context.Context) error {
	if g.stop == nil {
		return nil
	}
	g.stop()
	g.work.Wait()
	g.stop = nil
	last, cancel := context.WithTimeout(ctx, lastCalls)
	defer cancel()
	g.drain(last)
	if n := g.counts.waiting.Load(); n > 0 && g.cfg.Storage == nil {
		g.set.Logger.Warn("annotations were not delivered and are lost; name a storage to keep them", zap.Int64("count", n))
	}
	g.storing.Lock()
	defer g.storing.Unlock()
	return errors.Join(g.metric.Unregister(), g.store.close(ctx))
}

// lastCalls bounds how long Shutdown delivers.
const lastCalls = 5 * time.Second

// consume takes the findings and events of a batch and passes over all else. It
// refuses nothing: what cannot be read is counted, and what cannot be stored is
// kept in memory.
func (g *grafana) consume(ctx context.Context, ld plog.Logs) error {
	var words []word
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				w, ok, err := g.cfg.read(r)
				switch {
				case !ok:
				case err != nil:
					g.counts.malformed.Add(1)
					g.set.Logger.Debug("a finding or event could not be read", zap.Error(err))
				default:
					words = append(words, w)
				}
			}
		}
	}
	g.take(ctx, words)
	return nil
}

// take enters words into the table and the storage, and wakes the worker.
func (g *grafana) take(ctx context.Context, words []word) {
	now := time.Now()
	var changed, gone []string
	for _, w := range words {
		news, out := g.table.tell(w, now)
		gone = append(gone, out...)
		if news {
			changed = append(changed, w.Key)
		}
	}
	if len(changed) == 0 {
		return
	}
	g.save(ctx, changed, gone)
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// save stores entries as they stand now. A disk that is full must not stop the
// drawing: it is said once, and the next save of the entry stores it.
func (g *grafana) save(ctx context.Context, changed, gone []string) {
	g.storing.Lock()
	defer g.storing.Unlock()
	err := g.store.save(ctx, g.table.get(changed), gone)
	switch {
	case err == nil:
		g.counts.unstored.Store(0)
	case g.counts.unstored.Add(1) == 1:
		g.set.Logger.Warn("annotations are in memory alone until the storage takes them again", zap.Error(err))
	}
}

// report tells the collector's health whether Grafana takes what it is sent.
func (g *grafana) report(err error) {
	if err != nil {
		componentstatus.ReportStatus(g.host, componentstatus.NewRecoverableErrorEvent(err))
		return
	}
	componentstatus.ReportStatus(g.host, componentstatus.NewEvent(componentstatus.StatusOK))
}
