package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/vigie-otel/vigie/internal/names"
)

// backend is a traces backend: it counts the traces that arrive, by the name of
// their spans.
type backend struct {
	ptraceotlp.UnimplementedGRPCServer
	address string

	mu   sync.Mutex
	kept map[string]int // guarded by mu
}

func (b *backend) Export(_ context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rs := range req.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				b.kept[span.Name()]++
			}
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (b *backend) count(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept[name]
}

func startBackend(t *testing.T) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &backend{address: l.Addr().String(), kept: map[string]int{}}
	server := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(server, b)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return b
}

// spans are n traces of one span each.
func spans(t *testing.T, name string, n int, each func(ptrace.Span)) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(names.ServiceName, "ticketing")
	ss := rs.ScopeSpans().AppendEmpty()
	now := time.Now()
	for range n {
		span := ss.Spans().AppendEmpty()
		var id [16]byte
		_, _ = rand.Read(id[:])
		span.SetTraceID(id)
		span.SetSpanID([8]byte(id[:8]))
		span.SetName(name)
		span.SetKind(ptrace.SpanKindServer)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-20 * time.Millisecond)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
		span.Attributes().PutStr("http.route", "/"+name)
		each(span)
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	return body
}

func TestSamplingKeepsErrorsTheSlowAndAFindingsWindowAndCountsAll(t *testing.T) {
	tempo := startBackend(t)
	p := start(t, t.TempDir(), []string{"VIGIE_TRACES_ENDPOINT=" + tempo.address, "VIGIE_TRACES_INSECURE=true", "VIGIE_TRACES_SHARE=10"},
		"--set", "processors.tail_sampling.decision_wait=1s", "--set", "connectors.span_metrics.metrics_flush_interval=1s")
	within(t, 10*time.Second, "readiness", p, p.ready)

	const n = 400
	for name, each := range map[string]func(ptrace.Span){
		"fine":   func(ptrace.Span) {},
		"error":  func(s ptrace.Span) { s.Status().SetCode(ptrace.StatusCodeError) },
		"slow":   func(s ptrace.Span) { s.SetStartTimestamp(s.EndTimestamp() - pcommon.Timestamp(2*time.Second)) },
		"window": func(s ptrace.Span) { s.Attributes().PutStr(names.FindingWindow, "f-1") },
	} {
		require.Equal(t, http.StatusOK, p.post(t, "/v1/traces", "application/x-protobuf", spans(t, name, n, each)), name)
	}
	within(t, 15*time.Second, "the sampled traces", p, func() bool {
		return tempo.count("error") == n && tempo.count("slow") == n && tempo.count("window") == n && tempo.count("fine") > 0
	})
	// 10 % of 400: more than 100 or fewer than 10 would be one run in a thousand
	// million of a fair draw.
	if got := tempo.count("fine"); got < 10 || got > 100 {
		t.Errorf("%d of %d fine traces were kept, 10 %% were asked for", got, n)
	}

	// What goes into the sampler is used up, and what comes out is made.
	b := balanced(t, p, "traces", "otlp_grpc/traces")
	require.EqualValues(t, 4*n, b.Read, told(b))
	require.EqualValues(t, 4*n, b.Removed, told(b))
	require.EqualValues(t, tempo.count("error")+tempo.count("slow")+tempo.count("window")+tempo.count("fine"), b.Sent, told(b))
	require.Equal(t, b.Made, b.Sent, told(b))

	got := map[string]float64{}
	within(t, 15*time.Second, "span metrics", p, func() bool {
		for _, route := range []string{"fine", "error", "slow", "window"} {
			got[route] = p.value(fmt.Sprintf(`sum(traces_span_metrics_calls_total{service_name="ticketing",http_route="/%s"})`, route))
		}
		return got["fine"] >= n
	})
	if d := cmp.Diff(map[string]float64{"fine": n, "error": n, "slow": n, "window": n}, got); d != "" {
		t.Errorf("span metrics count what was sampled, not what there was: %s", d)
	}
}

// value is the first value of an instant query, 0 where there is none.
func (p *program) value(expr string) float64 {
	_, body := get("http://" + p.page + "/api/v1/query?query=" + url.QueryEscape(expr))
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]json.RawMessage `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if json.Unmarshal([]byte(body), &answer) != nil || len(answer.Data.Result) == 0 {
		return 0
	}
	v, err := strconv.ParseFloat(strings.Trim(string(answer.Data.Result[0].Value[1]), `"`), 64)
	if err != nil {
		return 0
	}
	return v
}
