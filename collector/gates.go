package main

import (
	"fmt"

	"go.opentelemetry.io/collector/featuregate"
)

// gates are upstream's feature gates that Vigie turns on; --feature-gates=-ID
// turns one off again.
var gates = []string{ //nolint:gochecknoglobals // a constant list
	// AMP answers 429 when a quota is reached; the exporter would drop the batch.
	"exporter.prometheusremotewritexporter.RetryOn429",
	// Health that says which component waits for what, as AWS credentials.
	"extension.healthcheck.useComponentStatus",
}

// openGates is called before flags are read, so that they have the last word.
func openGates() error {
	for _, id := range gates {
		if err := featuregate.GlobalRegistry().Set(id, true); err != nil {
			return fmt.Errorf("turn on feature gate %s: %w", id, err)
		}
	}
	return nil
}
