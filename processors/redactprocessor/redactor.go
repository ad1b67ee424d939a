package redactprocessor

import (
	"context"
	"strconv"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/redact"
	"github.com/vigie-otel/vigie/processors/redactprocessor/internal/metadata"
)

// maxDepth is how deep values are read. What lies deeper is hidden whole: unread
// it must not leave.
const maxDepth = 64

type redactor struct {
	kinds    redact.Kind
	ignore   map[string]bool
	replaced metric.Int64Counter
	by       map[redact.Kind]metric.MeasurementOption
}

func newRedactor(set component.TelemetrySettings, c *Config) (*redactor, error) {
	kinds, err := redact.Parse(c.Kinds)
	if err != nil {
		return nil, err
	}
	r := &redactor{kinds: kinds, ignore: map[string]bool{}, by: map[redact.Kind]metric.MeasurementOption{}}
	for _, k := range c.IgnoreAttributes {
		r.ignore[k] = true
	}
	for k, name := range redact.Names {
		r.by[k] = metric.WithAttributeSet(attribute.NewSet(attribute.String(names.RedactKind, name)))
	}
	r.replaced, err = set.MeterProvider.Meter(metadata.ScopeName).Int64Counter(names.RedactReplaced,
		metric.WithUnit("{replacement}"), metric.WithDescription("Secrets replaced before anything left."))
	return r, err
}

func (r *redactor) logs(ctx context.Context, logs plog.Logs) (plog.Logs, error) {
	var n redact.Counts
	for _, rl := range logs.ResourceLogs().All() {
		r.mapping(rl.Resource().Attributes(), &n, 0)
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if isSummary(lr) {
					continue
				}
				r.value("", lr.Body(), &n, 0)
				r.mapping(lr.Attributes(), &n, 0)
			}
		}
	}
	r.count(ctx, n)
	return logs, nil
}

// isSummary knows Vigie's own records of sketches.
func isSummary(lr plog.LogRecord) bool {
	if lr.EventName() == names.EventSummary {
		return true
	}
	v, ok := lr.Attributes().Get(names.EventName)
	return ok && v.Type() == pcommon.ValueTypeStr && v.Str() == names.EventSummary
}

func (r *redactor) traces(ctx context.Context, traces ptrace.Traces) (ptrace.Traces, error) {
	var n redact.Counts
	for _, rs := range traces.ResourceSpans().All() {
		r.mapping(rs.Resource().Attributes(), &n, 0)
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				r.span(span, &n)
			}
		}
	}
	r.count(ctx, n)
	return traces, nil
}

func (r *redactor) span(span ptrace.Span, n *redact.Counts) {
	if s := redact.Text(span.Name(), r.kinds, n); s != span.Name() {
		span.SetName(s)
	}
	if s := redact.Text(span.Status().Message(), r.kinds, n); s != span.Status().Message() {
		span.Status().SetMessage(s)
	}
	r.mapping(span.Attributes(), n, 0)
	for _, e := range span.Events().All() {
		if s := redact.Text(e.Name(), r.kinds, n); s != e.Name() {
			e.SetName(s)
		}
		r.mapping(e.Attributes(), n, 0)
	}
	for _, l := range span.Links().All() {
		r.mapping(l.Attributes(), n, 0)
	}
}

func (r *redactor) mapping(m pcommon.Map, n *redact.Counts, depth int) {
	for k, v := range m.All() {
		if depth > 0 || !r.ignore[k] {
			r.value(k, v, n, depth)
		}
	}
}

// value hides what is secret in a value of that name, "" for none.
func (r *redactor) value(name string, v pcommon.Value, n *redact.Counts, depth int) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if s := redact.Value(name, v.Str(), r.kinds, n); s != v.Str() {
			v.SetStr(s)
		}
	case pcommon.ValueTypeInt:
		if v.Int() < 1e12 && !redact.Named(name) { // shorter than a card's number
			return
		}
		was := strconv.FormatInt(v.Int(), 10)
		if s := redact.Value(name, was, r.kinds, n); s != was {
			v.SetStr(s)
		}
	case pcommon.ValueTypeBytes:
		was := string(v.Bytes().AsRaw())
		if s := redact.Value(name, was, r.kinds, n); s != was {
			v.SetEmptyBytes().FromRaw([]byte(s))
		}
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		if depth == maxDepth {
			n.Tokens++
			v.SetStr("REDACTED-DEPTH")
			return
		}
		if v.Type() == pcommon.ValueTypeMap {
			r.mapping(v.Map(), n, depth+1)
			return
		}
		for _, e := range v.Slice().All() {
			r.value(name, e, n, depth+1)
		}
	}
}

func (r *redactor) count(ctx context.Context, n redact.Counts) {
	for k, c := range map[redact.Kind]int{redact.Tokens: n.Tokens, redact.Cards: n.Cards, redact.Emails: n.Emails, redact.URLs: n.URLs} {
		if c > 0 {
			r.replaced.Add(ctx, int64(c), r.by[k])
		}
	}
}
