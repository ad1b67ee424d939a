package attackdetectionprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

// telemetry reports what the engine and the outlet counted. It runs in the
// instance's goroutine, once a second, so that the hot path counts in plain
// numbers.
type telemetry struct {
	*metadata.TelemetryBuilder
	last map[series]int64 // as of the last report
}

type series struct {
	counter metric.Int64Counter
	value   string
}

func newTelemetry(set component.TelemetrySettings) (*telemetry, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	return &telemetry{TelemetryBuilder: b, last: map[series]int64{}}, err
}

// seen is everything that is reported.
type seen struct {
	counts   counts
	out      outcomes
	lines    accesslog.Stats
	detect   detect.Stats
	restarts int64
}

func (e *engine) seen() seen {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := seen{counts: e.counts, out: e.out.outcomes(), lines: e.parser.Stats(), restarts: e.restarts, detect: e.past}
	now := e.judge.Stats()
	add(&s.detect, now)
	s.detect.Services = now.Services
	return s
}

// report adds what was counted since the last report.
func (t *telemetry) report(ctx context.Context, s seen) {
	t.count(ctx, t.AttackDetectionRequests, "source", "line", s.counts.lines)
	t.count(ctx, t.AttackDetectionRequests, "source", "attributes", s.counts.attributes)
	t.count(ctx, t.AttackDetectionRequests, "source", "span", s.counts.spans)
	t.count(ctx, t.AttackDetectionSpansDoubled, "", "", s.counts.doubled)
	t.count(ctx, t.AttackDetectionMarked, "", "", s.counts.marked)
	t.count(ctx, t.AttackDetectionRestarts, "", "", s.restarts)
	for i, reason := range accesslog.Reasons {
		t.count(ctx, t.AttackDetectionUnread, "reason", reason, int64(s.lines.Unread[i]))
	}
	t.count(ctx, t.AttackDetectionLimited, "limit", "late", int64(s.detect.Late))
	t.count(ctx, t.AttackDetectionLimited, "limit", "future", int64(s.detect.Future))
	t.count(ctx, t.AttackDetectionLimited, "limit", "timeless", int64(s.detect.Timeless))
	t.count(ctx, t.AttackDetectionLimited, "limit", "overflow", int64(s.detect.Overflowed))
	t.count(ctx, t.AttackDetectionLimited, "limit", "client_purged", int64(s.detect.ClientsPurged))
	t.count(ctx, t.AttackDetectionFindings, "outcome", "sent", s.out.findingsSent)
	t.count(ctx, t.AttackDetectionFindings, "outcome", "dropped", s.out.findingsDropped)
	t.count(ctx, t.AttackDetectionFindings, "outcome", "superseded", s.counts.superseded)
	t.count(ctx, t.AttackDetectionSummaries, "outcome", "sent", s.out.summariesSent)
	t.count(ctx, t.AttackDetectionSummaries, "outcome", "dropped", s.out.summariesDropped)
	t.count(ctx, t.AttackDetectionSummaries, "outcome", "merged", s.counts.merged)
	t.count(ctx, t.AttackDetectionSummaries, "outcome", "refused", s.counts.refused)
	t.AttackDetectionServices.Record(ctx, int64(s.detect.Services))
}

func (t *telemetry) count(ctx context.Context, c metric.Int64Counter, key, value string, total int64) {
	k := series{c, value}
	delta := total - t.last[k]
	if delta <= 0 {
		return
	}
	t.last[k] = total
	if key == "" {
		c.Add(ctx, delta)
		return
	}
	c.Add(ctx, delta, metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value))))
}
