package warroomexporter

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/internal/names"
)

// logRow is a log record as the page shows it.
type logRow struct {
	Time time.Time `json:"time"`
	identity
	Severity string `json:"severity"`
	Body     string `json:"body"`
	Event    string `json:"event,omitempty"`
	TraceID  string `json:"trace_id,omitempty"`
}

// spanRow is a span as the page shows it.
type spanRow struct {
	Time time.Time `json:"time"` // start
	identity
	Name       string  `json:"name"`
	Kind       string  `json:"kind"`
	Status     string  `json:"status"`
	DurationMS float64 `json:"duration_ms"`
	TraceID    string  `json:"trace_id"`
}

// perBatch is how many records of one batch are kept at the most: at 100,000
// lines a second nobody reads more, and turning each into a row would cost as
// much as everything else together.
const perBatch = 200

// keeper turns records and spans into rows: the newest of each batch for the rings
// of all, and those that a watch wants for its own.
type keeper struct {
	logs      *ring[logRow]
	spans     *ring[spanRow]
	inventory *inventory
	watches   *watches
	bodyBytes int
}

// takeLogs keeps the newest records of a batch. A record without a time gets the
// time at which it was seen, else now.
func (k *keeper) takeLogs(ld plog.Logs, now time.Time) {
	skip := max(0, ld.LogRecordCount()-perBatch)
	rows := make([]logRow, 0, min(perBatch, ld.LogRecordCount()))
	for _, rl := range ld.ResourceLogs().All() {
		id := k.inventory.see(rl.Resource(), now)
		watched := k.watches.of(&id, now)
		for _, sl := range rl.ScopeLogs().All() {
			records := sl.LogRecords()
			from := min(skip, records.Len())
			skip -= from
			rows = k.rows(rows, records, from, id, now)
			if len(watched) > 0 {
				own := k.rows(nil, records, max(0, records.Len()-perBatch), id, now)
				for _, w := range watched {
					w.logs.put(own)
				}
			}
		}
	}
	k.logs.put(rows)
}

func (k *keeper) rows(rows []logRow, records plog.LogRecordSlice, from int, id identity, now time.Time) []logRow {
	for i := from; i < records.Len(); i++ {
		// Summaries are for the detector in the gateway; nobody reads them.
		if eventOf(records.At(i)) != names.EventSummary {
			rows = append(rows, rowOf(records.At(i), id, k.bodyBytes, now))
		}
	}
	return rows
}

func rowOf(lr plog.LogRecord, id identity, bodyBytes int, now time.Time) logRow {
	row := logRow{
		Time: now, identity: id, Severity: lr.SeverityText(),
		Body: cut(lr.Body().AsString(), bodyBytes), Event: eventOf(lr),
	}
	if t := lr.Timestamp(); t != 0 {
		row.Time = t.AsTime()
	} else if t := lr.ObservedTimestamp(); t != 0 {
		row.Time = t.AsTime()
	}
	if row.Severity == "" && lr.SeverityNumber() != plog.SeverityNumberUnspecified {
		row.Severity = lr.SeverityNumber().String()
	}
	if id := lr.TraceID(); !id.IsEmpty() {
		row.TraceID = id.String()
	}
	return row
}

// eventOf is a record's event name, from its field or the attribute.
func eventOf(lr plog.LogRecord) string {
	if name := lr.EventName(); name != "" {
		return cut(name, 128)
	}
	if v, ok := lr.Attributes().Get(names.EventName); ok {
		return cut(v.AsString(), 128)
	}
	return ""
}

func (k *keeper) takeSpans(td ptrace.Traces, now time.Time) {
	skip := max(0, td.SpanCount()-perBatch)
	rows := make([]spanRow, 0, min(perBatch, td.SpanCount()))
	for _, rs := range td.ResourceSpans().All() {
		id := k.inventory.see(rs.Resource(), now)
		watched := k.watches.of(&id, now)
		for _, ss := range rs.ScopeSpans().All() {
			spans := ss.Spans()
			from := min(skip, spans.Len())
			skip -= from
			rows = spanRows(rows, spans, from, id)
			if len(watched) > 0 {
				own := spanRows(nil, spans, max(0, spans.Len()-perBatch), id)
				for _, w := range watched {
					w.spans.put(own)
				}
			}
		}
	}
	k.spans.put(rows)
}

func spanRows(rows []spanRow, spans ptrace.SpanSlice, from int, id identity) []spanRow {
	for i := from; i < spans.Len(); i++ {
		s := spans.At(i)
		rows = append(rows, spanRow{
			Time: s.StartTimestamp().AsTime(), identity: id, Name: cut(s.Name(), 256),
			Kind: s.Kind().String(), Status: s.Status().Code().String(), TraceID: s.TraceID().String(),
			DurationMS: float64(int64(s.EndTimestamp()-s.StartTimestamp())) / 1e6,
		})
	}
	return rows
}

func serviceOf(res pcommon.Resource) string {
	if v, ok := res.Attributes().Get(names.ServiceName); ok && v.AsString() != "" {
		return cut(v.AsString(), 128)
	}
	return "unknown"
}

// cut shortens s to at most n bytes at a rune's edge and makes it valid UTF-8; a
// copy, so that a short row does not hold a long record.
func cut(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	return strings.Clone(strings.ToValidUTF8(s, "\uFFFD"))
}
