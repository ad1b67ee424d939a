package attackdetectionprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/shared"
)

// registry gives the pipelines of one component ID the same instance. The last
// of them to shut down stops it.
type registry struct {
	newest    func(detect.Config) (judge, error)
	instances shared.Registry[component.ID, *instance]
}

// face makes a pipeline's side of the instance that set.ID names.
func (r *registry) face(set processor.Settings, cfg *Config) (*face, error) {
	f, err := r.instances.Face(set.ID, func() (*instance, error) { return newInstance(set, cfg, r.newest) })
	if err != nil {
		return nil, err
	}
	return &face{f, f.Instance}, nil
}

// Start is the first face's.
func (in *instance) Start(context.Context, component.Host) error {
	in.start()
	return nil
}

// Shutdown is the last face's.
func (in *instance) Shutdown(context.Context) error {
	in.stop()
	return nil
}

// face is what one pipeline sees of the instance; it starts and stops it.
type face struct {
	*shared.Face[*instance]
	in *instance
}

// Capabilities tells the truth: marks are put, and a gateway takes summaries
// out.
func (f *face) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}
