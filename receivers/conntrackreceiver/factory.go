package conntrackreceiver

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

// NewFactory makes the factory of the receiver. Pipelines of one factory that
// name the same component share one instance.
func NewFactory() receiver.Factory {
	s := &shared{instances: make(map[component.Config]*conntrackReceiver)}
	return receiver.NewFactory(metadata.Type, defaultConfig,
		receiver.WithMetrics(s.metrics, metadata.MetricsStability),
		receiver.WithLogs(s.logs, metadata.LogsStability))
}

func defaultConfig() component.Config {
	return &Config{
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		StatsInterval:        2 * time.Second,
		HalfOpenInterval:     10 * time.Second,
		HalfOpenMaxCPU:       0.05,
		FullInterval:         30 * time.Second,
		MaxCPU:               0.01,
		TopOwners:            20,
		MaxRecords:           5000,
	}
}

// shared keeps one instance a configuration: the collector hands the same
// pointer to each pipeline that names the component.
type shared struct {
	mu        sync.Mutex // guards instances and the consumers of those not started
	instances map[component.Config]*conntrackReceiver
}

func (s *shared) get(set receiver.Settings, cfg component.Config) (*conntrackReceiver, error) {
	if r := s.instances[cfg]; r != nil {
		return r, nil
	}
	c := cfg.(*Config)
	r, err := newReceiver(set, c, newKernel(c.NetNS))
	if err != nil {
		return nil, err
	}
	r.forget = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.instances, cfg)
	}
	s.instances[cfg] = r
	return r, nil
}

func (s *shared) metrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.get(set, cfg)
	if err == nil {
		r.metrics = next
	}
	return r, err
}

func (s *shared) logs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.get(set, cfg)
	if err == nil {
		r.logs = next
	}
	return r, err
}
