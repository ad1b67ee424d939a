package podattributesprocessor

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/podlist"
	"github.com/vigie-otel/vigie/processors/podattributesprocessor/internal/metadata"
)

type enricher struct {
	cfg  *Config
	list *podlist.List // from start on

	resources            metric.Int64Counter
	known, unknown, none metric.MeasurementOption

	mu     sync.Mutex
	strays map[string]time.Time // guarded by mu; pods that the list lacked, and when it was asked for
}

// Bounds of the memory of strays: an address that is no pod's, asked for with each
// batch, must not keep the kubelet busy. Whoever sends may write anything into a
// name; one that is longer than a namespace's and a pod's together is no pod's.
const (
	maxStrays  = 1024
	maxStray   = 63 + 1 + 253
	askAgainIn = time.Minute
)

func newEnricher(set component.TelemetrySettings, cfg *Config) (*enricher, error) {
	e := &enricher{cfg: cfg, strays: map[string]time.Time{}}
	outcome := func(o string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(names.PodAttributesOutcome, o)))
	}
	e.known, e.unknown, e.none = outcome("known"), outcome("unknown"), outcome("none")
	var err error
	e.resources, err = set.MeterProvider.Meter(metadata.ScopeName).Int64Counter(names.PodAttributesResources,
		metric.WithUnit("{resource}"), metric.WithDescription("Resources, by whether they are a pod's of this node."))
	return e, err
}

func (e *enricher) start(_ context.Context, host component.Host) (err error) {
	if e.list, err = podlist.From(host, e.cfg.Pods); err != nil {
		return fmt.Errorf("pods: %w", err)
	}
	return nil
}

func (e *enricher) metrics(ctx context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	from := sender(ctx)
	for _, rm := range md.ResourceMetrics().All() {
		e.enrich(ctx, rm.Resource(), from)
	}
	return md, nil
}

func (e *enricher) logs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	from := sender(ctx)
	for _, rl := range ld.ResourceLogs().All() {
		e.enrich(ctx, rl.Resource(), from)
	}
	return ld, nil
}

func (e *enricher) traces(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	from := sender(ctx)
	for _, rs := range td.ResourceSpans().All() {
		e.enrich(ctx, rs.Resource(), from)
	}
	return td, nil
}

// sender is the address of who sent a batch, "" where that says nothing: nobody
// did, or somebody on this node's own loopback.
func sender(ctx context.Context) string {
	var ip net.IP
	switch a := client.FromContext(ctx).Addr.(type) {
	case *net.IPAddr:
		ip = a.IP
	case *net.TCPAddr:
		ip = a.IP
	case *net.UDPAddr:
		ip = a.IP
	}
	if ip == nil || ip.IsLoopback() {
		return ""
	}
	return ip.String()
}

func (e *enricher) enrich(ctx context.Context, res pcommon.Resource, from string) {
	attrs := res.Attributes()
	pod, key, known := e.find(attrs, from)
	switch {
	case known:
		e.resources.Add(ctx, 1, e.known)
		e.put(attrs, &pod)
	case key != "":
		e.resources.Add(ctx, 1, e.unknown)
		e.want(key)
	default:
		e.resources.Add(ctx, 1, e.none)
	}
}

// find looks for the pod that a resource names, or else for the one that sent it. A
// resource that names a pod which is not known is not the sender's.
func (e *enricher) find(attrs pcommon.Map, from string) (pod podlist.Pod, key string, known bool) {
	if uid := text(attrs, "k8s.pod.uid"); uid != "" {
		pod, known = e.list.OfUID(uid)
		return pod, uid, known
	}
	if name := text(attrs, "k8s.pod.name"); name != "" {
		if namespace := text(attrs, "k8s.namespace.name"); namespace != "" {
			pod, known = e.list.Get(namespace, name)
			return pod, namespace + "/" + name, known
		}
	}
	if ip := text(attrs, "k8s.pod.ip"); ip != "" {
		from = ip
	}
	pod, known = e.list.OfAddress(from)
	return pod, from, known
}

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok && v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return ""
}

func (e *enricher) put(attrs pcommon.Map, p *podlist.Pod) {
	put := func(key, value string) {
		if value != "" && text(attrs, key) == "" {
			attrs.PutStr(key, value)
		}
	}
	put("k8s.namespace.name", p.Namespace)
	put("k8s.pod.name", p.Name)
	put("k8s.pod.uid", p.UID)
	put("k8s.node.name", p.Node)
	if kind, name := p.Workload(); kind != "" {
		put("k8s."+kind+".name", name)
	}
	// What an SDK writes that was told no name is none.
	if name := text(attrs, "service.name"); name == "" || strings.HasPrefix(name, "unknown_service") {
		attrs.PutStr("service.name", p.Service())
	}
	for _, l := range e.cfg.Labels {
		put("k8s.pod.label."+l, p.Labels[l])
	}
}

// want asks for a new list, for one stray once a minute at most.
func (e *enricher) want(key string) {
	if len(key) > maxStray {
		return
	}
	now := time.Now()
	e.mu.Lock()
	asked, ok := e.strays[key]
	again := !ok || now.Sub(asked) >= askAgainIn
	if again {
		if len(e.strays) >= maxStrays {
			clear(e.strays)
		}
		e.strays[key] = now
	}
	e.mu.Unlock()
	if again {
		e.list.Want()
	}
}
