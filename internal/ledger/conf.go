package ledger

import (
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/confmap"
)

// WaysOf finds the ways of a whole configuration, and which queues are on disk.
func WaysOf(conf *confmap.Conf) ([]Way, error) {
	service, err := conf.Sub("service::pipelines")
	if err != nil {
		return nil, fmt.Errorf("read service::pipelines: %w", err)
	}
	var pipelines []Pipeline
	for _, name := range slices.Sorted(maps.Keys(service.ToStringMap())) {
		var lists struct {
			Receivers  []string `mapstructure:"receivers"`
			Processors []string `mapstructure:"processors"`
			Exporters  []string `mapstructure:"exporters"`
		}
		sub, err := service.Sub(name)
		if err == nil {
			err = sub.Unmarshal(&lists)
		}
		if err != nil {
			return nil, fmt.Errorf("read pipeline %s: %w", name, err)
		}
		pipelines = append(pipelines, Pipeline{name, lists.Receivers, lists.Processors, lists.Exporters})
	}
	ways := Ways(pipelines, Vigie)
	for i, w := range ways {
		storage, _ := conf.Get("exporters::" + w.To + "::sending_queue::storage").(string)
		ways[i].Durable = storage != ""
	}
	return ways, nil
}
