package checkcmd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/otelcol"
)

// atOnce bounds the probes that run in parallel.
const atOnce = 8

// grace is how long past its time-out a probe may take to notice.
const grace = 2 * time.Second

// probe tries one part. It may find several things worth a line; each gets the
// probe's part unless it names another.
type probe struct {
	part string
	run  func(context.Context) []Result
}

// Run tries each part of a configuration that has been validated. The error is
// only for one that cannot be read.
func Run(ctx context.Context, set otelcol.CollectorSettings, timeout time.Duration) (Results, error) {
	p, err := newPlan(ctx, set, timeout)
	if err != nil {
		return nil, err
	}
	defer p.close()
	probes := p.probes(ctx)
	found := make([][]Result, len(probes))
	slots := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, pr := range probes {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = try(ctx, pr, timeout)
		})
	}
	wait.Wait()
	var all Results
	for _, rs := range found {
		all = append(all, rs...)
	}
	if r, seen := p.clock.result(); seen {
		all = append(all, r)
	}
	return all, nil
}

// try runs one probe. One that does not return in time, such as a stat of a dead
// network file system, is left behind.
func try(ctx context.Context, p probe, timeout time.Duration) []Result {
	if ctx.Err() != nil {
		return []Result{{Level: Fail, Part: p.part, Text: "not tried: interrupted"}}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	begun := time.Now()
	done := make(chan []Result, 1)
	go func() { done <- p.run(ctx) }()
	late := time.NewTimer(timeout + grace)
	defer late.Stop()
	var found []Result
	select {
	case found = <-done:
	case <-late.C:
		found = []Result{fail("look at what it waits for, or give it longer with --timeout", "no answer in %s", timeout)}
	}
	for i := range found {
		if found[i].Part == "" {
			found[i].Part = p.part
		}
		if found[i].Ms == 0 {
			found[i].Ms = time.Since(begun).Milliseconds()
		}
	}
	return found
}

func one(r Result) []Result { return []Result{r} }

// late reports whether an error is the probe's own time-out.
func late(ctx context.Context, err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// plural is "1 thing" or "3 things".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
