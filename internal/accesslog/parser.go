package accesslog

import (
	"fmt"
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// DefaultMaxLine is the longest line that is read, in bytes. nginx alone lets a
// request line grow to 8 KiB and its escaping quadruples that.
const DefaultMaxLine = 256 << 10

// switchAfter is how many lines in a row must agree on another format before a
// stream in Auto is taken to have changed to it.
const switchAfter = 8

// Options of a Parser. The zero value is usable.
type Options struct {
	// MaxLine is the longest line that is read, in bytes; 0 means
	// DefaultMaxLine.
	MaxLine int
	// Client decides who the client is where the log has X-Forwarded-For; nil
	// trusts no proxy.
	Client *clientip.Resolver
	// Fields maps names of request fields (see FieldNames) to JSON keys, as in
	// "client": "peer.ip". A nested key is written with dots. They take
	// precedence over the well-known names, which stay in force.
	Fields map[string]string
	// Columns are the configured fields of CloudFront's real-time log, in
	// order; empty means all of them, in CloudFront's order.
	Columns []string
	// NamedClients gives clients that the log names, rather than giving their
	// address, a stand-in address each (clientip.FromName). Without it such a
	// client is unknown.
	NamedClients bool
	// Location is the zone of time stamps that carry none (HAProxy's); nil is
	// UTC.
	Location *time.Location
}

// Parser reads lines of one stream. It belongs to one goroutine.
type Parser struct {
	format  Format // as configured
	current Format // what the stream is read as; Auto while unknown
	wrap    wrapping

	other     Format // what the last lines were instead
	otherWrap wrapping
	streak    int // how many in a row

	maxLine  int
	client   *clientip.Resolver
	named    bool
	clock    clock
	columns  []column // of CloudFront's standard log
	realtime []column // of its real-time log
	json     jsonReader
	scratch  []byte // unescaped fields of the current line
	unlog    []byte // a line taken out of its JSON wrapping
	stats    Stats
}

// New returns a parser for format.
func New(format Format, o Options) (*Parser, error) {
	if format >= formats {
		return nil, fmt.Errorf("log format must be one of the known ones (got %d)", format)
	}
	p := &Parser{format: format, current: format, maxLine: o.MaxLine, client: o.Client, named: o.NamedClients}
	if p.maxLine <= 0 {
		p.maxLine = DefaultMaxLine
	}
	p.clock.loc = o.Location
	if p.clock.loc == nil {
		p.clock.loc = time.UTC
	}
	p.columns, p.realtime = standardColumns, realtimeColumns
	if len(o.Columns) > 0 {
		p.realtime = columnsNamed(o.Columns)
	}
	fields, err := fieldTable(o.Fields)
	if err != nil {
		return nil, err
	}
	p.json.fields = fields
	return p, nil
}

// Format says what the stream is read as: as configured, or in Auto the format
// found, and Auto until a line has been recognised.
func (p *Parser) Format() Format { return p.current }

// Stats returns the counts so far.
func (p *Parser) Stats() Stats { return p.stats }

// Parse reads line, which has no newline, into r. The slices of r are valid
// until the next Parse, and as long as line is unchanged. A line that is no
// request leaves r empty and returns one of the errors of this package.
func (p *Parser) Parse(line []byte, r *request.Request) error {
	p.stats.Lines++
	r.Reset()
	p.scratch = p.scratch[:0]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	err := p.parse(line, r)
	if err != nil {
		r.Reset()
		p.stats.count(err)
		return err
	}
	p.stats.Requests++
	if !r.Client.IsValid() {
		p.stats.Clientless++
	}
	return nil
}

func (p *Parser) parse(line []byte, r *request.Request) error {
	switch {
	case len(line) == 0:
		return ErrEmpty
	case len(line) > p.maxLine:
		return ErrTooLong
	case line[0] == '#':
		p.directive(line)
		return ErrHeader
	}
	first := ErrFormat
	if p.current != Auto {
		if body, ok := p.unwrap(p.wrap, line); ok {
			got, err := p.read(p.current, body, r)
			if err == nil {
				if got == p.current || p.format != Auto {
					p.streak = 0
				} else {
					p.note(got, p.wrap)
				}
				return nil
			}
			if err == ErrNotRequest && !dockerHead(line) {
				return err
			}
			first = err
		}
	}
	return p.recognise(line, r, first)
}

// recognise reads a line that is not of the stream's format or wrapping.
func (p *Parser) recognise(line []byte, r *request.Request, first error) error {
	for w := range wrappings {
		p.scratch = p.scratch[:0]
		body, ok := p.unwrap(w, line)
		if !ok {
			continue
		}
		f := shape(body)
		if f == Auto {
			continue
		}
		if p.format != Auto {
			if w == p.wrap || !(family(f) == family(p.format) || f == JSON && eitherWay(p.format)) {
				continue
			}
			f = p.format
		}
		r.Reset()
		got, err := p.read(f, body, r)
		if err == nil {
			p.note(got, w)
			return nil
		}
		if first == ErrFormat {
			first = err
		}
	}
	if first == ErrFormat && errorLog(line) {
		return ErrNotRequest
	}
	return first
}

// note remembers that a line was of format f inside w, and changes over when
// the stream has. Only formats that Auto chose for itself are changed.
func (p *Parser) note(f Format, w wrapping) {
	if p.format != Auto {
		f = p.format
	}
	if p.stats.Requests == 0 {
		p.current, p.wrap = f, w
		return
	}
	p.stats.Fallback++
	if p.other != f || p.otherWrap != w {
		p.other, p.otherWrap, p.streak = f, w, 0
	}
	if p.streak++; p.streak >= switchAfter {
		p.current, p.wrap, p.streak = f, w, 0
	}
}

// read reads body as format f and says which member of f's family it was.
func (p *Parser) read(f Format, body []byte, r *request.Request) (Format, error) {
	switch f {
	case Nginx, Apache, IngressNginx, Traefik:
		if f == Traefik && len(body) > 0 && body[0] == '{' {
			return f, p.readJSON(body, r)
		}
		got, err := p.commonLog(body, r)
		if got == Nginx && f == Apache {
			got = Apache
		}
		return got, err
	case Envoy:
		if len(body) > 0 && body[0] == '{' {
			return f, p.readJSON(body, r)
		}
		return f, p.envoy(body, r)
	case ALB:
		return f, p.alb(body, r)
	case CloudFront:
		return f, p.tabbed(p.columns, body, r)
	case CloudFrontRealtime:
		return f, p.tabbed(p.realtime, body, r)
	case HAProxy:
		return f, p.haproxy(body, r)
	default:
		return f, p.readJSON(body, r)
	}
}

// family puts formats together that share a reader.
func family(f Format) Format {
	switch f {
	case Apache, IngressNginx, Traefik:
		return Nginx
	case Caddy:
		return JSON
	case CloudFrontRealtime:
		return CloudFront
	}
	return f
}

// eitherWay says whether a format's writer also writes JSON under that name.
func eitherWay(f Format) bool { return f == Envoy || f == Traefik }
