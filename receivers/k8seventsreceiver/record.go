package k8seventsreceiver

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/k8seventsreceiver/internal/metadata"
)

// batch is what is offered together.
type batch struct {
	logs    plog.Logs
	objects map[object]plog.LogRecordSlice
	counts  map[types.UID]int32 // of the events in it
	version string              // everything up to here is in it or was told; "" if not known
	records int
}

// object is what events share a resource by.
type object struct {
	corev1.ObjectReference
	node string
}

func newBatch() *batch {
	return &batch{logs: plog.NewLogs(), objects: map[object]plog.LogRecordSlice{}, counts: map[types.UID]int32{}}
}

// add appends an event as a record.
func (b *batch) add(ev *corev1.Event, now time.Time) {
	about := object{ev.InvolvedObject, node(ev)}
	slice, ok := b.objects[about]
	if !ok {
		rl := b.logs.ResourceLogs().AppendEmpty()
		describe(rl.Resource().Attributes(), about)
		sl := rl.ScopeLogs().AppendEmpty()
		sl.Scope().SetName(metadata.ScopeName)
		slice = sl.LogRecords()
		b.objects[about] = slice
	}
	record(slice.AppendEmpty(), ev, now)
	b.counts[ev.UID] = count(ev)
	b.records++
}

func record(lr plog.LogRecord, ev *corev1.Event, now time.Time) {
	lr.SetEventName(names.EventKubernetes)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(happened(ev)))
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	lr.SetSeverityText(ev.Type)
	switch ev.Type {
	case corev1.EventTypeWarning:
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
	case corev1.EventTypeNormal:
		lr.SetSeverityNumber(plog.SeverityNumberInfo)
	}
	lr.Body().SetStr(ev.Message)
	attrs := lr.Attributes()
	attrs.EnsureCapacity(8)
	put(attrs, names.K8sEventName, ev.Name)
	put(attrs, names.K8sEventUID, string(ev.UID))
	put(attrs, names.K8sEventReason, ev.Reason)
	put(attrs, names.K8sEventAction, ev.Action)
	put(attrs, names.K8sEventReporter, controller(ev))
	put(attrs, names.K8sNamespaceName, ev.Namespace)
	put(attrs, names.K8sEventStartTime, began(ev).UTC().Format(time.RFC3339Nano))
	attrs.PutInt(names.K8sEventCount, int64(count(ev)))
}

// describe names what events are about. Pods and nodes get their own names too, by
// which other signals find them.
func describe(attrs pcommon.Map, about object) {
	attrs.EnsureCapacity(12)
	put(attrs, names.K8sObjectKind, about.Kind)
	put(attrs, names.K8sObjectName, about.Name)
	put(attrs, names.K8sObjectNamespace, about.Namespace)
	put(attrs, names.K8sObjectUID, string(about.UID))
	put(attrs, names.K8sObjectFieldPath, about.FieldPath)
	put(attrs, names.K8sObjectAPIVersion, about.APIVersion)
	put(attrs, names.K8sObjectResourceVersion, about.ResourceVersion)
	put(attrs, names.K8sNamespaceName, about.Namespace)
	put(attrs, names.K8sNodeName, about.node)
	if about.Kind != "Pod" {
		return
	}
	put(attrs, names.K8sPodName, about.Name)
	put(attrs, names.K8sPodUID, string(about.UID))
	// The kubelet writes spec.containers{name}, and so for init containers.
	if _, rest, ok := strings.Cut(about.FieldPath, "ontainers{"); ok {
		put(attrs, names.K8sContainerName, strings.TrimSuffix(rest, "}"))
	}
}

func put(attrs pcommon.Map, key, value string) {
	if value != "" {
		attrs.PutStr(key, value)
	}
}

// node is the one that an event is about, or whose kubelet tells it.
func node(ev *corev1.Event) string {
	if ev.InvolvedObject.Kind == "Node" {
		return ev.InvolvedObject.Name
	}
	return ev.Source.Host
}

func controller(ev *corev1.Event) string {
	if ev.ReportingController != "" {
		return ev.ReportingController
	}
	return ev.Source.Component
}

// count is how often it has happened: as core/v1 or as a series of events.k8s.io/v1.
func count(ev *corev1.Event) int32 {
	n := max(ev.Count, 1)
	if ev.Series != nil {
		n = max(n, ev.Series.Count)
	}
	return n
}

// happened is the last time.
func happened(ev *corev1.Event) time.Time {
	switch {
	case ev.Series != nil && !ev.Series.LastObservedTime.IsZero():
		return ev.Series.LastObservedTime.Time
	case !ev.LastTimestamp.IsZero():
		return ev.LastTimestamp.Time
	}
	return began(ev)
}

// began is the first time.
func began(ev *corev1.Event) time.Time {
	switch {
	case !ev.EventTime.IsZero():
		return ev.EventTime.Time
	case !ev.FirstTimestamp.IsZero():
		return ev.FirstTimestamp.Time
	case !ev.LastTimestamp.IsZero():
		return ev.LastTimestamp.Time
	}
	return ev.CreationTimestamp.Time
}
