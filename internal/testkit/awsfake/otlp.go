package awsfake

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// The OTLP endpoints' limits, of uncompressed requests.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
const (
	MaxSpans       = 10_000
	MaxTraceBytes  = 5 << 20
	maxSpanBytes   = 200_000
	MaxLogRecords  = 10_000
	MaxOTLPLogs    = 1 << 20
	MaxDataPoints  = 1_000
	MaxMetricBytes = 1 << 20
)

// otlpCounts is what came over OTLP; guarded by Server.mu.
type otlpCounts struct {
	traces  []ptrace.Traces
	logs    []plog.Logs
	metrics []pmetric.Metrics
}

// OTLPTraces are the accepted requests of the traces endpoint.
func (s *Server) OTLPTraces() []ptrace.Traces {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]ptrace.Traces(nil), s.otlp.traces...)
}

// OTLPLogs are the accepted requests of the logs endpoint.
func (s *Server) OTLPLogs() []plog.Logs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]plog.Logs(nil), s.otlp.logs...)
}

// OTLPMetrics are the accepted requests of the metrics endpoint.
func (s *Server) OTLPMetrics() []pmetric.Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]pmetric.Metrics(nil), s.otlp.metrics...)
}

// unmarshaler is what the three request types of pdata share.
type unmarshaler interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
}

func tooMuch(what string, got, limit int) *apiError {
	return &apiError{code: "InvalidArgument", message: fmt.Sprintf("%d %s in a request, at most %d", got, what, limit), status: http.StatusBadRequest, violation: true}
}

func (c *call) otlp(limit int, into unmarshaler) *apiError {
	if len(c.body) > limit {
		return &apiError{code: "InvalidArgument", message: fmt.Sprintf("%d bytes uncompressed, at most %d", len(c.body), limit), status: http.StatusRequestEntityTooLarge, violation: true}
	}
	var err error
	switch t := c.r.Header.Get("Content-Type"); {
	case c.r.Method != http.MethodPost:
		err = fmt.Errorf("method %s", c.r.Method)
	case t == "application/x-protobuf":
		err = into.UnmarshalProto(c.body)
	case strings.HasPrefix(t, "application/json"):
		err = into.UnmarshalJSON(c.body)
	default:
		return &apiError{code: "InvalidArgument", message: "Content-Type " + t, status: http.StatusUnsupportedMediaType, violation: true}
	}
	if err != nil {
		return &apiError{code: "InvalidArgument", message: err.Error(), status: http.StatusBadRequest, violation: true}
	}
	return nil
}

// partly is how many items a fault rejects.
func (c *call) partly() int64 {
	if c.fault == nil || c.fault.Kind != PartialRejection {
		return 0
	}
	return int64(c.fault.Entries)
}

func (c *call) otlpTraces() (any, *apiError) {
	in := ptraceotlp.NewExportRequest()
	if err := c.otlp(MaxTraceBytes, in); err != nil {
		return nil, err
	}
	td := in.Traces()
	if td.SpanCount() > MaxSpans {
		return nil, tooMuch("spans", td.SpanCount(), MaxSpans)
	}
	var first, last pcommon.Timestamp
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if err := c.checkSpan(span); err != nil {
					return nil, err
				}
				if first == 0 || span.StartTimestamp() < first {
					first = span.StartTimestamp()
				}
				last = max(last, span.StartTimestamp())
			}
		}
	}
	if last.AsTime().Sub(first.AsTime()) > maxBatchSpan {
		return nil, &apiError{code: "InvalidArgument", message: "spans of one request are more than 24 hours apart", status: http.StatusBadRequest, violation: true}
	}
	c.s.mu.Lock()
	c.s.otlp.traces = append(c.s.otlp.traces, td)
	c.s.mu.Unlock()
	out := ptraceotlp.NewExportResponse()
	if n := c.partly(); n > 0 {
		out.PartialSuccess().SetRejectedSpans(n)
		out.PartialSuccess().SetErrorMessage("injected")
	}
	return marshal(out.MarshalProto())
}

func (c *call) checkSpan(span ptrace.Span) *apiError {
	at, now := span.StartTimestamp().AsTime(), c.s.now()
	bad := func(why string) *apiError {
		return &apiError{code: "InvalidArgument", message: "span " + span.Name() + ": " + why, status: http.StatusBadRequest, violation: true}
	}
	switch {
	case span.TraceID().IsEmpty() || span.SpanID().IsEmpty():
		return bad("its ids are empty")
	case span.EndTimestamp() < span.StartTimestamp():
		return bad("it ends before it starts")
	case now.Sub(at) > maxEventAge || at.Sub(now) > maxEventFuture:
		return bad("it started more than 14 days ago or 2 hours ahead")
	}
	alone := ptrace.NewTraces()
	span.CopyTo(alone.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	if n := (&ptrace.ProtoMarshaler{}).TracesSize(alone); n > maxSpanBytes {
		return bad(fmt.Sprintf("%d bytes, at most %d", n, maxSpanBytes))
	}
	return nil
}

func (c *call) otlpLogs() (any, *apiError) {
	in := plogotlp.NewExportRequest()
	if err := c.otlp(MaxOTLPLogs, in); err != nil {
		return nil, err
	}
	if n := in.Logs().LogRecordCount(); n > MaxLogRecords {
		return nil, tooMuch("log records", n, MaxLogRecords)
	}
	group, name := c.r.Header.Get("X-Aws-Log-Group"), c.r.Header.Get("X-Aws-Log-Stream")
	if group == "" || name == "" {
		return nil, &apiError{code: "InvalidArgument", message: "the headers x-aws-log-group and x-aws-log-stream are missing", status: http.StatusBadRequest, violation: true}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.logs.groups[group]
	if g == nil || g.streams[name] == nil {
		return nil, &apiError{code: "ResourceNotFoundException", message: "The specified log group or stream does not exist.", status: http.StatusBadRequest}
	}
	c.s.logs.calls++
	for _, rl := range in.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				c.s.acceptLocked(group, name, g.streams[name], LogEvent{Time: recordTime(lr), Message: lr.Body().AsString(), Call: c.s.logs.calls})
			}
		}
	}
	c.s.otlp.logs = append(c.s.otlp.logs, in.Logs())
	out := plogotlp.NewExportResponse()
	if n := c.partly(); n > 0 {
		out.PartialSuccess().SetRejectedLogRecords(n)
		out.PartialSuccess().SetErrorMessage("injected")
	}
	return marshal(out.MarshalProto())
}

func recordTime(lr plog.LogRecord) time.Time {
	if lr.Timestamp() != 0 {
		return lr.Timestamp().AsTime()
	}
	return lr.ObservedTimestamp().AsTime()
}

func (c *call) otlpMetrics() (any, *apiError) {
	in := pmetricotlp.NewExportRequest()
	if err := c.otlp(MaxMetricBytes, in); err != nil {
		return nil, err
	}
	if n := in.Metrics().DataPointCount(); n > MaxDataPoints {
		return nil, tooMuch("data points", n, MaxDataPoints)
	}
	c.s.mu.Lock()
	c.s.otlp.metrics = append(c.s.otlp.metrics, in.Metrics())
	c.s.mu.Unlock()
	out := pmetricotlp.NewExportResponse()
	if n := c.partly(); n > 0 {
		out.PartialSuccess().SetRejectedDataPoints(n)
		out.PartialSuccess().SetErrorMessage("injected")
	}
	return marshal(out.MarshalProto())
}

func marshal(b []byte, err error) (any, *apiError) {
	if err != nil {
		return nil, &apiError{code: "InternalFailure", message: err.Error(), status: http.StatusInternalServerError}
	}
	return b, nil
}
