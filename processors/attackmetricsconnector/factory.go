package attackmetricsconnector

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/vigie-otel/vigie/processors/attackmetricsconnector/internal/metadata"
)

// NewFactory returns the factory of the connector, type attack_metrics.
func NewFactory() connector.Factory {
	return connector.NewFactory(
		metadata.Type,
		defaultConfig,
		connector.WithLogsToMetrics(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Logs, error) {
			return newConnector(set, cfg.(*Config), next)
		}, metadata.LogsToMetricsStability),
	)
}
