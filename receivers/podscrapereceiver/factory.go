package podscrapereceiver

import (
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"

	"github.com/vigie-otel/vigie/receivers/podscrapereceiver/internal/metadata"
)

// NewFactory returns the factory of the receiver, type pod_scrape.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		receiver.WithMetrics(create, metadata.MetricsStability),
	)
}
