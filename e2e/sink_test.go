//go:build linux

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/vigie-otel/vigie/e2e/cluster"
)

// sent is an export request of numbered lines of one pod.
func sent(t *testing.T, pod, namespace string, lines ...string) []byte {
	t.Helper()
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	for k, v := range map[string]string{
		"k8s.namespace.name": namespace, "k8s.pod.name": pod, "k8s.container.name": "writer", "k8s.node.name": "e2e-1",
		"k8s.pod.uid": strings.Repeat("u", 36), "k8s.cluster.name": "e2e",
	} {
		resource.Resource().Attributes().PutStr(k, v)
	}
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for _, line := range lines {
		records.AppendEmpty().Body().SetStr(line)
	}
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	return body
}

func TestTheSinkNamesEachLineThatIsMissing(t *testing.T) {
	s := &sink{streams: map[string]*stream{}}
	require.NoError(t, s.logs(sent(t, "a", "numbers", "line a/1 xxx", "line a/2 xxx", "line a/2 xxx", "line a/5 xxx", "something else")))
	require.ErrorContains(t, s.whole("a", 1, 7), "4 of 7 lines of a are missing: 3–4, 6–7")
	require.Error(t, s.whole("b", 1, 1))
	require.NoError(t, s.logs(sent(t, "a", "numbers", "line a/3 xxx", "line a/4 xxx")))
	require.NoError(t, s.whole("a", 1, 5))
	distinct, twice := s.arrived("a")
	require.Equal(t, []int{5, 1}, []int{distinct, twice})
}

func TestARequestThatTheSinkCannotReadIsRefusedAndTold(t *testing.T) {
	s := &sink{streams: map[string]*stream{}}
	post := func(body []byte) int {
		w := httptest.NewRecorder()
		s.serve(s.logs)(w, httptest.NewRequest(http.MethodPost, "/v1/logs", bytes.NewReader(body)))
		return w.Code
	}
	require.Equal(t, http.StatusOK, post(sent(t, "a", "numbers", "line a/1 xxx")))
	n, err := s.read()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, http.StatusBadRequest, post([]byte("not protobuf")))
	_, err = s.read()
	require.ErrorContains(t, err, "1 requests could not be read")
}

func TestTheKubernetesThatIsNamedIsTheOneThatIsBuilt(t *testing.T) {
	module, err := os.ReadFile("kubebox/go.mod")
	require.NoError(t, err)
	require.Contains(t, string(module), "\tk8s.io/kubernetes "+kubernetes+"\n")
}

func TestTheSinkWantsLinesWholeAndUnderTheirOwnPodsName(t *testing.T) {
	s := &sink{streams: map[string]*stream{}}
	require.NoError(t, s.logs(sent(t, "a", "numbers", "line a/500 "+strings.Repeat("y", longLine-1))))
	require.ErrorContains(t, s.whole("a", 500, 500), "1 lines of a arrived in part")

	require.NoError(t, s.logs(sent(t, "other", "numbers", "line b/1 xxx")))
	require.ErrorContains(t, s.whole("b", 1, 1), "had not their pod's identity")
	require.NoError(t, s.logs(sent(t, "c", "default", "line c/1 xxx")))
	require.ErrorContains(t, s.whole("c", 1, 1), "had not their pod's identity")
}

func TestWatchesAreCountedByPodWhileTheyAreOpen(t *testing.T) {
	watch := func(id, pod string, begun bool) cluster.Call {
		return cluster.Call{ID: id, Account: "vigie-agent", Pod: pod, Verb: "watch", What: "w" + id, Begun: begun, Ended: !begun}
	}
	most, _ := watches([]cluster.Call{watch("1", "a", true), watch("2", "b", true), watch("1", "a", false), watch("3", "a", true)}, "vigie-agent")
	require.Equal(t, 1, most, "one of each pod at a time")
	most, which := watches([]cluster.Call{watch("1", "a", true), watch("2", "a", true)}, "vigie-agent")
	require.Equal(t, 2, most)
	require.Equal(t, "a watches w1, w2", which)
	most, _ = watches([]cluster.Call{watch("1", "a", true), watch("2", "a", true)}, "vigie-gateway")
	require.Zero(t, most)
}

func TestWarningsAreReadOutOfTheCollectorsLog(t *testing.T) {
	require.Equal(t, "Failed to scrape: no route", warning("2026-11-22T11:23:44.526Z\twarn\tinternal/transaction.go:132\tFailed to scrape\t{\"resource\": {}, \"error\": \"no route\"}")[:len("Failed to scrape: no route")])
	require.Empty(t, warning("2026-11-22T11:23:44.526Z\tinfo\tx.go:1\tready\t{}"))
	require.Empty(t, warning("I1122 11:23:33.012113 1 warnings.go:107] text"))
}
