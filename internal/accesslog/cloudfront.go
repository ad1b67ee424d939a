package accesslog

import (
	"bytes"
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// column is what a column of a CloudFront log means to us.
type column uint8

const (
	colOther column = iota
	colDate
	colTime
	colEpoch
	colClient
	colMethod
	colDistribution
	colHost
	colStem
	colQuery
	colStatus
	colUserAgent
	colReferer
	colBytes
	colTaken
	colForwarded
	colJA4
)

// maxColumns bounds a #Fields directive; CloudFront has about 70 fields.
const maxColumns = 256

func columnNamed(name string) column {
	switch name {
	case "date":
		return colDate
	case "time":
		return colTime
	case "timestamp", "timestamp(ms)":
		return colEpoch
	case "c-ip":
		return colClient
	case "cs-method":
		return colMethod
	case "cs(Host)", "cs-host":
		return colDistribution
	case "x-host-header":
		return colHost
	case "cs-uri-stem":
		return colStem
	case "cs-uri-query":
		return colQuery
	case "sc-status":
		return colStatus
	case "cs(User-Agent)", "cs-user-agent":
		return colUserAgent
	case "cs(Referer)", "cs-referer":
		return colReferer
	case "sc-bytes":
		return colBytes
	case "time-taken":
		return colTaken
	case "x-forwarded-for":
		return colForwarded
	case "cs-ja4-fingerprint", "ja4-fingerprint":
		return colJA4
	}
	return colOther
}

func columnsNamed(names []string) []column {
	cols := make([]column, 0, len(names))
	for _, n := range names {
		cols = append(cols, columnNamed(n))
	}
	return wanted(cols)
}

// wanted drops the columns behind the last one that is read.
func wanted(cols []column) []column {
	for n := len(cols); n > 0 && cols[n-1] == colOther; n-- {
		cols = cols[:n-1]
	}
	return cols
}

// standardColumns is version 1.0 of the standard log, for streams that begin
// behind their #Fields directive.
var standardColumns = columnsNamed([]string{
	"date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
	"cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
	"x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
	"x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port",
	"time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
	"sc-range-end",
})

// realtimeColumns are the fields of a real-time log configuration that selects
// them all, in CloudFront's order.
var realtimeColumns = columnsNamed([]string{
	"timestamp", "c-ip", "s-ip", "time-to-first-byte", "sc-status", "sc-bytes", "cs-method", "cs-protocol", "cs-host",
	"cs-uri-stem", "cs-bytes", "x-edge-location", "x-edge-request-id", "x-host-header", "time-taken",
	"cs-protocol-version", "c-ip-version", "cs-user-agent", "cs-referer", "cs-cookie", "cs-uri-query",
	"x-edge-response-result-type", "x-forwarded-for", "ssl-protocol", "ssl-cipher", "x-edge-result-type",
})

// directive takes over the columns that a "#Fields:" line names.
func (p *Parser) directive(line []byte) {
	names, ok := bytes.CutPrefix(line, []byte("#Fields:"))
	if !ok || (p.format != Auto && family(p.format) != CloudFront) {
		return
	}
	fields := bytes.Fields(names)
	if len(fields) > maxColumns || len(fields) == 0 {
		return
	}
	cols := make([]column, 0, len(fields))
	client := false
	for _, n := range fields {
		c := columnNamed(string(n))
		client = client || c == colClient
		cols = append(cols, c)
	}
	if client { // else another product's W3C log
		p.columns = wanted(cols)
	}
}

// tabbed reads CloudFront's standard and real-time logs.
func (p *Parser) tabbed(columns []column, line []byte, r *request.Request) error {
	var day, clock, peer, forwarded, stem, distribution []byte
	seen := 0
	b := line
	for _, c := range columns {
		var v []byte
		i := tab(b)
		if i >= 0 {
			v, b = b[:i], b[i+1:]
		} else {
			v, b = b, nil
		}
		switch c {
		case colDate:
			day = v
		case colTime:
			clock = v
		case colEpoch:
			d, ok := decimal(v, time.Second)
			if !ok || len(v) < 10 {
				return ErrTime
			}
			r.UnixNano = int64(d)
		case colClient:
			peer = v
		case colMethod:
			r.Method = p.field(v)
		case colDistribution:
			distribution = v
		case colHost:
			r.Host = host(v)
		case colStem:
			stem = v
		case colQuery:
			r.Query = p.field(v)
		case colStatus:
			var ok bool
			if r.Status, ok = status(v); !ok {
				return ErrStatus
			}
		case colUserAgent:
			r.UserAgent = p.percent(p.field(v))
		case colReferer:
			r.Referer = p.field(v)
		case colBytes:
			r.Bytes = byteCount(v)
		case colTaken:
			if d, ok := decimal(v, time.Second); ok {
				r.Duration = d
			}
		case colForwarded:
			forwarded = v
		case colJA4:
			r.JA4 = p.field(v)
		}
		seen++
		if i < 0 {
			break
		}
	}
	if seen < 4 {
		return ErrFormat
	}
	if len(clock) > 0 || len(day) > 0 {
		nano, ok := p.dateAndTime(day, clock)
		if !ok {
			return ErrTime
		}
		r.UnixNano = nano
	}
	if r.Host == nil {
		r.Host = host(distribution)
	}
	query := r.Query
	p.target(stem, r)
	if query != nil { // real-time logs have it in the stem as well
		r.Query = query
	}
	addr, _ := clientip.ParseHop(peer)
	r.Client = p.client.Client(addr, forwarded)
	return nil
}

// tab finds the next tab; see untilBlank.
func tab(b []byte) int {
	short := min(len(b), 8)
	for i := range short {
		if b[i] == '\t' {
			return i
		}
	}
	if i := bytes.IndexByte(b[short:], '\t'); i >= 0 {
		return i + short
	}
	return -1
}

// dateAndTime reads "2019-12-04" and "21:02:31", which are UTC.
func (p *Parser) dateAndTime(day, clock []byte) (int64, bool) {
	if len(day) != 10 || len(clock) != 8 {
		return 0, false
	}
	var b [19]byte
	copy(b[:], day)
	b[10] = 'T'
	copy(b[11:], clock)
	return p.clock.iso8601(b[:])
}
