package accesslog

import (
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// jsonReader keeps what is known about a stream's keys. Writers put their keys
// in the same order on every line, so the n-th key is compared with what the
// n-th key was last time, and only looked up when it differs.
type jsonReader struct {
	fields map[string]known
	memo   [memoKeys]memo
	n      int // keys seen on this line
	value  [jsonFields]jsonValue
	rank   [jsonFields]uint8
	seen   uint32 // writers that show by their keys
}

const (
	memoKeys = 96
	maxKey   = 128 // a longer path is of no interest
)

type memo struct {
	key    []byte // as it stands in the line
	path   []byte // in the form compared, with its parents
	parent int    // the memo of the object it stands in, or -1
	known  known
}

// jsonValue is a raw value: a string's content with escapes, or a scalar.
type jsonValue struct {
	raw    []byte
	quoted bool // a JSON string, whose escapes stand
	plain  bool // a text without escapes
}

// Writers whose "duration" is not in seconds.
const (
	seenEnvoy = 1 << iota
	seenTraefik
)

// readJSON reads one JSON object.
func (p *Parser) readJSON(line []byte, r *request.Request) error {
	if line[0] != '{' {
		return ErrFormat
	}
	j := &p.json
	j.begin()
	end := j.object(line, 1, -1, 0)
	if end < 0 {
		return ErrJSON
	}
	return p.fromJSON(r)
}

// begin forgets the line before, and keeps what is known of the keys.
func (j *jsonReader) begin() {
	j.n, j.seen = 0, 0
	j.value = [jsonFields]jsonValue{}
	j.rank = [jsonFields]uint8{}
}

// witness notes writers that show by how they name the status.
func (j *jsonReader) witness(path []byte) {
	switch string(path) {
	case "response_code":
		j.seen |= seenEnvoy
	case "downstreamstatus":
		j.seen |= seenTraefik
	}
}

// object reads the members of the object whose brace ended before i and returns
// the index behind its closing one, or -1.
func (j *jsonReader) object(b []byte, i, parent, depth int) int {
	if depth > maxDepth {
		return -1
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		i = skipSpace(b, i)
		if i >= len(b) || b[i] != '"' {
			return -1
		}
		end := stringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		key := b[i+1 : end]
		i = skipSpace(b, end+1)
		if i >= len(b) || b[i] != ':' {
			return -1
		}
		i = skipSpace(b, i+1)
		if i >= len(b) {
			return -1
		}
		k, at := j.lookup(key, parent)
		if i = j.member(b, i, k, at, parent, depth); i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		if i >= len(b) {
			return -1
		}
		switch b[i] {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// member reads the value at i, of a key that k knows.
func (j *jsonReader) member(b []byte, i int, k known, at, parent, depth int) int {
	switch b[i] {
	case '"':
		end := stringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		j.take(k, jsonValue{raw: b[i+1 : end], quoted: true})
		return end + 1
	case '{':
		switch {
		case k.field == jNone || at < 0:
			return skipValue(b, i)
		case k.field == jThrough:
			return j.object(b, i+1, parent, depth+1)
		}
		return j.object(b, i+1, at, depth+1)
	case '[': // Caddy's headers: the first of a list stands for it
		if first := skipSpace(b, i+1); first < len(b) && b[first] == '"' {
			if end := stringEnd(b, first+1); end >= 0 {
				j.take(k, jsonValue{raw: b[first+1 : end], quoted: true})
			}
		}
		return skipValue(b, i)
	}
	end := scalarEnd(b, i)
	if end == i {
		return -1
	}
	if raw := b[i:end]; raw[0] == '-' || raw[0]-'0' <= 9 {
		j.take(k, jsonValue{raw: raw})
	}
	return end
}

// take keeps a value if no key of higher rank had one.
func (j *jsonReader) take(k known, v jsonValue) {
	if k.rank == 0 || len(v.raw) == 0 || (len(v.raw) == 1 && v.raw[0] == '-') || k.rank < j.rank[k.field] {
		return
	}
	j.rank[k.field], j.value[k.field] = k.rank, v
}

// lookup finds what key means inside the object that memo parent stands for.
// at is the key's own memo, or -1 when there are too many keys.
func (j *jsonReader) lookup(key []byte, parent int) (k known, at int) {
	n := j.n
	j.n++
	if n >= memoKeys {
		var buf [maxKey]byte
		if path, ok := j.path(buf[:0], key, parent); ok {
			k = j.known(path)
		}
		return k, -1
	}
	m := &j.memo[n]
	if m.parent != parent || string(m.key) != string(key) || m.path == nil {
		path, ok := j.path(m.path[:0], key, parent)
		m.key, m.path, m.parent, m.known = append(m.key[:0], key...), path, parent, known{}
		if len(m.key) > maxKey {
			m.key = m.key[:0]
		}
		if ok {
			m.known = j.known(path)
		}
	}
	if m.known.field == jStatus {
		j.witness(m.path)
	}
	return m.known, n
}

func (j *jsonReader) known(path []byte) known { return j.fields[string(path)] }

// path puts a key behind its parents'.
func (j *jsonReader) path(dst, key []byte, parent int) ([]byte, bool) {
	if parent >= 0 {
		dst = append(append(dst, j.memo[parent].path...), '.')
	}
	if len(dst)+len(key) > maxKey {
		return append(dst[:0], '?'), false
	}
	return appendKey(dst, key), true
}

// fromJSON puts the values found into r.
func (p *Parser) fromJSON(r *request.Request) error {
	v := &p.json.value
	if v[jLine].quoted || v[jLine].plain {
		p.requestLine(p.text(v[jLine]), r)
	}
	if m := p.text(v[jMethod]); m != nil {
		r.Method = m
	}
	if u := p.text(v[jURI]); u != nil {
		r.Path, r.Query = nil, nil
		p.target(u, r)
	}
	if q := p.text(v[jQuery]); len(q) > 0 {
		if q[0] == '?' {
			q = q[1:]
		}
		r.Query = q
	}
	if v[jStatus].raw != nil {
		var ok bool
		if r.Status, ok = status(v[jStatus].raw); !ok {
			return ErrStatus
		}
	}
	peer, _ := clientip.ParseHop(p.text(v[jPeer]))
	r.Client = p.client.Client(peer, p.text(v[jForwarded]))
	if (r.Path == nil && r.Method == nil) || (r.Status == 0 && !r.Client.IsValid()) {
		return ErrNotRequest
	}
	if raw := v[jTime]; raw.raw != nil {
		var ok bool
		if r.UnixNano, ok = p.jsonTime(raw); !ok {
			return ErrTime
		}
	}
	r.Bytes = byteCount(v[jBytes].raw)
	r.Duration = p.jsonDuration()
	r.UserAgent, r.Referer = p.text(v[jUserAgent]), p.text(v[jReferer])
	if h := host(p.text(v[jHost])); h != nil {
		r.Host = h
	}
	r.Service = clusterName(p.text(v[jService]))
	r.Account, r.JA4 = p.text(v[jAccount]), p.text(v[jJA4])
	return nil
}

// text returns a value's text, unescaped; nil if there is none.
func (p *Parser) text(v jsonValue) []byte {
	if !v.quoted {
		return v.raw
	}
	for _, c := range v.raw {
		if c == '\\' {
			start := len(p.scratch)
			p.scratch = appendJSONString(p.scratch, v.raw)
			return p.scratch[start:len(p.scratch):len(p.scratch)]
		}
	}
	return v.raw
}

// jsonTime reads RFC 3339, the common log's form, or seconds since the epoch in
// s, ms, µs or ns, which differ by so much that they cannot be confused.
func (p *Parser) jsonTime(v jsonValue) (int64, bool) {
	b := p.text(v)
	if len(b) >= 19 && b[4] == '-' {
		return p.clock.iso8601(b)
	}
	if len(b) == 26 && b[2] == '/' {
		return p.clock.commonLog(b)
	}
	d, ok := decimal(b, time.Nanosecond)
	if !ok {
		return 0, false
	}
	switch n := int64(d); {
	case n < 1e11:
		d, ok = decimal(b, time.Second)
		return int64(d), ok
	case n < 1e14:
		return n * 1e6, true
	case n < 1e17:
		return n * 1e3, true
	default:
		return n, true
	}
}

func (p *Parser) jsonDuration() time.Duration {
	for f, unit := range [...]time.Duration{time.Second, time.Millisecond, time.Nanosecond, 0} {
		v := p.json.value[int(jSeconds)+f]
		if v.raw == nil {
			continue
		}
		if unit == 0 {
			switch {
			case p.json.seen&seenEnvoy != 0:
				unit = time.Millisecond
			case p.json.seen&seenTraefik != 0:
				unit = time.Nanosecond
			default:
				unit = time.Second
			}
		}
		if d, ok := decimal(v.raw, unit); ok {
			return d
		}
		if d, ok := goDuration(v.raw); ok {
			return d
		}
	}
	return request.Unknown
}
