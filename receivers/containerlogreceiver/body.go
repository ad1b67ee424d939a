package containerlogreceiver

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/applog"
	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/request"
)

// bodies understands what applications write. It belongs to the reader.
type bodies struct {
	config  *Config
	lines   *applog.Parser
	access  *accesslog.Parser // nil: access logs stay lines
	request request.Request
}

func newBodies(c *Config) (*bodies, error) {
	b := &bodies{config: c, lines: applog.New(applog.Limits{Fields: c.Parse.MaxFields, Depth: c.Parse.MaxDepth, KeyBytes: c.Parse.MaxKeyBytes})}
	if c.Parse.AccessLogs != accessParsed {
		return b, nil
	}
	prefixes, err := c.Parse.proxies()
	if err != nil {
		return nil, err
	}
	b.access, err = accesslog.New(accesslog.Auto, accesslog.Options{Client: clientip.New(prefixes)})
	return b, err
}

// understand reads a record's text, before there is a log record of it.
func (b *bodies) understand(s *source, rec *record) *applog.Record {
	format := s.reading.format
	if rec.mark == names.LogTruncated && format != applog.Raw {
		format = applog.Text // a JSON object without its end is none
	}
	r := b.lines.Parse(format, rec.text, rec.time)
	if s.reading.access {
		r.Kind = applog.Access
	}
	if rec.trace && r.Severity == 0 && r.Kind == applog.Plain && format != applog.Raw {
		r.Severity = applog.Error // a stack trace that says nothing else
	}
	return r
}

// put makes a log record of what was understood.
func (b *bodies) put(lr plog.LogRecord, rec *record, r *applog.Record, iostream bool) {
	at := rec.time
	if r.Time != 0 {
		at = r.Time
	}
	lr.SetTimestamp(pcommon.Timestamp(at))
	if r.Severity != 0 {
		lr.SetSeverityNumber(plog.SeverityNumber(r.Severity))
		lr.SetSeverityText(r.SeverityText)
	}
	if r.TraceID != [16]byte{} {
		lr.SetTraceID(r.TraceID)
		lr.SetSpanID(r.SpanID)
		lr.SetFlags(lr.Flags().WithIsSampled(r.Sampled))
	}
	body := rec.text
	attributes := lr.Attributes()
	switch {
	case r.Kind == applog.Fields:
		attributes.EnsureCapacity(len(r.Fields) + 2)
		if r.HasMessage && r.Whole && b.config.Parse.Body == bodyMessage {
			body = r.Message
		} else if r.HasMessage && b.config.Parse.Body == bodyLine {
			attributes.PutStr(names.LogMessage, r.Message)
		}
		for i := range r.Fields {
			putField(attributes, &r.Fields[i])
		}
	case r.Kind == applog.Access && b.access != nil:
		b.putRequest(lr, rec)
	}
	lr.Body().SetStr(body)
	if iostream {
		attributes.PutStr(names.LogIostream, rec.stream.String())
	}
	if rec.mark != "" {
		attributes.PutBool(rec.mark, true)
	}
}

func putField(m pcommon.Map, f *applog.Field) {
	switch f.Type {
	case applog.Int:
		m.PutInt(f.Key, f.Int)
	case applog.Float:
		m.PutDouble(f.Key, f.Float)
	case applog.Bool:
		m.PutBool(f.Key, f.Int != 0)
	case applog.List:
		list := m.PutEmptySlice(f.Key)
		for v := range f.Each {
			switch e := list.AppendEmpty(); v.Type {
			case applog.Int:
				e.SetInt(v.Int)
			case applog.Float:
				e.SetDouble(v.Float)
			case applog.Bool:
				e.SetBool(v.Int != 0)
			default:
				e.SetStr(v.Str)
			}
		}
	default:
		m.PutStr(f.Key, f.Str)
	}
}

// putRequest takes a line of an access log apart, by the HTTP conventions. A line
// that cannot be read stays as it is.
func (b *bodies) putRequest(lr plog.LogRecord, rec *record) {
	r := &b.request
	if b.access.Parse(unsafe.Slice(unsafe.StringData(rec.text), len(rec.text)), r) != nil {
		return
	}
	if r.UnixNano != 0 {
		lr.SetTimestamp(pcommon.Timestamp(r.UnixNano))
	}
	m := lr.Attributes()
	m.EnsureCapacity(12)
	if r.Client.IsValid() {
		m.PutStr(names.ClientAddress, r.Client.String())
	}
	for _, f := range [...]struct {
		key   string
		value []byte
	}{
		{names.HTTPRequestMethod, r.Method}, {names.URLPath, r.Path}, {names.URLQuery, r.Query}, {names.ServerAddress, r.Host},
		{names.UserAgentOriginal, r.UserAgent}, {names.EnduserID, r.Account}, {names.TLSClientJA4, r.JA4},
	} {
		if len(f.value) > 0 {
			m.PutStr(f.key, strings.ToValidUTF8(string(f.value), "\uFFFD"))
		}
	}
	if len(r.Referer) > 0 {
		m.PutEmptySlice(names.HTTPReferer).AppendEmpty().SetStr(strings.ToValidUTF8(string(r.Referer), "\uFFFD"))
	}
	if r.Status != 0 {
		m.PutInt(names.HTTPResponseStatusCode, int64(r.Status))
	}
	if r.Bytes != request.Unknown {
		m.PutInt(names.HTTPResponseBodySize, r.Bytes)
	}
	if r.Duration != request.Unknown {
		m.PutDouble(names.HTTPServerDuration, r.Duration.Seconds())
	}
}

// valid gives a text that is UTF-8; ok is false where it is to stay bytes.
func (c *Config) valid(text string) (string, bool) {
	switch {
	case utf8.ValidString(text):
		return text, true
	case c.InvalidUTF8 == "bytes":
		return text, false
	}
	return strings.ToValidUTF8(text, "\uFFFD"), true
}

// counted takes over what was counted of bodies.
func (b *bodies) counted(c *counts) {
	s := &b.lines.Stats
	for k := range s.Kinds {
		c.kinds[k].Store(s.Kinds[k])
	}
	c.manyFields.Store(s.TooMany)
	c.longKeys.Store(s.LongKeys)
	c.reserved.Store(s.Reserved)
}

// reading is how a file's bodies are read: as configured, or as its pod asks.
type reading struct {
	format applog.Format
	access bool // all lines are of an access log
}

// readingOf understands a format's name: applog's, or an access log's, all of
// which are left to the detector.
func readingOf(name string) (reading, error) {
	f, err := applog.ParseFormat(name)
	if err == nil {
		return reading{format: f}, nil
	}
	if _, other := accesslog.ParseFormat(name); other == nil || name == "access" {
		return reading{format: applog.Raw, access: true}, nil
	}
	return reading{}, err
}
