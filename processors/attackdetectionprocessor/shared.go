package attackdetectionprocessor

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/internal/detect"
)

// registry gives the pipelines of one component ID the same instance. The last
// of them to shut down stops it.
type registry struct {
	newest func(detect.Config) (judge, error)

	mu        sync.Mutex
	instances map[component.ID]*instance // guarded by mu
}

// face makes a pipeline's side of the instance that set.ID names.
func (r *registry) face(set processor.Settings, cfg *Config) (*face, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in, ok := r.instances[set.ID]
	if !ok {
		var err error
		if in, err = newInstance(set, cfg, r.newest); err != nil {
			return nil, err
		}
		r.instances[set.ID] = in
	}
	in.faces++
	return &face{in: in, leave: func() bool { return r.leave(set.ID, in) }}, nil
}

// leave takes a face off the instance and says whether it was the last.
func (r *registry) leave(id component.ID, in *instance) (last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in.faces--
	if in.faces > 0 {
		return false
	}
	delete(r.instances, id)
	return true
}

// face is what one pipeline sees of the instance.
type face struct {
	in         *instance
	leave      func() (last bool)
	start, end sync.Once
}

// Start starts the instance with its first face.
func (f *face) Start(context.Context, component.Host) error {
	f.start.Do(f.in.start)
	return nil
}

// Shutdown is safe before Start and safe twice.
func (f *face) Shutdown(context.Context) error {
	f.end.Do(func() {
		if f.leave() {
			f.in.stop()
		}
	})
	return nil
}

// Capabilities tells the truth: marks are put, and a gateway takes summaries
// out.
func (f *face) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}
