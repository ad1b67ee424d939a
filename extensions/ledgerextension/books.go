package ledgerextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/extensions/ledgerextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/ledger"
)

// atMost is how long a look at the counters may take.
const atMost = 2 * time.Second

var (
	_ extensioncapabilities.ConfigSnapshotWatcher = (*books)(nil)
	_ componentstatus.Watcher                     = (*books)(nil)
	_ extensionmiddleware.HTTPServer              = (*books)(nil)
)

// books is the extension.
type books struct {
	cfg        *Config
	set        component.TelemetrySettings
	keeper     *ledger.Keeper
	unregister func() error // nil before Start
}

// Start publishes the books.
func (b *books) Start(context.Context, component.Host) (err error) {
	b.unregister, err = ledger.Publish(b.set.MeterProvider.Meter(metadata.ScopeName), b.read)
	return err
}

// read is empty where there is nothing to read: no meter, no configuration.
func (b *books) read(ctx context.Context) []ledger.Book {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	all, err := b.keeper.Read(ctx)
	if err != nil {
		b.set.Logger.Debug("The ledger cannot be read.", zap.Error(err))
	}
	return all
}

// NotifyConfigSnapshot takes the configuration that runs. One that cannot be read
// as pipelines is told with the books, and stops nothing.
func (b *books) NotifyConfigSnapshot(_ context.Context, conf extensioncapabilities.ConfigSnapshot) error {
	if err := b.keeper.Configure(conf.Effective(), conf.Unexpanded()); err != nil {
		b.set.Logger.Warn("The ledger does not know the pipelines.", zap.Error(err))
	}
	return nil
}

// ComponentStatusChanged waits for the first receiver that is about to start: all
// exporters have by then.
func (b *books) ComponentStatusChanged(of *componentstatus.InstanceID, event *componentstatus.Event) {
	if of.Kind() != component.KindReceiver || event.Status() != componentstatus.StatusStarting {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	if err := b.keeper.Open(ctx); err != nil {
		b.set.Logger.Debug("What the queues began with is not known.", zap.Error(err))
	}
}

// Shutdown says what did not come out even; nobody could ask for it any more. It
// is safe before Start and twice.
func (b *books) Shutdown(ctx context.Context) error {
	if b.unregister == nil {
		return nil
	}
	for _, book := range b.read(ctx) {
		if book.State != ledger.Balanced {
			b.set.Logger.Info("The ledger at the end.", fields(book)...)
		}
	}
	err := b.unregister()
	b.unregister = nil
	return err
}

func fields(b ledger.Book) []zap.Field {
	return []zap.Field{
		zap.String("signal", b.Signal), zap.String("destination", b.To), zap.String("state", string(b.State)),
		zap.Int64("read", b.Read), zap.Int64("queued_at_start", b.QueuedAtStart), zap.Int64("made", b.Made),
		zap.Int64("sent", b.Sent), zap.Int64("removed", b.Removed), zap.Any("dropped", b.Dropped),
		zap.Int64("waiting", b.Waiting), zap.Int64("queue", b.Queue), zap.Strings("unknown", b.Unknown),
	}
}
