package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/vigie-otel/vigie/collector/configs"
	"github.com/vigie-otel/vigie/collector/reload"
	"github.com/vigie-otel/vigie/internal/configstate"
	"github.com/vigie-otel/vigie/internal/resident"
)

// trimAfter is when everything has started and been used once.
const trimAfter = 30 * time.Second

// run checks the whole configuration first, so that every mistake is told at
// once; the collector's own start stops at the first. Then it runs, and so do the
// valid ones that come later (package reload).
func run(ctx context.Context, opts *options) error {
	set, err := opts.settings()
	if err != nil {
		return err
	}
	keep, err := keepIn()
	if err != nil {
		return err
	}
	if ctx == nil {
		ctx = context.Background()
	}
	state := configstate.New(startLogger())
	if err := borrowJournalctl(); err != nil {
		state.Logger().Warn("The journal is not read.", zap.Error(err))
	}
	set.Factories = func() (otelcol.Factories, error) { return componentsOf(state) }
	// Signals are handled here from now on. The collector listens for them only
	// once everything has started: a SIGTERM in between would kill the process with
	// its queues unflushed.
	set.DisableGracefulShutdown = true
	stop, forget := stopOnSignal(state)
	defer forget()
	limitMemory()
	if slices.Contains(set.ConfigProviderSettings.ResolverSettings.URIs, configs.Scheme+":agent") {
		beFrugal()
	}
	trim := time.AfterFunc(trimAfter, func() { _ = resident.Trim() })
	defer trim.Stop()
	hangups := make(chan os.Signal, 1)
	r := &reload.Runner{
		URIs:      set.ConfigProviderSettings.ResolverSettings.URIs,
		Settings:  set,
		Providers: withoutFile(set.ConfigProviderSettings.ResolverSettings.ProviderFactories),
		Check:     check,
		New:       func(set otelcol.CollectorSettings) (reload.Collector, error) { return otelcol.NewCollector(set) },
		Keep:      keep,
		State:     state,
		Stop:      stop,
		Hangups: func() <-chan os.Signal {
			// A collector that runs takes SIGHUP as an order to restart as it is. Not
			// Reset, which would let one in between end the process.
			signal.Ignore(syscall.SIGHUP)
			signal.Notify(hangups, syscall.SIGHUP)
			return hangups
		},
		Poll: 10 * time.Second, Settle: time.Second, Probation: 30 * time.Second,
	}
	return explain(r.Run(ctx))
}

// keepIn is where the last configuration that worked is stored, "" where none is:
// by default in a cluster only, where a process that ends is started again with
// nobody looking on.
func keepIn() (string, error) {
	keep := os.Getenv("KUBERNETES_SERVICE_HOST") != ""
	if v := strings.TrimSpace(os.Getenv("VIGIE_CONFIG_KEEP_LAST")); v != "" {
		var err error
		if keep, err = strconv.ParseBool(v); err != nil {
			return "", fmt.Errorf("VIGIE_CONFIG_KEEP_LAST takes true or false (got %q)", v)
		}
	}
	if !keep {
		return "", nil
	}
	return filepath.Join(os.Getenv("VIGIE_DATA_DIR"), "config", "last-worked.json"), nil
}

// withoutFile leaves out the provider that package reload brings itself.
func withoutFile(all []confmap.ProviderFactory) []confmap.ProviderFactory {
	var rest []confmap.ProviderFactory
	for _, f := range all {
		if f.Create(confmap.ProviderSettings{Logger: zap.NewNop()}).Scheme() != "file" {
			rest = append(rest, f)
		}
	}
	return rest
}

// startLogger is what speaks before a configuration has said how to.
func startLogger() *zap.Logger {
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.ISO8601TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(enc), zapcore.Lock(os.Stderr), zap.InfoLevel))
}

// stopOnSignal closes stop at the first SIGTERM or Ctrl-C.
func stopOnSignal(state *configstate.State) (stop <-chan struct{}, forget func()) {
	signals, asked := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s, open := <-signals; open {
			state.Logger().Info("Received signal from OS", zap.String("signal", s.String()))
			close(asked)
		}
	}()
	return asked, func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}

// explain adds the way out to errors that people meet at the first start.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w\nanother program listens there, perhaps another Vigie: stop it, or give this component another endpoint", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w\nthis user may not; see what the path or port above needs", err)
	}
	return err
}
