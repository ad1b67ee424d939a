package cloudwatchexporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/inorder"
)

// How long requests may take from the beginning of Shutdown: what is queued on
// disk waits there for the next start, what is queued in memory has only this.
const (
	graceOnDisk   = 5 * time.Second
	graceInMemory = 25 * time.Second
)

// instance is what one signal of a component has beside exporterhelper's queue.
type instance struct {
	source *awsclient.Source
	sender *sender
	budget *budget
	tel    *telemetry
	grace  time.Duration
	once   sync.Once
}

func newInstance(c *Config, set exporter.Settings, signal string) (*instance, error) {
	tel, err := newTelemetry(set.TelemetrySettings, set.ID, signal)
	if err != nil {
		return nil, err
	}
	b := newBudget(c)
	if err := tel.observe(set.TelemetrySettings, b); err != nil {
		return nil, err
	}
	source := awsclient.New(c.Settings, set.Logger)
	x := &instance{source: source, sender: newSender(c, source, set.Logger, tel), budget: b, tel: tel, grace: graceInMemory}
	if c.Queue.HasValue() && c.Queue.Get().StorageID != nil {
		x.grace = graceOnDisk
	}
	return x, nil
}

// lifecycle is exporterhelper's exporter of either signal.
type lifecycle interface {
	Start(context.Context, component.Host) error
	Shutdown(context.Context) error
}

// start begins to look for credentials before the queue has its first consumer.
func (x *instance) start(ctx context.Context, host component.Host, inner lifecycle) error {
	x.source.Start(host)
	return inner.Start(ctx, inorder.Host(host))
}

// shutdown first says so, since a push may be waiting for credentials; then the
// queue ends; then the rest.
func (x *instance) shutdown(ctx context.Context, inner lifecycle) (err error) {
	x.once.Do(func() { // exporterhelper's own is not safe twice
		x.sender.stop(x.grace)
		defer context.AfterFunc(ctx, x.sender.end)()
		err = inner.Shutdown(ctx)
		x.sender.stop(0)
		x.source.Shutdown()
		err = errors.Join(err, x.tel.shutdown())
	})
	return err
}

type logsExporter struct {
	exporter.Logs
	instance *instance
}

func (e *logsExporter) Start(ctx context.Context, host component.Host) error {
	return e.instance.start(ctx, host, e.Logs)
}

func (e *logsExporter) Shutdown(ctx context.Context) error { return e.instance.shutdown(ctx, e.Logs) }
