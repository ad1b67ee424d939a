//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// calendarOf is an event of tomorrow with twice the usual audience.
func calendarOf(now time.Time) string {
	kickOff := now.Add(20 * time.Hour).UTC()
	return fmt.Sprintf("events:\n  - name: Final\n    kick_off: %s\n    full_time: %s\n    factor: 2\n", kickOff.Format(time.RFC3339), kickOff.Add(2*time.Hour).Format(time.RFC3339))
}

// readiness is the part of `vigie ready --output json` that is asserted.
type readiness struct {
	Event    struct{ Name string }
	Findings []verdictOf
	Services []struct {
		Namespace, Workload string
		Now, Replicas       *struct{ Value float64 }
		Max                 *int
	}
}

// verdictOf is what one check came to.
type verdictOf struct{ Check, Status, Subject, Why string }

// ready asks the gateway whether the cluster is ready for tomorrow's event, as
// docs/ready.md has it: in its pod, by its own account. This cluster is not: it has
// no metrics server, so that the shop's autoscaler is blind.
func (e *env) readiness(ctx context.Context) error {
	_ = e.becomes(ctx, "vigie ready reads the cluster and says what is not ready", 90*time.Second, func(ctx context.Context) (string, error) {
		out, err := e.cluster.Kubectl(ctx, nil, "-n", namespace, "exec", "vigie-gateway-0", "-c", "gateway", "--",
			"/vigie", "ready", "--calendar", "/etc/vigie/calendar.yaml", "--no-aws", "--output", "json")
		var r readiness
		if broken := json.Unmarshal(out, &r); broken != nil {
			return "", fmt.Errorf("it printed no JSON: %.300q (%w)", out, err)
		}
		if err == nil {
			return "", fmt.Errorf("it calls the cluster ready")
		}
		for check, allowed := range map[string]string{"calendar": "ok", "metrics": "ok", "hpa_health": "fail", "conntrack": "ok warn", "nodes": "ok warn"} {
			i := slices.IndexFunc(r.Findings, func(f verdictOf) bool { return f.Check == check })
			if i < 0 || !slices.Contains(strings.Fields(allowed), r.Findings[i].Status) {
				return "", fmt.Errorf("%s is not %s: %+v", check, allowed, r.Findings)
			}
		}
		for _, s := range r.Services {
			if s.Workload == "shop" && s.Now != nil && s.Now.Value > 1 && s.Replicas != nil && s.Max != nil && *s.Max == 3 {
				return fmt.Sprintf("%s: %d findings, the shop at %.0f requests a second on %.0f replica", r.Event.Name, len(r.Findings), s.Now.Value, s.Replicas.Value), nil
			}
		}
		return "", fmt.Errorf("the shop is not among the services: %s", out)
	})
	return nil
}
