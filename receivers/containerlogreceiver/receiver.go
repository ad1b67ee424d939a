package containerlogreceiver

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/podlist"
	"github.com/vigie-otel/vigie/internal/storeclient"
	"github.com/vigie-otel/vigie/internal/tail"
)

// logReceiver starts and stops the reader and the sender.
type logReceiver struct {
	set    receiver.Settings
	config *Config
	next   consumer.Logs

	stop context.CancelFunc // the reader
	halt context.CancelFunc // the sender's retries
	done sync.WaitGroup
	end  []func(context.Context) error // in order, after both
}

// Start opens the storage and begins to read.
func (r *logReceiver) Start(ctx context.Context, host component.Host) error {
	began := time.Now()
	client, err := storeclient.Open(ctx, host, r.config.Storage, component.KindReceiver, r.set.ID)
	if err != nil {
		return err
	}
	if client != nil {
		r.end = append(r.end, client.Close)
	} else {
		r.set.Logger.Info("No storage is configured: a restart begins as start_at says")
	}
	st := &store{client: client, every: r.config.CheckpointInterval, logger: r.set.Logger}
	saved, alive, err := st.load(ctx)
	if err != nil {
		return err
	}

	var notify *tail.Notifier
	if r.config.Inotify {
		if notify, err = tail.NewNotifier(); err != nil {
			r.set.Logger.Warn("Polling instead of inotify", zap.Error(err))
			notify = nil
		} else {
			r.end = append(r.end, func(context.Context) error { notify.Close(); return nil })
		}
	}
	opts, err := r.config.tail()
	if err != nil {
		return err
	}
	opts.Started = began.Add(-r.config.NewWithin)
	files := tail.New(opts, notify, saved, alive)
	r.end = append(r.end, func(context.Context) error { files.Close(); return nil })

	batches, acks := make(chan *batch, 1), make(chan []tail.Mark, 1)
	rd, err := newReader(r.config, r.set.Logger, files)
	if err != nil {
		return err
	}
	rd.notify, rd.out, rd.acks, st.counts = notify, batches, acks, rd.counts
	if id := r.config.PodList; id != nil {
		if rd.pods, err = podlist.From(host, *id); err != nil {
			return fmt.Errorf("pod_list: %w", err)
		}
	}
	unregister, err := register(r.set.TelemetrySettings, rd.counts, rd.spaces)
	if err != nil {
		return err
	}
	r.end = append(r.end, func(context.Context) error { return unregister() })
	sd := &sender{config: r.config, logger: r.set.Logger, next: r.next, store: st, counts: rd.counts, in: batches, acks: acks}
	reading, stop := context.WithCancel(context.Background())
	sending, halt := context.WithCancel(context.Background())
	r.stop, r.halt = stop, halt
	r.done.Go(func() { rd.run(reading) })
	r.done.Go(func() { sd.run(sending) })
	return nil
}

// Shutdown stops reading, offers what was read, and stores how far that is. A
// consumer that refuses holds it up until half of ctx's time is over, or for two
// seconds: what is not accepted by then is read again by the next run.
func (r *logReceiver) Shutdown(ctx context.Context) error {
	if r.stop != nil {
		r.stop()
		patience := 2 * time.Second
		if until, ok := ctx.Deadline(); ok {
			patience = min(patience, time.Until(until)/2)
		}
		timer := time.AfterFunc(patience, r.halt)
		r.done.Wait()
		timer.Stop()
		r.halt()
		r.stop = nil
	}
	var first error
	for i := len(r.end) - 1; i >= 0; i-- {
		if err := r.end[i](ctx); err != nil && first == nil {
			first = err
		}
	}
	r.end = nil
	return first
}

// tail gives the options for following files.
func (c *Config) tail() (tail.Options, error) {
	opts := tail.Options{
		Skip:      c.skip,
		FromStart: c.StartAt == "beginning",
		MaxFiles:  c.MaxFiles, MaxOpen: c.MaxOpenFiles, MaxLine: c.MaxLineBytes,
		RotateWait: c.RotateWait, UnterminatedWait: c.UnterminatedWait, SleepAfter: 10 * time.Second,
	}
	for _, in := range []struct{ from, to *[]string }{{&c.Include, &opts.Include}, {&c.Exclude, &opts.Exclude}} {
		for _, p := range *in.from {
			abs, err := filepath.Abs(p)
			if err != nil {
				return opts, err
			}
			*in.to = append(*in.to, abs)
		}
	}
	return opts, nil
}
