package k8seventsreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestARecordSaysWhatTheEventSaysInTheNamesOfTheConventions(t *testing.T) {
	ev := happening("player-1.17", 3)
	first := time.Date(2026, 6, 14, 18, 0, 0, 0, time.UTC)
	ev.FirstTimestamp, ev.LastTimestamp = metav1.NewTime(first), metav1.NewTime(first.Add(time.Hour))
	b := newBatch()
	b.add(&ev, first.Add(2*time.Hour))
	rl := b.logs.ResourceLogs().At(0)
	if d := cmp.Diff(map[string]any{
		"k8s.object.kind": "Pod", "k8s.object.name": "player-1", "k8s.object.namespace": "live", "k8s.object.uid": "pod-uid",
		"k8s.object.fieldpath": "spec.containers{player}", "k8s.object.api_version": "v1", "k8s.object.resource_version": "7",
		"k8s.namespace.name": "live", "k8s.node.name": "node-1", "k8s.pod.name": "player-1", "k8s.pod.uid": "pod-uid", "k8s.container.name": "player",
	}, rl.Resource().Attributes().AsRaw()); d != "" {
		t.Error(d)
	}
	lr := rl.ScopeLogs().At(0).LogRecords().At(0)
	if d := cmp.Diff(map[string]any{
		"k8s.event.name": "player-1.17", "k8s.event.uid": "uid-player-1.17", "k8s.event.reason": "BackOff", "k8s.event.count": int64(3),
		"k8s.event.start_time": "2026-06-14T18:00:00Z", "k8s.event.reporting_controller": "kubelet", "k8s.namespace.name": "live",
	}, lr.Attributes().AsRaw()); d != "" {
		t.Error(d)
	}
	got := []any{lr.EventName(), lr.Body().Str(), lr.SeverityNumber(), lr.SeverityText(), lr.Timestamp().AsTime(), lr.ObservedTimestamp().AsTime()}
	want := []any{"k8s.event", "message of player-1.17", plog.SeverityNumberWarn, "Warning", first.Add(time.Hour), first.Add(2 * time.Hour)}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestASeriesHasItsOwnCountAndTime(t *testing.T) {
	at := time.Date(2026, 6, 14, 18, 0, 0, 0, time.UTC)
	ev := corev1.Event{
		EventTime: metav1.NewMicroTime(at), Type: corev1.EventTypeNormal, InvolvedObject: corev1.ObjectReference{Kind: "Node", Name: "node-7"},
		Series: &corev1.EventSeries{Count: 9, LastObservedTime: metav1.NewMicroTime(at.Add(time.Minute))},
	}
	if d := cmp.Diff([]any{int32(9), at.Add(time.Minute), at, "node-7"}, []any{count(&ev), happened(&ev), began(&ev), node(&ev)}); d != "" {
		t.Error(d)
	}
	b := newBatch()
	b.add(&ev, at)
	lr := b.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	if lr.SeverityNumber() != plog.SeverityNumberInfo {
		t.Errorf("a Normal event is %s", lr.SeverityNumber())
	}
}

func TestEventsOfOneObjectShareAResource(t *testing.T) {
	b := newBatch()
	for i := range 3 {
		ev := happening(fmt.Sprint(i), 1)
		if i == 2 {
			ev.InvolvedObject.Name = "player-2"
		}
		b.add(&ev, time.Now())
	}
	if got := b.logs.ResourceLogs().Len(); got != 2 {
		t.Errorf("%d resources for two pods", got)
	}
}

func TestTheEventsToldLongestAgoAreForgottenFirst(t *testing.T) {
	told := newTold(3)
	for _, uid := range []types.UID{"a", "b", "c", "a", "d"} {
		told.add(uid, told.count(uid)+1)
	}
	got := []int32{told.count("a"), told.count("b"), told.count("c"), told.count("d"), int32(told.newest.Len()), int32(len(told.byUID))}
	if d := cmp.Diff([]int32{2, 0, 1, 1, 3, 3}, got); d != "" {
		t.Error(d)
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	cfg := createDefaultConfig()
	require.NoError(t, cfg.Validate())
	*cfg = Config{
		AuthType: "tls", Context: "c", Endpoint: "nowhere", StartAt: "now", Namespaces: []string{"a", "a"},
		LeaderElection: LeaderElection{Enabled: true}, Batch: Batch{Timeout: -1},
	}
	err := cfg.Validate()
	for _, key := range []string{
		"auth_type takes", "kubeconfig and context", "endpoint must", "start_at takes", `once each (got "a")`,
		"leader_election::lease", "batch::max_records", "batch::timeout", "remembered must", "retry::initial_interval",
	} {
		require.ErrorContains(t, err, key)
	}
}
