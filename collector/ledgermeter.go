package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configtelemetry"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	otelconf "go.opentelemetry.io/contrib/otelconf/v0.3.0"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/vigie-otel/vigie/internal/ledger"
)

// newMeters is the meter provider that upstream's factory makes of a
// configuration, with the ledger's tap as one more reader: upstream's takes no
// options. Where nothing is to be counted, or what upstream would say no to, it
// is upstream's own.
func newMeters(ctx context.Context, set telemetry.MeterSettings, cfg component.Config, tap *ledger.Tap) (telemetry.MeterProvider, error) {
	c, ok := cfg.(*otelconftelemetry.Config)
	if !ok || c.Metrics.Level == configtelemetry.LevelNone || c.Metrics.MigratedFromV02 || set.Resource == nil {
		tap.Close()
		return otelconftelemetry.NewFactory().CreateMeterProvider(ctx, set, cfg)
	}
	if c.Metrics.Views == nil && set.DefaultViews != nil {
		c.Metrics.Views = set.DefaultViews(c.Metrics.Level)
	}
	meters := c.Metrics.MeterProvider
	sdk, err := otelconf.NewSDK(
		otelconf.WithContext(ctx),
		otelconf.WithOpenTelemetryConfiguration(otelconf.OpenTelemetryConfiguration{
			Resource:      resourceOf(set.Resource, c.Resource.SchemaUrl),
			MeterProvider: &meters,
		}),
		otelconf.WithMeterProviderOptions(sdkmetric.WithReader(tap.Reader())),
	)
	if err != nil {
		return nil, err
	}
	p, ok := sdk.MeterProvider().(telemetry.MeterProvider)
	if !ok {
		return nil, errors.New("the SDK's meter provider cannot be shut down")
	}
	return p, nil
}

func resourceOf(r *pcommon.Resource, schema *string) *otelconf.Resource {
	out := &otelconf.Resource{SchemaUrl: schema}
	for key, value := range r.Attributes().All() {
		out.Attributes = append(out.Attributes, otelconf.AttributeNameValue{Name: key, Value: value.AsRaw()})
	}
	return out
}
