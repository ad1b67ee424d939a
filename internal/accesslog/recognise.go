package accesslog

import (
	"bytes"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// shape tells a line's format by what no other format begins with; Auto if it
// has no shape that is known.
func shape(b []byte) Format {
	if len(b) < 16 {
		return Auto
	}
	switch {
	case b[0] == '{':
		if bytes.Contains(b, []byte(`"logger":"http.log.access`)) {
			return Caddy
		}
		return JSON
	case b[0] == '[' && b[5] == '-' && b[8] == '-':
		return Envoy
	}
	if tab := bytes.IndexByte(b, '\t'); tab == 10 && b[4] == '-' && b[7] == '-' {
		return CloudFront
	} else if tab >= 10 && tab <= 17 && digitsAndPoint(b[:tab]) {
		return CloudFrontRealtime
	}
	first, rest := untilBlank(b)
	switch string(first) {
	case "http", "https", "h2", "grpcs", "ws", "wss":
		if len(rest) > 20 && rest[4] == '-' && rest[10] == 'T' {
			return ALB
		}
	}
	if len(rest) > 25 && rest[0] == '[' && rest[3] == '/' && rest[7] == '/' && rest[21] == '.' {
		return HAProxy
	}
	if open, err := timeBracket(b); err == nil && open > 1 {
		if apache(b) {
			return Apache
		}
		return Nginx
	}
	return Auto
}

// apache says whether a line of the common family is one that Apache writes and
// nginx does not: with nothing behind the size, or with vhost:port before.
func apache(b []byte) bool {
	last := b[len(b)-1]
	if bytes.Count(b, []byte{'"'}) == 2 && (last == '-' || last-'0' <= 9) {
		return true
	}
	first, _ := untilBlank(b)
	i := bytes.LastIndexByte(first, ':')
	if i <= 0 || !digitsAndPoint(first[i+1:]) {
		return false
	}
	_, isAddr := clientip.ParseHop(first)
	return !isAddr
}

// errorLog says whether a line is of nginx's or Apache's error log, which often
// share a stream with the access log: "2021/11/18 08:34:27 [info] …" and
// "[Fri Oct 08 17:08:41.203277 2021] [core:error] …".
func errorLog(b []byte) bool {
	if len(b) < 30 {
		return false
	}
	if b[4] == '/' && b[7] == '/' && b[10] == ' ' && b[13] == ':' && b[20] == '[' {
		return true
	}
	return b[0] == '[' && b[4] == ' ' && b[8] == ' ' && b[11] == ' ' && b[14] == ':' && monthOf(b[5], b[6], b[7]) != 0
}

func digitsAndPoint(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 && c != '.' {
			return false
		}
	}
	return true
}

// Detect names the format of a log by its first lines, and the share of them
// (headers and blank lines aside) that it reads, 0 to 1. Auto and 0 mean that
// none was recognised.
func Detect(lines [][]byte) (Format, float64) {
	p, err := New(Auto, Options{})
	if err != nil {
		return Auto, 0
	}
	var r request.Request
	var count [formats]int
	total := 0
	for _, line := range lines {
		switch p.Parse(line, &r) {
		case ErrEmpty, ErrHeader:
			continue
		case nil:
			got := p.current
			if p.streak > 0 { // this line was of another format
				got = p.other
			}
			count[got]++
		}
		total++
	}
	best, n := Auto, 0
	for f, c := range count {
		if c > n {
			best, n = Format(f), c
		}
	}
	if total == 0 {
		return Auto, 0
	}
	return best, float64(n) / float64(total)
}
