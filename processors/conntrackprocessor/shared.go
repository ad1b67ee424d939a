package conntrackprocessor

import (
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/internal/shared"
)

// registry gives the pipelines of one component ID the same instance. The last
// to shut down stops it, so that the logs pipeline still gets what the metrics
// pipeline found.
type registry struct {
	seed      func() uint64
	instances shared.Registry[component.ID, *instance]
}

// face makes a pipeline's side of the instance that set.ID names.
func (r *registry) face(set processor.Settings, cfg *Config) (*face, error) {
	f, err := r.instances.Face(set.ID, func() (*instance, error) { return newInstance(set, cfg, r.seed()) })
	if err != nil {
		return nil, err
	}
	return &face{f, f.Instance}, nil
}

// face is what one pipeline sees of the instance; it starts and stops it.
type face struct {
	*shared.Face[*instance]
	in *instance
}

// Capabilities tells the truth: metrics are added, attributes are put, records
// are removed.
func (f *face) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}
