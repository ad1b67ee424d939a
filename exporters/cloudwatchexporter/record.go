package cloudwatchexporter

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/emf"
)

// renderer makes messages of log records. It belongs to one ConsumeLogs call.
type renderer struct {
	json     bool
	limit    int // bytes of a message
	keep     []string
	resource []byte // `,"resource":{…}` of the resource at hand, or nothing
	buf      []byte
}

// setResource prepares what all records of a resource share.
func (r *renderer) setResource(attrs pcommon.Map) {
	r.resource = r.resource[:0]
	if !r.json {
		return
	}
	for _, k := range r.keep {
		v, ok := attrs.Get(k)
		if !ok {
			continue
		}
		if len(r.resource) == 0 {
			r.resource = append(r.resource, `,"resource":{`...)
		} else {
			r.resource = append(r.resource, ',')
		}
		r.resource = appendMember(r.resource, k, v)
	}
	if len(r.resource) > 0 {
		r.resource = append(r.resource, '}')
	}
}

// render gives the messages of a record to take, one or, when it is too long,
// several. A record with neither body nor attributes gives none.
func (r *renderer) render(rec plog.LogRecord, take func(message string)) {
	body := rec.Body()
	if !r.json && body.Type() == pcommon.ValueTypeStr && body.Str() != "" {
		split(validString(body.Str()), r.limit, take)
		return
	}
	if body.Type() == pcommon.ValueTypeEmpty || body.Type() == pcommon.ValueTypeStr && body.Str() == "" {
		if rec.Attributes().Len() == 0 {
			return
		}
		// Only attributes: as an object, whatever the format.
	} else if !r.json {
		r.buf = appendValue(r.buf[:0], body, 0)
		split(string(r.buf), r.limit, take)
		return
	}
	r.renderJSON(rec, take)
}

func (r *renderer) renderJSON(rec plog.LogRecord, take func(string)) {
	r.buf = append(r.buf[:0], `{"body":`...)
	r.buf = appendValue(r.buf, rec.Body(), 0)
	from := len(r.buf)
	r.buf = appendRest(r.buf, rec, r.resource)
	if len(r.buf) <= r.limit {
		take(string(r.buf))
		return
	}
	rest := string(r.buf[from:])
	room := r.limit - len(rest) - len(`{"body":"","vigie.part":"100000/100000"`)
	if rec.Body().Type() != pcommon.ValueTypeStr || room < 256 {
		// No body to spread over several objects: the text goes in pieces.
		split(string(r.buf), r.limit, take)
		return
	}
	spread(validString(rec.Body().Str()), rest, room, take)
}

// spread makes objects that each hold a part of a long body and all of the rest.
func spread(body, rest string, room int, take func(string)) {
	var parts []string
	for len(body) > 0 {
		n, escaped := 0, 0
		for n < len(body) {
			_, w := utf8.DecodeRuneInString(body[n:])
			e := escapedLen(body[n : n+w])
			if escaped+e > room {
				break
			}
			n, escaped = n+w, escaped+e
		}
		parts = append(parts, body[:n])
		body = body[n:]
	}
	for i, p := range parts {
		m := append(make([]byte, 0, len(p)+len(rest)+64), `{"body":`...)
		m = emf.AppendString(m, p)
		m = append(m, `,"vigie.part":`...)
		m = emf.AppendString(m, fmt.Sprintf("%d/%d", i+1, len(parts)))
		take(string(append(m, rest...)))
	}
}

func escapedLen(rune string) int {
	if len(rune) > 1 {
		return len(rune)
	}
	switch c := rune[0]; {
	case c == '"', c == '\\', c == '\n', c == '\t', c == '\r':
		return 2
	case c < 0x20:
		return 6
	}
	return 1
}

// appendRest appends what comes after the body, and the closing brace.
func appendRest(b []byte, rec plog.LogRecord, resource []byte) []byte {
	if s := rec.SeverityText(); s != "" {
		b = append(b, `,"severity":`...)
		b = emf.AppendString(b, validString(s))
	} else if n := rec.SeverityNumber(); n != 0 {
		b = append(b, `,"severity":`...)
		b = emf.AppendString(b, n.String())
	}
	if s := rec.EventName(); s != "" {
		b = append(b, `,"event_name":`...)
		b = emf.AppendString(b, validString(s))
	}
	if id := rec.TraceID(); !id.IsEmpty() {
		b = append(b, `,"trace_id":"`...)
		b = hex.AppendEncode(b, id[:])
		b = append(b, '"')
	}
	if id := rec.SpanID(); !id.IsEmpty() {
		b = append(b, `,"span_id":"`...)
		b = hex.AppendEncode(b, id[:])
		b = append(b, '"')
	}
	if attrs := rec.Attributes(); attrs.Len() > 0 {
		b = append(b, `,"attributes":`...)
		b = appendMap(b, attrs, 0)
	}
	b = append(b, resource...)
	return append(b, '}')
}

// The marker at the end of a piece and at the beginning of the next. CloudWatch
// shows events one by one, so a reader has to see that there is more.
const (
	moreFollows = " […continued in the next event]"
	goesOn      = "[continued…] "
)

// split cuts a message into pieces of at most limit bytes, between runes.
func split(m string, limit int, take func(string)) {
	if len(m) == 0 {
		return
	}
	if len(m) <= limit {
		take(m)
		return
	}
	for first := true; ; first = false {
		head := ""
		if !first {
			head = goesOn
		}
		if len(head)+len(m) <= limit {
			take(head + m)
			return
		}
		n := limit - len(head) - len(moreFollows)
		for n > 1 && !utf8.RuneStart(m[n]) {
			n--
		}
		take(head + m[:n] + moreFollows)
		m = m[n:]
	}
}

// validString replaces what is no UTF-8: JSON has no other text, and the service
// counts what it gets.
func validString(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
