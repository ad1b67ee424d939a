package accesslog

import "bytes"

// wrapping is what others put around an access-log line.
type wrapping uint8

const (
	wrapNone   wrapping = iota
	wrapCRI             // 2025-12-31T17:37:40.493035218+01:00 stdout F …
	wrapDocker          // {"log":"…\n","stream":"stdout","time":"…"}
	wrapSyslog          // <134>Jan 14 12:48:57 host haproxy[1]: …, RFC 3164 or 5424
	wrapQuotes          // "…", as exports to CSV have it

	wrappings
)

// unwrap takes the wrapping w off line; false if line has no such wrapping.
func (p *Parser) unwrap(w wrapping, line []byte) ([]byte, bool) {
	switch w {
	case wrapNone:
		return line, len(line) > 0
	case wrapCRI:
		return cri(line)
	case wrapDocker:
		return p.docker(line)
	case wrapSyslog:
		return syslog(line)
	case wrapQuotes:
		n := len(line)
		if n > 40 && line[0] == '"' && line[n-1] == '"' {
			return line[1 : n-1], true
		}
	}
	return nil, false
}

// cri drops a container runtime's "time stream tag ". A partial line (tag P) is
// passed on: its beginning may well hold the whole request.
func cri(line []byte) ([]byte, bool) {
	i := bytes.IndexByte(line, ' ')
	if i < 20 || i > 40 || len(line) < i+10 || line[4] != '-' || line[10] != 'T' {
		return nil, false
	}
	b := line[i+1:]
	if string(b[:6]) != "stdout" && string(b[:6]) != "stderr" {
		return nil, false
	}
	if b[6] != ' ' || (b[7] != 'F' && b[7] != 'P') || b[8] != ' ' || len(b) < 10 {
		return nil, false
	}
	return b[9:], true
}

const dockerLog = `{"log":"`

func dockerHead(line []byte) bool {
	return len(line) > len(dockerLog)+10 && string(line[:len(dockerLog)]) == dockerLog
}

// docker takes the line out of Docker's json-file driver's object, where it is
// the first member.
func (p *Parser) docker(line []byte) ([]byte, bool) {
	if !dockerHead(line) {
		return nil, false
	}
	end := stringEnd(line, len(dockerLog))
	if end < 0 {
		return nil, false
	}
	raw := line[len(dockerLog):end]
	p.unlog = appendJSONString(p.unlog[:0], raw)
	out := bytes.TrimRight(p.unlog, "\r\n")
	return out, len(out) > 0
}

// syslog drops what stands before the message: up to the "tag[pid]: " of RFC
// 3164, or the seven fields of RFC 5424.
func syslog(line []byte) ([]byte, bool) {
	b := line
	if b[0] == '<' {
		i := bytes.IndexByte(b, '>')
		if i < 0 || i > 4 {
			return nil, false
		}
		if b = b[i+1:]; len(b) > 2 && b[0]-'1' <= 8 && b[1] == ' ' { // VERSION
			for range 6 {
				_, b = untilBlank(b)
			}
			if len(b) > 1 && b[0] == '-' && b[1] == ' ' {
				b = b[2:]
			}
			b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
			return b, len(b) > 0
		}
	}
	// "Jan 14 12:48:57 host tag: " or an ISO time in its place.
	i := bytes.Index(b, []byte(": "))
	if i < 8 || i > 256 || bytes.IndexByte(b[:i], '"') >= 0 || bytes.IndexByte(b[:i], '{') >= 0 {
		return nil, false
	}
	b = b[i+2:]
	return b, len(b) > 0
}
