package replay

import (
	"strconv"
	"time"
)

// Format is how a request is written as a line.
type Format string

// The formats: nginx's combined (which has no host and no duration); the same
// with $request_time at the end;
// ingress-nginx's default; a JSON object a line.
const (
	Combined Format = "combined"
	Timed    Format = "combined_time"
	Ingress  Format = "ingress-nginx"
	JSON     Format = "json"
)

// Formats lists them.
var Formats = []Format{Combined, Timed, Ingress, JSON}

// LineWriter writes events as lines: it only appends, no allocation a line.
type LineWriter struct {
	Format Format

	second int64
	stamp  [32]byte // "[14/Jul/2026:20:45:00 +0000] "
	width  int
}

// Append appends the event as a line, with its line feed.
func (l *LineWriter) Append(b []byte, ev *Event) []byte {
	if l.Format == JSON {
		return l.appendJSON(b, ev)
	}
	b = ev.Client.AppendTo(b)
	b = append(b, " - - "...)
	b = l.appendTime(b, ev.UnixNano)
	b = append(b, '"')
	b = append(b, ev.Method...)
	b = append(b, ' ')
	b = append(b, ev.Path...)
	if len(ev.Query) > 0 {
		b = append(b, '?')
		b = append(b, ev.Query...)
	}
	b = append(b, ' ')
	b = append(b, ev.Proto...)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(ev.Status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, ev.Bytes, 10)
	b = appendQuoted(append(b, ' '), ev.Referer)
	b = appendQuoted(append(b, ' '), ev.UserAgent)
	switch l.Format {
	case Timed:
		b = appendSeconds(append(b, ' '), ev.Duration)
	case Ingress:
		id := mix(uint64(ev.UnixNano))
		b = strconv.AppendInt(append(b, ' '), int64(len(ev.Path)+len(ev.Query)+400), 10)
		b = appendSeconds(append(b, ' '), ev.Duration)
		b = append(append(append(b, " ["...), ev.Service...), "-web-80] [] 10.0."...)
		b = strconv.AppendUint(b, id>>8&63, 10)
		b = append(b, '.')
		b = strconv.AppendUint(b, id>>16&255, 10)
		b = append(b, ":8080 "...)
		b = strconv.AppendInt(b, ev.Bytes, 10)
		b = appendSeconds(append(b, ' '), ev.Duration)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(ev.Status), 10)
		b = appendHex(append(b, ' '), id)
		b = appendHex(b, mix(id))
	}
	return append(b, '\n')
}

// appendTime writes the common log's time, made anew once a second.
func (l *LineWriter) appendTime(b []byte, unixNano int64) []byte {
	if s := unixNano / 1e9; s != l.second || l.width == 0 {
		l.second = s
		l.width = len(time.Unix(s, 0).UTC().AppendFormat(l.stamp[:0], "[02/Jan/2006:15:04:05 -0700] "))
	}
	return append(b, l.stamp[:l.width]...)
}

// appendQuoted writes a value of our own making, which needs no escape, or "-".
func appendQuoted(b, value []byte) []byte {
	b = append(b, '"')
	if len(value) == 0 {
		b = append(b, '-')
	}
	b = append(b, value...)
	return append(b, '"')
}

// appendSeconds writes a duration as nginx does: seconds with three decimals.
func appendSeconds(b []byte, d time.Duration) []byte {
	ms := d.Milliseconds()
	b = strconv.AppendInt(b, ms/1000, 10)
	ms %= 1000
	return append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}

func (l *LineWriter) appendJSON(b []byte, ev *Event) []byte {
	b = append(b, `{"time":"`...)
	if s := ev.UnixNano / 1e9; s != l.second || l.width == 0 {
		l.second = s
		l.width = len(time.Unix(s, 0).UTC().AppendFormat(l.stamp[:0], "2006-01-02T15:04:05."))
	}
	b = append(b, l.stamp[:l.width]...)
	ms := ev.UnixNano / 1e6 % 1000
	b = append(b, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
	b = append(b, `","remote_addr":"`...)
	b = ev.Client.AppendTo(b)
	field := func(name string, value []byte) {
		b = append(append(b, name...), value...)
	}
	field(`","host":"`, ev.Host)
	field(`","service":"`, ev.Service)
	if ev.Account != nil {
		field(`","remote_user":"`, ev.Account)
	}
	field(`","request_method":"`, ev.Method)
	field(`","uri":"`, ev.Path)
	if len(ev.Query) > 0 {
		field(`","args":"`, ev.Query)
	}
	b = append(append(b, `","server_protocol":"`...), ev.Proto...)
	b = strconv.AppendInt(append(b, `","status":`...), int64(ev.Status), 10)
	b = strconv.AppendInt(append(b, `,"body_bytes_sent":`...), ev.Bytes, 10)
	b = appendSeconds(append(b, `,"request_time":`...), ev.Duration)
	b = append(b, `,"http_user_agent":"`...)
	b = append(b, ev.UserAgent...)
	if len(ev.Referer) > 0 {
		field(`","http_referer":"`, ev.Referer)
	}
	return append(b, "\"}\n"...)
}
