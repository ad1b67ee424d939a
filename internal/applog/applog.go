package applog

import (
	"fmt"
	"strings"
)

// Format is how an application writes its lines.
type Format uint8

// Formats, by the names that configuration uses.
const (
	Auto   Format = iota // by each line's shape
	JSON                 // a JSON object
	Logfmt               // key=value pairs
	Text                 // plain text: only its severity is looked for
	Raw                  // nothing is looked for
)

var formatNames = [...]string{Auto: "auto", JSON: "json", Logfmt: "logfmt", Text: "text", Raw: "raw"}

// String returns the format's name in configuration.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("format(%d)", uint8(f))
}

// ParseFormat reads a format's name; "" is auto.
func ParseFormat(s string) (Format, error) {
	if s == "" {
		return Auto, nil
	}
	for f, name := range formatNames {
		if s == name {
			return Format(f), nil
		}
	}
	return Auto, fmt.Errorf("format %q is unknown: take one of %s", s, strings.Join(formatNames[:], ", "))
}

// Kind is what a line turned out to be.
type Kind uint8

// Kinds of lines.
const (
	Plain   Kind = iota // text, or not looked at
	Fields              // of JSON or logfmt
	Access              // a line of an access log, in text or JSON
	Broken              // began like JSON, or was said to be JSON or logfmt, and is not
	NumKind             // how many there are
)

// String gives the value that a metric carries.
func (k Kind) String() string {
	return [...]string{"plain", "fields", "access", "broken", ""}[k]
}

// Type is a field's type.
type Type uint8

// Types of fields.
const (
	Str Type = iota
	Int
	Float
	Bool  // Int is 0 or 1
	List  // Str is the JSON text of a list of scalars; see Each
	Thing // Str is the JSON text of what was nested too deep
)

// Field is one thing that an application says.
type Field struct {
	Key   string // with dots where it was nested; shared, and never of the line
	Type  Type
	Str   string
	Int   int64
	Float float64

	key *key
}

// Record is what a line says. Its fields are those that have no place of their
// own in the record.
type Record struct {
	Kind   Kind
	Fields []Field
	// Request says that the fields report a request: so does Kind Access, unless
	// the caller said that lines are JSON or logfmt, and gets what it said.
	Request bool
	// Whole says that nothing is in the line that is not in the record.
	Whole bool

	Severity     int32  // OpenTelemetry's number, 1–24; 0: unknown
	SeverityText string // as the application wrote it
	Time         int64  // Unix time in ns; 0: unknown
	Message      string
	HasMessage   bool

	TraceID [16]byte // all zero: unknown
	SpanID  [8]byte
	Sampled bool
}

// Limits bound what a line may become. What is over them is left out and
// counted.
type Limits struct {
	Fields   int // of a line; default 64
	Depth    int // of objects in objects; what is deeper becomes one field; default 4
	KeyBytes int // of a field's dotted name; default 128
}

// DefaultLimits are those that a zero Limits stands for.
var DefaultLimits = Limits{Fields: 64, Depth: 4, KeyBytes: 128} //nolint:gochecknoglobals // a constant

// Stats count since the parser was made.
type Stats struct {
	Kinds    [NumKind]int64
	TooMany  int64 // fields over Limits.Fields
	LongKeys int64 // fields whose name was over Limits.KeyBytes
	Reserved int64 // fields with a name that only Vigie may give
}

// Parser reads lines. It belongs to one goroutine.
type Parser struct {
	Stats Stats

	limits Limits
	keys   keys
	clock  clock
	rec    Record
	near   int64 // when the line was written, as others saw it; 0: unknown
	access accessMarks
}

// New makes a parser; zero limits are the defaults.
func New(l Limits) *Parser {
	if l.Fields <= 0 {
		l.Fields = DefaultLimits.Fields
	}
	if l.Depth <= 0 {
		l.Depth = DefaultLimits.Depth
	}
	if l.KeyBytes <= 0 {
		l.KeyBytes = DefaultLimits.KeyBytes
	}
	return &Parser{limits: l, keys: newKeys()}
}

// Parse reads a line; near is when the runtime wrote it down, Unix time in ns, or
// 0. The record is valid until the next call.
func (p *Parser) Parse(f Format, line string, near int64) *Record {
	p.reset(near)
	r := &p.rec
	switch {
	case f == Raw || line == "":
	case f == JSON || f == Auto && line[0] == '{' && line[len(line)-1] == '}':
		p.parseJSON(line, f == JSON)
	case f == Logfmt:
		if !p.parseLogfmt(line, true) {
			p.broken()
		}
	case f == Auto && looksLikeLogfmt(line) && p.parseLogfmt(line, false):
	case IsAccess(line):
		p.reset(near)
		r.Kind, r.Request = Access, true
	default:
		p.reset(near)
		r.Severity, r.SeverityText = textSeverity(line)
	}
	if r.Kind == Fields && !r.HasMessage {
		p.event()
	}
	p.Stats.Kinds[r.Kind]++
	return r
}

// event makes a field the message, for want of a better one.
func (p *Parser) event() {
	r := &p.rec
	for i := range r.Fields {
		if f := &r.Fields[i]; f.key.role == roleEvent && f.Type == Str && f.Str != "" {
			r.Message, r.HasMessage = f.Str, true
			r.Fields = append(r.Fields[:i], r.Fields[i+1:]...)
			return
		}
	}
}

func (p *Parser) reset(near int64) {
	p.rec = Record{Fields: p.rec.Fields[:0], Whole: true}
	p.near = near
	p.access = 0
}

// broken gives a line back as it is.
func (p *Parser) broken() {
	p.reset(p.near)
	p.rec.Kind = Broken
}

// request tells a request's line by its fields.
func (p *Parser) request(told bool) {
	if p.rec.Request = p.access == marksStatus|marksTarget|marksClient; p.rec.Request && !told {
		p.rec.Kind = Access
	}
}

// IsAccess recognises a line of a text access log by its protocol.
func IsAccess(line string) bool {
	i := strings.Index(line, "HTTP/")
	return i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') && i+5 < len(line) && line[i+5]-'0' <= 9
}

// add takes a field: into its place in the record if it has one and can be read,
// else among the fields.
func (p *Parser) add(f Field) {
	k := f.key
	if k.role != roleNone && p.place(k.role, &f) {
		return
	}
	if k.marks != 0 && (f.Type != Str || f.Str != "" && f.Str != "-") {
		p.access |= k.marks
	}
	switch {
	case k.flaw == flawReserved:
		p.Stats.Reserved++
		p.rec.Whole = false
	case k.flaw == flawLong:
		p.Stats.LongKeys++
		p.rec.Whole = false
	case len(p.rec.Fields) >= p.limits.Fields:
		p.Stats.TooMany++
		p.rec.Whole = false
	default:
		f.Key = k.name
		p.rec.Fields = append(p.rec.Fields, f)
	}
}

// place puts a field where the record has a place for it; false if it cannot be
// read as that, or the place is taken.
func (p *Parser) place(role role, f *Field) bool {
	r := &p.rec
	switch role {
	case roleSeverity:
		if r.Severity != 0 {
			return false
		}
		r.Severity, r.SeverityText = severityOf(f)
		return r.Severity != 0
	case roleTime:
		if r.Time != 0 {
			return false
		}
		r.Time = p.clock.read(f, p.near)
		return r.Time != 0
	case roleMessage:
		if r.HasMessage || f.Type != Str || f.Str == "" {
			return false
		}
		r.Message, r.HasMessage = f.Str, true
		return true
	case roleTrace:
		return r.TraceID == [16]byte{} && f.Type == Str && r.trace(f.Str)
	case roleSpan:
		return r.SpanID == [8]byte{} && f.Type == Str && unhex(r.SpanID[:], f.Str)
	case roleParent:
		return r.TraceID == [16]byte{} && f.Type == Str && r.traceParent(f.Str)
	case roleFlags:
		return r.flags(f)
	}
	return false
}
