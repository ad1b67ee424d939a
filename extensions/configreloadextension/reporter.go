package configreloadextension

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/extensions/configreloadextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/configstate"
	"github.com/vigie-otel/vigie/internal/names"
)

type reporter struct {
	set   component.TelemetrySettings
	state *configstate.State

	stop       context.CancelFunc
	unregister func() error
	wait       sync.WaitGroup
}

func (r *reporter) Start(_ context.Context, host component.Host) error {
	var err error
	if r.unregister, err = register(r.set, r.state); err != nil {
		return err
	}
	r.state.SetLogger(r.set.Logger)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	now, changed := r.state.Now()
	report(host, now, false)
	r.wait.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			was := now.Problem != nil
			now, changed = r.state.Now()
			report(host, now, was)
		}
	})
	return nil
}

// report leaves a status alone that is not worse and was not: the collector
// itself says when an extension has started.
func report(host component.Host, now configstate.Snapshot, was bool) {
	switch {
	case now.Problem != nil:
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(
			fmt.Errorf("an earlier configuration runs (%s): %w", now.Running, now.Problem)))
	case was:
		componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

func (r *reporter) Shutdown(context.Context) error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	r.wait.Wait()
	r.stop = nil
	return r.unregister()
}

func register(set component.TelemetrySettings, state *configstate.State) (unregister func() error, err error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	gauge := func(name, unit, text string) metric.Float64ObservableGauge {
		g, e := m.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(text))
		err = errors.Join(err, e)
		return g
	}
	ok := gauge(names.ConfigReloadSuccessful, "1", "1 when what is configured is what runs, 0 when an earlier configuration does.")
	since := gauge(names.ConfigReloadTime, "s", "When the configuration that runs was started, in seconds since 1970.")
	hash := gauge(names.ConfigHash, "1", "48 bits of the hash of the configuration that runs.")
	reloads, e := m.Int64ObservableCounter(names.ConfigReloads, metric.WithUnit("{reload}"), metric.WithDescription("Later configurations, by what became of them."))
	if err = errors.Join(err, e); err != nil {
		return nil, err
	}
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now, _ := state.Now()
		if now.Since.IsZero() {
			return nil // not yet told
		}
		successful := 1.0
		if now.Problem != nil {
			successful = 0
		}
		o.ObserveFloat64(ok, successful)
		o.ObserveFloat64(since, float64(now.Since.UnixMilli())/1e3)
		o.ObserveFloat64(hash, now.Running.Number())
		for outcome, n := range map[string]int64{"applied": now.Applied, "refused": now.Refused, "reverted": now.Reverted} {
			o.ObserveInt64(reloads, n, metric.WithAttributes(attribute.String(names.ConfigOutcome, outcome)))
		}
		return nil
	}, ok, since, hash, reloads)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}
