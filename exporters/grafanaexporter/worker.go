package grafanaexporter

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// run makes the calls that are due, one after the other, until ctx ends. While
// Grafana is away everything waits: it is one Grafana, and the order stays.
func (g *grafana) run(ctx context.Context) {
	backoff := g.cfg.RetryOnFailure.InitialInterval
	failing := ""
	for ctx.Err() == nil {
		e, wait := g.table.next(time.Now(), false)
		if e == nil {
			g.rest(ctx, wait, g.wake)
			continue
		}
		err := g.deliver(ctx, e)
		if err == nil {
			if failing != "" {
				g.set.Logger.Info("Grafana takes annotations again")
				g.report(nil)
			}
			backoff, failing = g.cfg.RetryOnFailure.InitialInterval, ""
			continue
		}
		if ctx.Err() != nil {
			return
		}
		// Once a cause, not once a call.
		if text := err.Error(); text != failing {
			g.set.Logger.Warn("annotations wait", zap.Error(err), zap.Int64("waiting", g.counts.waiting.Load()))
			g.report(err)
			failing = text
		}
		pause := backoff
		var r *refusal
		if errors.As(err, &r) && r.retryAfter > pause {
			pause = r.retryAfter
		}
		g.rest(ctx, jitter(pause, g.cfg.RetryOnFailure.RandomizationFactor), nil)
		backoff = min(max(time.Duration(float64(backoff)*g.cfg.RetryOnFailure.Multiplier), backoff), g.cfg.RetryOnFailure.MaxInterval)
	}
}

// rest waits for a time, a wake-up or the end.
func (*grafana) rest(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-t.C:
	}
}

// jitter lengthens d by up to the factor: never shorter than Retry-After asks.
func jitter(d time.Duration, factor float64) time.Duration {
	return d + time.Duration(rand.Float64()*factor*float64(d))
}

// drain makes the calls that wait, due or not, until one fails.
func (g *grafana) drain(ctx context.Context) {
	for ctx.Err() == nil {
		e, _ := g.table.next(time.Now(), true)
		if e == nil || g.deliver(ctx, e) != nil {
			return
		}
	}
}

// deliver brings one annotation to what e says. An error means that the same call
// is to be made again; what Grafana refuses for good is counted, said, and not
// tried again until the finding's next word.
func (g *grafana) deliver(ctx context.Context, e *entry) error {
	id, end, err := g.put(ctx, e)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		var r *refusal
		status := 0
		if errors.As(err, &r) {
			status = r.status
		}
		if r == nil || !r.hopeless() {
			g.counts.failed(status)
			return err
		}
		g.counts.rejected.Add(1)
		g.set.Logger.Error("Grafana refuses an annotation", zap.String("tag", e.Key), zap.Error(err))
		id = e.ID
	}
	g.table.sent(e, id, end, time.Now())
	g.save(context.WithoutCancel(ctx), []string{e.Key}, nil)
	return nil
}

// put creates, adopts or updates.
func (g *grafana) put(ctx context.Context, e *entry) (id, end int64, err error) {
	end = g.table.end(e, time.Now())
	want := annotation{Time: e.Look.Start, TimeEnd: end, Text: e.Look.Text, Tags: e.Look.Tags}
	if e.ID != 0 {
		err := g.client.update(ctx, e.ID, want)
		if err == nil {
			g.counts.updated.Add(1)
		}
		var r *refusal
		if !errors.As(err, &r) || r.status != http.StatusNotFound {
			return e.ID, end, err
		}
		// Somebody deleted it, or Grafana's database is an older one: begin anew.
		g.table.forget(e.Key)
	}
	found, ok, err := g.client.find(ctx, e.Key)
	if err != nil {
		return 0, end, err
	}
	if ok {
		if err := g.client.update(ctx, found.ID, want); err != nil {
			return 0, end, err
		}
		g.counts.adopted.Add(1)
		return found.ID, end, nil
	}
	want.DashboardUID, want.PanelID = g.cfg.DashboardUID, g.cfg.PanelID
	id, err = g.client.create(ctx, want)
	var r *refusal
	if errors.As(err, &r) && r.status == http.StatusNotFound && want.DashboardUID != "" {
		// A dashboard that is not there must not cost the annotation: every
		// dashboard can show one of the organisation.
		g.set.Logger.Warn("dashboard_uid is not there; the annotation is made for the organisation", zap.String("dashboard_uid", want.DashboardUID))
		want.DashboardUID, want.PanelID = "", 0
		id, err = g.client.create(ctx, want)
	}
	if err == nil {
		g.counts.created.Add(1)
	}
	return id, end, err
}
