package main

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/ledger"
)

// newTelemetry is the collector's own telemetry, with a tap for the ledger, and but
// for the way out. Vigie's metrics take the same way in as everybody's, through the OTLP receiver, which
// has stopped by the time the last of them are flushed: that they can't be
// delivered any more is said, and is no reason to end with an error.
func newTelemetry(tap *ledger.Tap) telemetry.Factory {
	upstream := otelconftelemetry.NewFactory()
	return telemetry.NewFactory(
		upstream.CreateDefaultConfig,
		telemetry.WithCreateResource(upstream.CreateResource),
		telemetry.WithCreateLogger(upstream.CreateLogger),
		telemetry.WithCreateTracerProvider(upstream.CreateTracerProvider),
		telemetry.WithCreateMeterProvider(func(ctx context.Context, set telemetry.MeterSettings, cfg component.Config) (telemetry.MeterProvider, error) {
			p, err := newMeters(ctx, set, cfg, tap)
			if err != nil {
				return nil, err
			}
			return lenientMeters{p, set.Logger}, nil
		}),
	)
}

type lenientMeters struct {
	telemetry.MeterProvider
	log *zap.Logger
}

func (m lenientMeters) Shutdown(ctx context.Context) error {
	if err := m.MeterProvider.Shutdown(ctx); err != nil {
		m.log.Debug("the last of Vigie's own metrics could not be delivered", zap.Error(err))
	}
	return nil
}
