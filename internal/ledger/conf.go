package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

// WaysOf finds the ways of a whole configuration, which queues are on disk or
// count items, and how much batches on the way may hold for how long. written is
// the configuration as somebody wrote it, or nil: a queue's sizer is not in the
// effective one, whose type upstream does not know how to write down again.
func WaysOf(conf, written *confmap.Conf) ([]Way, error) {
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
	for i := range ways {
		w := &ways[i]
		queue := "exporters::" + w.To + "::sending_queue::"
		w.Durable = text(conf.Get(queue+"storage")) != ""
		w.InItems = text(conf.Get(queue+"sizer")) == "items" || written != nil && text(written.Get(queue+"sizer")) == "items"
		for _, id := range w.Batches {
			w.Holds += capacity(conf, "processors::"+id+"::")
			w.For += cmp.Or(duration(conf.Get("processors::"+id+"::timeout")), 200*time.Millisecond)
		}
	}
	return ways, nil
}

// capacity is how many items a batch processor may hold.
func capacity(conf *confmap.Conf, key string) int64 {
	for _, name := range []string{"send_batch_max_size", "send_batch_size"} {
		if n, err := strconv.ParseInt(text(conf.Get(key+name)), 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return 8192
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func duration(v any) time.Duration {
	d, err := time.ParseDuration(text(v))
	if err != nil {
		return 0
	}
	return d
}
