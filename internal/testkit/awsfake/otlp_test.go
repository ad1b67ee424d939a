package awsfake

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func spans(n int, at time.Time, name string) []byte {
	td := ptrace.NewTraces()
	all := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		span := all.AppendEmpty()
		span.SetName(name)
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(pcommon.SpanID{byte(i), byte(i >> 8), 1})
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Millisecond)))
	}
	b, _ := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	return b
}

func records(n int, body string) []byte {
	ld := plog.NewLogs()
	all := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		r := all.AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		r.Body().SetStr(body)
	}
	b, _ := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	return b
}

func points(n int) []byte {
	md := pmetric.NewMetrics()
	all := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints()
	for range n {
		all.AppendEmpty().SetIntValue(1)
	}
	b, _ := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	return b
}

func post(t *testing.T, s *Server, service Service, url string, body []byte, headers ...string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	signRequest(t, r, body, s.Credentials, string(service), s.Region, time.Now())
	status, _ := do(t, r)
	return status
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func TestTheOTLPEndpointsTakeWhatIsWithinTheirLimits(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	now := time.Now()
	protobuf := []string{"Content-Type", "application/x-protobuf"}
	packed := append([]string{"Content-Encoding", "gzip"}, protobuf...)
	stream := append([]string{"X-Aws-Log-Group", "g", "X-Aws-Log-Stream", "s"}, protobuf...)
	for _, c := range []struct {
		what    string
		service Service
		path    string
		body    []byte
		headers []string
		want    int
		sound   bool // refused, and still no violation
	}{
		{"10,000 spans", XRay, "/v1/traces", spans(MaxSpans, now, "x"), protobuf, 200, true},
		{"packed spans", XRay, "/v1/traces", zipped(spans(10, now, "x")), packed, 200, true},
		{"10,001 spans", XRay, "/v1/traces", spans(MaxSpans+1, now, "x"), protobuf, 400, false},
		{"more than 5 MB", XRay, "/v1/traces", zipped(spans(40, now, strings.Repeat("x", 150_000))), packed, 413, false},
		{"a span of 201 kB", XRay, "/v1/traces", spans(1, now, strings.Repeat("x", 201_000)), protobuf, 400, false},
		{"an old span", XRay, "/v1/traces", spans(1, now.Add(-15*24*time.Hour), "x"), protobuf, 400, false},
		{"a signature for logs", Logs, "/v1/traces", spans(1, now, "x"), protobuf, 403, false},
		{"10,000 records", Logs, "/v1/logs", records(MaxLogRecords, "x"), stream, 200, true},
		{"10,001 records", Logs, "/v1/logs", records(MaxLogRecords+1, "x"), stream, 400, false},
		{"more than 1 MB", Logs, "/v1/logs", records(2, strings.Repeat("x", 600_000)), stream, 413, false},
		{"no group", Logs, "/v1/logs", records(1, "x"), protobuf, 400, false},
		{"no such group", Logs, "/v1/logs", records(1, "x"), append([]string{"X-Aws-Log-Group", "no", "X-Aws-Log-Stream", "s"}, protobuf...), 400, true},
		{"1,000 points", Monitoring, "/v1/metrics", points(MaxDataPoints), protobuf, 200, true},
		{"1,001 points", Monitoring, "/v1/metrics", points(MaxDataPoints + 1), protobuf, 400, false},
		{"junk", Monitoring, "/v1/metrics", []byte("\xff\xff"), protobuf, 400, false},
		{"a text", Monitoring, "/v1/metrics", []byte("x"), []string{"Content-Type", "text/plain"}, 415, false},
		{"zstd", Monitoring, "/v1/metrics", points(1), append([]string{"Content-Encoding", "zstd"}, protobuf...), 415, false},
		{"no gzip", Monitoring, "/v1/metrics", points(1), packed, 400, false},
	} {
		if got := post(t, s, c.service, s.URL+c.path, c.body, c.headers...); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
		if got := len(s.TakeViolations()) == 0; got != c.sound {
			t.Errorf("%s: violations %t", c.what, !got)
		}
	}
	spanCount, recordCount, pointCount := 0, 0, 0
	for _, td := range s.OTLPTraces() {
		spanCount += td.SpanCount()
	}
	for _, ld := range s.OTLPLogs() {
		recordCount += ld.LogRecordCount()
	}
	for _, md := range s.OTLPMetrics() {
		pointCount += md.DataPointCount()
	}
	if spanCount != MaxSpans+10 || recordCount != MaxLogRecords || pointCount != MaxDataPoints || len(s.Events("g", "s")) != MaxLogRecords {
		t.Errorf("%d spans, %d records, %d points", spanCount, recordCount, pointCount)
	}
	s.Inject(XRay, Fault{Kind: Throttle, Times: 1})
	if got := post(t, s, XRay, s.URL+"/v1/traces", spans(1, now, "x"), protobuf...); got != http.StatusTooManyRequests {
		t.Errorf("throttled: %d", got)
	}
}

// written is a remote-write body of n series with labels of so many bytes.
func written(t *testing.T, n, size int, change func(*prompb.WriteRequest)) []byte {
	t.Helper()
	var in prompb.WriteRequest
	for i := range n {
		noise := make([]byte, size)
		for j := range noise {
			noise[j] = byte('a' + (i*31+j*j*7+j/3)%26)
		}
		in.Timeseries = append(in.Timeseries, prompb.TimeSeries{
			Labels:  []prompb.Label{{Name: "__name__", Value: "load"}, {Name: "noise", Value: string(noise)}},
			Samples: []prompb.Sample{{Value: 1, Timestamp: time.Now().UnixMilli()}},
		})
	}
	if change != nil {
		change(&in)
	}
	raw, err := in.Marshal()
	require.NoError(t, err)
	return snappy.Encode(nil, raw)
}

func TestTheRemoteWriteFrontEnforcesItsLimits(t *testing.T) {
	s := Start(t, Options{})
	headers := []string{"Content-Encoding", "snappy", "Content-Type", "application/x-protobuf", "X-Prometheus-Remote-Write-Version", "0.1.0"}
	incompressible := bytes.Repeat([]byte{1}, MaxRemoteWriteBytes+1)
	for _, c := range []struct {
		what    string
		body    []byte
		headers []string
		want    int
	}{
		{"a request", written(t, 10, 10, nil), headers, 200},
		{"over 1 MB", incompressible, headers, 413},
		{"no snappy", []byte("x"), headers, 400},
		{"no version", written(t, 1, 1, nil), headers[:4], 400},
		{"unsorted labels", written(t, 1, 1, func(in *prompb.WriteRequest) {
			l := in.Timeseries[0].Labels
			l[0], l[1] = l[1], l[0]
		}), headers, 400},
		{"no name", written(t, 1, 1, func(in *prompb.WriteRequest) { in.Timeseries[0].Labels = in.Timeseries[0].Labels[1:] }), headers, 400},
		{"backwards", written(t, 1, 1, func(in *prompb.WriteRequest) {
			in.Timeseries[0].Samples = append(in.Timeseries[0].Samples, prompb.Sample{Timestamp: 1})
		}), headers, 400},
	} {
		if got := post(t, s, AMP, s.RemoteWriteURL(), c.body, c.headers...); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
		if got := len(s.TakeViolations()) == 0; got != (c.want == 200) {
			t.Errorf("%s: violations %t", c.what, !got)
		}
	}
	if got := s.RemoteWriteTotals(); got.Samples != 10 || got.Series != 10 || got.Requests != 1 {
		t.Errorf("%+v", got)
	}
	if got := s.Calls(); len(got) != 1 || got[0] != "aps:RemoteWrite" {
		t.Errorf("%v", got)
	}
}
