package enareceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/vigie-otel/vigie/receivers/enareceiver/internal/metadata"
)

// NewFactory returns the factory of the receiver, type ena.
func NewFactory() receiver.Factory { return newFactory(openEthtool) }

// newFactory lets a test put a driver of its own in place of the kernel.
func newFactory(open func() (driver, error)) receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		defaultConfig,
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			c := cfg.(*Config)
			s := newScraper(c, set, open)
			sc, err := scraper.NewMetrics(s.scrape, scraper.WithStart(s.start), scraper.WithShutdown(s.shutdown))
			if err != nil {
				return nil, err
			}
			return scraperhelper.NewMetricsController(&c.ControllerConfig, set, next,
				scraperhelper.AddMetricsScraper(metadata.Type, sc))
		}, metadata.MetricsStability),
	)
}

func defaultConfig() component.Config {
	cfg := &Config{
		ControllerConfig:     scraperhelper.NewDefaultControllerConfig(),
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
	}
	cfg.CollectionInterval = minInterval
	return cfg
}
