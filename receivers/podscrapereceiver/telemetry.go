package podscrapereceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/podscrapereceiver/internal/metadata"
)

func register(set component.TelemetrySettings, cfg *Config, d *discovery) (unregister func() error, err error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	targets, e1 := m.Int64ObservableUpDownCounter(names.PodScrapeTargets, metric.WithUnit("{target}"), metric.WithDescription("Endpoints of pods that are scraped, by rule."))
	left, e2 := m.Int64ObservableUpDownCounter(names.PodScrapeIgnored, metric.WithUnit("{pod}"), metric.WithDescription("Pods that ask to be scraped, or that a rule names, and are not, by reason."))
	if err := errors.Join(e1, e2); err != nil {
		return nil, err
	}
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now, known := d.current()
		if !known {
			return nil
		}
		rules := cfg.Rules
		if cfg.Annotations {
			rules = append(rules[:len(rules):len(rules)], Rule{Name: annotated})
		}
		for _, r := range rules {
			o.ObserveInt64(targets, int64(len(now.targets[r.Name])), metric.WithAttributes(attribute.String(names.PodScrapeRule, r.Name)))
		}
		reasons := map[string]int64{}
		for reason := range meaning {
			reasons[reason] = 0
		}
		for _, i := range now.ignored {
			reasons[i.reason]++
		}
		for reason, n := range reasons {
			o.ObserveInt64(left, n, metric.WithAttributes(attribute.String(names.PodScrapeReason, reason)))
		}
		return nil
	}, targets, left)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}
