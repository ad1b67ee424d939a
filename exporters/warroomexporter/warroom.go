package warroomexporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"github.com/vigie-otel/vigie/internal/prombridge"
	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// warroom is one exporter: the store, the rings and the server.
type warroom struct {
	cfg *Config
	set exporter.Settings
	now func() time.Time

	arrivals *arrivals
	keeper   // of the newest logs and spans
	drills   *drills
	walls    *walls
	findings *findings
	verdicts *verdicts
	changes  *changes
	started  time.Time

	reporting sync.Mutex // held while a report is made

	closed bool // by Shutdown

	// Set by Start, before any pipeline delivers; constant after it.
	store  *promstore.Store
	server *http.Server
	addr   net.Addr
	bridge *prombridge.Bridge
	room   *room
	stop   context.CancelFunc
	serve  sync.WaitGroup
}

func newWarroom(set exporter.Settings, cfg *Config) *warroom {
	return &warroom{
		cfg: cfg, set: set, now: time.Now,
		arrivals: newArrivals(cfg.Recent.Sources, cfg.Recent.Metrics),
		keeper: keeper{
			logs: newRing[logRow](cfg.Recent.Logs), spans: newRing[spanRow](cfg.Recent.Spans),
			inventory: newInventory(), watches: newWatches(), bodyBytes: cfg.Recent.BodyBytes,
		},
		drills:   newDrills(),
		walls:    &walls{now: time.Now},
		findings: newFindings(cfg.Room.Findings),
		verdicts: newVerdicts(cfg.Room.Services),
		changes:  newChanges(),
	}
}

// Start opens the store and listens. It is the first pipeline's; after one that
// failed the next pipeline's may come.
func (w *warroom) Start(ctx context.Context, host component.Host) error {
	err := w.open(ctx, host)
	if err != nil {
		err = errors.Join(err, w.close(ctx))
		w.store, w.server, w.bridge, w.room, w.stop = nil, nil, nil, nil, nil
	}
	return err
}

func (w *warroom) open(ctx context.Context, host component.Host) error {
	w.started = w.now()
	// First: listen. It is the likeliest thing to fail, and costs nothing to undo.
	listener, err := w.cfg.ToListener(ctx)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("listen on %s: another program has this port; stop it, or set exporters::%s::endpoint: %w", w.cfg.NetAddr.Endpoint, w.set.ID, err)
		}
		return fmt.Errorf("listen on %s: %w", w.cfg.NetAddr.Endpoint, err)
	}
	w.addr = listener.Addr()

	// Then: the store, with its metrics published as ours.
	registry := prometheus.NewRegistry()
	logger := slog.New(zapslog.NewHandler(w.set.Logger.Core(), zapslog.WithName(w.set.Logger.Name())))
	w.store, err = promstore.Open(w.cfg.Store.config(), logger, registry)
	if err != nil {
		return errors.Join(fmt.Errorf("open store: %w", err), listener.Close())
	}
	w.bridge, err = prombridge.Start(registry, w.set.MeterProvider.Meter("github.com/vigie-otel/vigie/internal/promstore"))
	if err != nil {
		return errors.Join(fmt.Errorf("publish the store's metrics: %w", err), listener.Close())
	}

	// Then: the room, with what it knew before a restart.
	w.room = newRoom(w)
	if w.room.log, err = timeline.Open(w.cfg.timelinePath()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := w.findings.restore(w.cfg.findingsPath()); err != nil {
		return errors.Join(err, listener.Close())
	}
	w.room.setReady(w.restoreReady())
	w.room.remember(ctx, w.now())
	w.room.add(timeline.Entry{At: w.now(), Kind: timeline.Server, Text: "the war room opened"})
	running, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.room.ticking.Go(func() { w.room.run(running) })
	w.room.ticking.Go(func() { w.room.runSlow(running) })

	// Last: serve, when there is something to serve.
	w.server, err = w.cfg.ToServer(ctx, host.GetExtensions(), w.set.TelemetrySettings, w.handler())
	if err != nil {
		return errors.Join(fmt.Errorf("set up the server: %w", err), listener.Close())
	}
	w.serve.Go(func() {
		if err := w.server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serve on %s: %w", w.addr, err)))
		}
	})
	w.set.Logger.Info("war room open", zap.String("page", w.url()+"/"), zap.String("prometheus", w.url()+"/api/v1"), zap.String("store", w.cfg.Store.Directory))
	return nil
}

func (w *warroom) url() string {
	scheme := "http"
	if w.cfg.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + w.addr.String()
}

// Shutdown ends the server, then the store. It is the last pipeline's, safe
// before Start and safe twice.
func (w *warroom) Shutdown(ctx context.Context) error {
	if w.closed {
		return nil
	}
	w.closed = true
	return w.close(ctx)
}

// close undoes open, or what there is of it.
func (w *warroom) close(ctx context.Context) error {
	var errs []error
	if w.stop != nil {
		w.stop()
		w.room.viewers.close() // streams end at once: the page connects again
		w.room.ticking.Wait()
	}
	if w.server != nil {
		// A slow download must not keep the process: what has not ended in two
		// seconds is cut.
		grace, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if err := w.server.Shutdown(grace); err != nil {
			errs = append(errs, w.server.Close())
		}
	}
	w.serve.Wait()
	if w.room != nil && w.room.log != nil {
		errs = append(errs, w.room.log.Close())
	}
	errs = append(errs, w.findings.close())
	if w.bridge != nil {
		errs = append(errs, w.bridge.Stop())
	}
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	return errors.Join(errs...)
}

func (w *warroom) consumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	w.arrivals.metrics(md, w.now())
	w.verdicts.take(md, w.now())
	w.enter(w.changes.metrics(md, w.now()))
	// What is dropped for good is counted by the store, by reason; an error is
	// what may succeed later.
	_, err := w.store.AppendMetrics(ctx, md)
	if err != nil && !promstore.Retryable(err) {
		return consumererror.NewPermanent(err)
	}
	return err
}

func (w *warroom) consumeLogs(_ context.Context, ld plog.Logs) error {
	w.arrivals.logs(ld, w.now())
	w.takeLogs(ld, w.now())
	for _, c := range w.findings.take(ld) {
		w.room.findingChanged(c)
	}
	w.enter(w.changes.logs(ld, w.now()))
	return nil
}

// enter puts into the log book what telemetry tells, within its limit.
func (w *warroom) enter(entries []timeline.Entry) {
	for _, e := range entries {
		if w.changes.allow(w.now()) {
			w.room.add(e)
		}
	}
}

func (w *warroom) consumeTraces(_ context.Context, td ptrace.Traces) error {
	w.arrivals.traces(td, w.now())
	w.takeSpans(td, w.now())
	return nil
}
