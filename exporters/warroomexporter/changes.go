package warroomexporter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	telling "github.com/vigie-otel/vigie/internal/event"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// What bounds changes. An autoscaler that flaps must not fill the log book.
const (
	maxWorkloads     = 5000
	maxEvents        = 2000             // IDs remembered
	entriesPerMinute = 60               // of deploys, scalings and events together
	settle           = 10 * time.Second // a generation that grows beside a scaling is no deploy
)

// changes watches what goes by for deploys, scalings and events, and enters each
// once. The metrics are those of the k8s_cluster receiver and of
// kube-state-metrics; the records are vigie.event and any with deployment.name.
type changes struct {
	mu        sync.Mutex
	workloads map[string]*workload // guarded by mu; at most maxWorkloads
	events    map[string]struct{}  // guarded by mu; at most maxEvents
	minute    int64                // guarded by mu
	entered   int                  // guarded by mu: in that minute
	dropped   uint64               // guarded by mu: workloads and entries beyond a limit, events that cannot be read
}

// workload is what is known of a deployment. −1 is not known.
type workload struct {
	replicas, generation int64
	scaled               time.Time
}

func newChanges() *changes {
	return &changes{workloads: map[string]*workload{}, events: map[string]struct{}{}}
}

// metrics takes a batch and returns what to enter.
func (c *changes) metrics(md pmetric.Metrics, now time.Time) []timeline.Entry {
	var out []timeline.Entry
	var regenerated []string
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if !strings.HasPrefix(m.Name(), "k8s.deployment.") && !strings.HasPrefix(m.Name(), "kube_deployment_") {
					continue
				}
				for _, p := range numbers(m).All() {
					entry, key := c.point(m.Name(), rm.Resource().Attributes(), p, now)
					if entry != nil {
						out = append(out, *entry)
					}
					if key != "" {
						regenerated = append(regenerated, key)
					}
				}
			}
		}
	}
	return append(out, c.deploys(regenerated, now)...)
}

// numbers are the points of a gauge or a sum; of another type none.
func numbers(m pmetric.Metric) pmetric.NumberDataPointSlice {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints()
	}
	return pmetric.NewNumberDataPointSlice()
}

// point returns the scaling that a point tells, and the workload's key where its
// generation grew.
func (c *changes) point(metric string, resource pcommon.Map, p pmetric.NumberDataPoint, now time.Time) (*timeline.Entry, string) {
	value := p.IntValue()
	if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
		value = int64(p.DoubleValue())
	}
	namespace, name := either(resource, p.Attributes(), "k8s.namespace.name", "namespace"), either(resource, p.Attributes(), "k8s.deployment.name", "deployment")
	if name == "" {
		return nil, ""
	}
	key := cut(namespace, 128) + "/" + cut(name, 128)
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.workloads[key]
	if w == nil {
		if len(c.workloads) >= maxWorkloads {
			c.dropped++
			return nil, ""
		}
		w = &workload{replicas: -1, generation: -1}
		c.workloads[key] = w
	}
	switch metric {
	case "k8s.deployment.desired", "kube_deployment_spec_replicas":
		was := w.replicas
		w.replicas = value
		if was >= 0 && was != value {
			w.scaled = now
			return &timeline.Entry{At: now, Kind: timeline.Scaling, Service: name, Text: fmt.Sprintf("%s: %d → %d replicas", key, was, value)}, ""
		}
	case "kube_deployment_metadata_generation":
		was := w.generation
		w.generation = value
		if was >= 0 && value > was {
			return nil, key
		}
	}
	return nil, ""
}

func either(a, b pcommon.Map, key, other string) string {
	for _, x := range []struct {
		m   pcommon.Map
		key string
	}{{a, key}, {b, key}, {b, other}} {
		if v, ok := x.m.Get(x.key); ok && v.Str() != "" {
			return v.Str()
		}
	}
	return ""
}

// deploys are the workloads whose generation grew and that were not scaled: a
// scaling is a change of the specification too.
func (c *changes) deploys(keys []string, now time.Time) []timeline.Entry {
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []timeline.Entry
	for _, key := range slices.Compact(keys) {
		if w := c.workloads[key]; now.Sub(w.scaled) > settle {
			out = append(out, timeline.Entry{At: now, Kind: timeline.Deploy, Service: key[strings.IndexByte(key, '/')+1:], Text: fmt.Sprintf("%s: generation %d", key, w.generation)})
		}
	}
	return out
}

// logs takes a batch of records and returns what to enter.
func (c *changes) logs(ld plog.Logs, now time.Time) []timeline.Entry {
	var out []timeline.Entry
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if e, ok := c.record(lr, now); ok {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

func (c *changes) record(lr plog.LogRecord, now time.Time) (timeline.Entry, bool) {
	if lr.Attributes().Len() == 0 {
		return timeline.Entry{}, false
	}
	if ev, err := telling.FromLogRecord(lr); err == nil {
		text := ev.Title
		if ev.Text != "" {
			text = cut(text+": "+ev.Text, timeline.MaxText-len("…"))
		}
		// What is announced is not remembered: told again when it has begun, it is news.
		return timeline.Entry{At: ev.StartedAt, Kind: kindOf(ev.Kind), Service: ev.Service, Who: ev.Who, Ref: ev.Ref, Text: text}, !ev.StartedAt.After(now) && c.first(ev.ID)
	} else if !errors.Is(err, telling.ErrNotEvent) {
		c.mu.Lock()
		c.dropped++
		c.mu.Unlock()
		return timeline.Entry{}, false
	}
	name, ok := lr.Attributes().Get("deployment.name")
	if !ok || name.Str() == "" {
		return timeline.Entry{}, false
	}
	attr := func(key string) string {
		v, _ := lr.Attributes().Get(key)
		return v.AsString()
	}
	at := now
	if t := lr.Timestamp(); t != 0 && !t.AsTime().After(now) {
		at = t.AsTime()
	}
	status, id := attr("deployment.status"), attr("deployment.id")
	text := strings.TrimSpace(finding.Clean(name.Str()) + " " + finding.Clean(status))
	return timeline.Entry{At: at, Kind: timeline.Deploy, Text: text}, c.first("deployment " + cmp.Or(id, at.String()) + " " + name.Str() + " " + status)
}

// kindOf is the log book's kind for an event's. What the calendar announces is
// entered by the clock already, or is an event like any other.
func kindOf(kind string) timeline.Kind {
	switch kind {
	case "deploy", "deployment", "release", "rollout":
		return timeline.Deploy
	case "scale", "scaling":
		return timeline.Scaling
	}
	return timeline.Event
}

// first reports whether the event is new.
func (c *changes) first(id string) bool {
	if len(id) > 256 {
		id = id[:256]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.events[id]; known {
		return false
	}
	if len(c.events) >= maxEvents {
		clear(c.events) // what is sent again after that is entered again
	}
	c.events[strings.Clone(id)] = struct{}{}
	return true
}

// allow holds the entries of a minute within their limit.
func (c *changes) allow(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if minute := now.Unix() / 60; minute != c.minute {
		c.minute, c.entered = minute, 0
	}
	if c.entered >= entriesPerMinute {
		c.dropped++
		return false
	}
	c.entered++
	return true
}

// overflow is what was not entered for want of room, or could not be read.
func (c *changes) overflow() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}
