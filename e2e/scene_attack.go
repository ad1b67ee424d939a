//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// baseline is how long viewers must have been seen before a flood: the detector
// has to have learnt what is usual (processors/attackdetectionprocessor/README.md,
// "a minute or two").
const baseline = 2 * time.Minute

// attack: one pod floods another behind its Service while viewers watch. The
// gateway says so, and had said nothing before.
func (e *env) attack(ctx context.Context) error {
	shop := "shop"
	_ = e.becomes(ctx, "two minutes of viewers raise no finding", baseline+time.Minute, func(ctx context.Context) (string, error) {
		r, err := e.room(ctx)
		if err != nil {
			return "", err
		}
		if len(r.Findings) > 0 {
			return "", fmt.Errorf("%d findings, such as %s of %s", len(r.Findings), r.Findings[0].Class, r.Findings[0].Service)
		}
		for _, v := range r.Verdicts {
			if v.Service != shop || v.Verdict != finding.Normal {
				continue
			}
			if d := time.Since(v.Since); d < baseline {
				return "", fmt.Errorf("normal since %s only", d.Round(time.Second))
			}
			return fmt.Sprintf("verdict normal at %.0f requests a second, 0 findings", v.Rate), nil
		}
		return "", fmt.Errorf("no verdict normal of %s: %v", shop, r.Verdicts)
	})
	if err := e.apply(ctx, "flood"); err != nil {
		return err
	}
	flood, err := e.runs(ctx, "shop", "app=flood")
	if err != nil {
		return err
	}
	_ = e.becomes(ctx, "the flood is found", 30*time.Second, func(ctx context.Context) (string, error) {
		r, err := e.room(ctx)
		if err != nil {
			return "", err
		}
		for _, f := range r.Findings {
			if f.Service != shop {
				continue
			}
			if f.Class != finding.HTTPFlood {
				return "", fmt.Errorf("it is called %s", f.Class)
			}
			return fmt.Sprintf("%s of %s, confidence %.2f, %.0f s after it began", f.Class, f.Service, f.Confidence, f.DetectedAt.Sub(flood).Seconds()), nil
		}
		return "", fmt.Errorf("%d findings, none of %s", len(r.Findings), shop)
	})
	_ = e.becomes(ctx, "its verdict is a series in the store", 15*time.Second, func(ctx context.Context) (string, error) {
		found, err := e.query(ctx, `vigie_attack_verdict{service_name="shop", vigie_attack_verdict_state=~"attack|mixed"} == 1`)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(found[0].Metric["vigie_attack_verdict_state"]), nil
	})
	_ = e.becomes(ctx, "the flooding pod is among the actors", 15*time.Second, func(ctx context.Context) (string, error) {
		p, err := e.pod(ctx, "shop", "app=flood", "")
		if err != nil {
			return "", err
		}
		r, err := e.room(ctx)
		if err != nil {
			return "", err
		}
		for _, f := range r.Findings {
			for _, a := range f.Actors {
				if f.Service == shop && (a.Value == p.Status.PodIP || a.Value == p.Status.PodIP+"/32") {
					return fmt.Sprintf("%s with %.0f %% of the attack's requests", a.Value, 100*a.Share), nil
				}
			}
		}
		return "", fmt.Errorf("%s is not among the actors", p.Status.PodIP)
	})
	return nil
}

// runs waits until a pod has started and says when.
func (e *env) runs(ctx context.Context, ns, selector string) (since time.Time, err error) {
	err = e.again(ctx, func() error {
		p, err := e.pod(ctx, ns, selector, "")
		if err != nil {
			return err
		}
		for _, s := range p.Status.ContainerStatuses {
			if s.State.Running != nil {
				since = s.State.Running.StartedAt.Time
				return nil
			}
		}
		return fmt.Errorf("%s does not run", p.Name)
	})
	return since, err
}
