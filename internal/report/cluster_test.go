package report_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/report"
)

// cluster is what kube-state-metrics tells each 15 s of the evening: while the attack
// lasts the sign-in's autoscaler wants more than its four replicas and two pods find
// no node; before and after it has three and all run.
func cluster(t *testing.T, store *promstore.Store) {
	t.Helper()
	for s := 0; s <= 300; s += 15 {
		hit := s >= 120 && s < 180
		of := func(calm, attacked float64) float64 {
			if hit {
				return attacked
			}
			return calm
		}
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "kube-state-metrics")
		ms := rm.ScopeMetrics().AppendEmpty().Metrics()
		put := func(name string, v float64, attrs ...string) {
			m := ms.AppendEmpty()
			m.SetName(name)
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(kickOff.Add(time.Duration(s) * time.Second)))
			p.SetDoubleValue(v)
			for a := range slices.Chunk(attrs, 2) {
				p.Attributes().PutStr(a[0], a[1])
			}
		}
		hpa := []string{"namespace", "live", "horizontalpodautoscaler", "signin"}
		put("kube_horizontalpodautoscaler_status_current_replicas", of(3, 4), hpa...)
		put("kube_horizontalpodautoscaler_status_desired_replicas", of(3, 4), hpa...)
		put("kube_horizontalpodautoscaler_spec_max_replicas", 4, hpa...)
		put("kube_horizontalpodautoscaler_status_condition", of(0, 1), append(hpa, "condition", "ScalingLimited", "status", "true")...)
		pod := []string{"namespace", "live", "pod", "signin-0", "uid", "u"}
		put("kube_pod_info", 1, append(slices.Clone(pod), "node", "node-a")...)
		put("kube_pod_status_phase", 1, append(slices.Clone(pod), "phase", "Running")...)
		put("kube_pod_container_resource_requests", 2, append(slices.Clone(pod), "container", "c", "node", "node-a", "resource", "cpu", "unit", "core")...)
		put("kube_node_status_allocatable", 8, "node", "node-a", "resource", "cpu", "unit", "core")
		put("kube_node_status_allocatable", 29, "node", "node-a", "resource", "pods", "unit", "integer")
		put("kube_pod_status_unschedulable", of(0, 2), "namespace", "live", "pod", "waits", "uid", "w")
		_, err := store.AppendMetrics(t.Context(), md)
		require.NoError(t, err)
	}
}

func TestTheWallsOfAClusterAreInTheReportAtTheirWorst(t *testing.T) {
	in := input(t)
	cluster(t, in.Store.(*promstore.Store))
	r, page := made(t, in)
	wall := func(name, resource string) report.WallReached {
		i := slices.IndexFunc(r.Walls, func(w report.WallReached) bool { return w.Name == name && w.Resource == resource })
		require.GreaterOrEqual(t, i, 0, "no %s of %s in %+v", name, resource, r.Walls)
		return r.Walls[i]
	}
	for _, w := range []report.WallReached{wall("Autoscaler's replicas", "live/signin"), wall("Room on the nodes, CPU", "cluster")} {
		require.True(t, w.Reached, w.Name)
		require.True(t, w.Losing, w.Name)
		at := w.At.Sub(kickOff)
		require.GreaterOrEqual(t, at, 120*time.Second, w.Name)
		require.Less(t, at, 240*time.Second, "%s: a word is believed for a minute", w.Name)
		require.Contains(t, page, w.At.Format(time.TimeOnly)+"</td><td>"+w.Why)
	}
	require.Contains(t, wall("Room on the nodes, CPU", "cluster").Why, "pods find no node (2)")
	pods := wall("Pods on a node", "node-a")
	require.False(t, pods.Reached)
	require.InDelta(t, 1.0/29, *pods.Utilization, 1e-9)

	var missing, advised []string
	for _, m := range r.Missing {
		missing = append(missing, m.Name)
	}
	require.Subset(t, missing, []string{"Pod addresses", "Nodes"}, "nobody tells of these")
	require.NotContains(t, missing, "Autoscaler's replicas")
	for _, a := range r.Fix {
		advised = append(advised, a.What)
	}
	require.Contains(t, advised, "Give Autoscaler's replicas of live/signin more room")
	var lines bytes.Buffer
	require.NoError(t, r.WriteNDJSON(&lines))
	require.Contains(t, lines.String(), `{"type":"wall","data":{"name":"Autoscaler's replicas"`)
}

func TestManyNodesThatAreFullHideNoOtherWall(t *testing.T) {
	in := input(t)
	store := in.Store.(*promstore.Store)
	for s := 240; s <= 300; s += 15 {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "kube-state-metrics")
		ms := rm.ScopeMetrics().AppendEmpty().Metrics()
		for i := range 48 {
			for name, attrs := range map[string][2]string{"kube_pod_info": {"pod", "p"}, "kube_pod_status_phase": {"phase", "Running"}, "kube_node_status_allocatable": {"resource", "pods"}} {
				m := ms.AppendEmpty()
				m.SetName(name)
				p := m.SetEmptyGauge().DataPoints().AppendEmpty()
				p.SetTimestamp(pcommon.NewTimestampFromTime(kickOff.Add(time.Duration(s) * time.Second)))
				p.SetDoubleValue(1)
				p.Attributes().PutStr("node", fmt.Sprint("node-", i))
				p.Attributes().PutStr(attrs[0], attrs[1])
				if name != "kube_node_status_allocatable" {
					p.Attributes().PutStr("namespace", "live")
					p.Attributes().PutStr("pod", fmt.Sprint("p-", i))
					p.Attributes().PutStr("uid", fmt.Sprint(i))
				}
			}
		}
		_, err := store.AppendMetrics(t.Context(), md)
		require.NoError(t, err)
	}
	r, page := made(t, in)
	named := map[string]int{}
	for _, w := range r.Walls {
		named[w.Name]++
	}
	require.Equal(t, map[string]int{"Pods on a node": 8, "Connection tracking, kernel table": 1}, named)
	require.Equal(t, 40, r.Left["walls"])
	require.Contains(t, page, "40 more walls are left out")
}
