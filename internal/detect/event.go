package detect

import (
	"math/bits"
	"net/netip"

	"github.com/zeebo/xxh3"

	"github.com/vigie-otel/vigie/internal/request"
)

// event is a request reduced to what the detector uses: fixed size, no pointer.
// It is also what a summary carries of the requests that it samples.
type event struct {
	key    uint64 // of the client: its address, or its /64 for IPv6
	addr   [16]byte
	nano   int64
	pq     uint64 // path and query, exact
	path   uint32 // path, exact
	tmpl   uint32 // path template and method
	uax    uint32 // user agent, exact; 0 is none
	fam    uint32 // user agent with its versions folded
	ja4    uint32
	acct   uint32
	rep    uint32 // how many requests of this client it stands for
	kind   uint16 // of user agent: the products that it names; 0 is none
	status uint16
	method uint8
	class  class
	flags  uint8
	size   uint8 // log2 of the body's bytes plus 1; noSize when unknown
	dur    uint8 // duration bucket; noDur when unknown
}

const (
	flagReferer uint8 = 1 << iota
	flagQuery
	flagProbe   // asks for what only an intruder wants
	flagCrawler // its user agent says that it is a robot, and whose
	flagTool    // its user agent is a library or a tool, or there is none
	flag4       // the address is IPv4
	flagNewPQ   // path and query were not seen lately
	flagHeavy   // in a summary: its client is kept for its volume

	noSize, noDur = 255, 255
)

// The duration buckets: under 1 s, 10 s, 30 s and above.
const (
	durFast = iota
	durSecond
	durTen
	durThirty
)

func (e *event) ipv4() bool { return e.flags&flag4 != 0 }

// slow says that a request held its connection for long and moved little:
// 408 is the server giving up on it.
func (e *event) slow() bool {
	if e.status == 408 {
		return true
	}
	if e.aborted() {
		return true
	}
	failed := e.status >= 400 || e.status == 0
	return e.dur != noDur && e.dur >= durTen && failed && e.status < 500 && (e.size == noSize || e.size <= 12)
}

// aborted says that the client went away before it had the answer, in a log that
// does not say after how long.
func (e *event) aborted() bool {
	return e.status == 499 && e.dur == noDur && !e.class.static() && (e.size == noSize || e.size <= 12)
}

// tried says that somebody tried to sign in.
func (e *event) tried() bool {
	if e.class == classLogin {
		return e.method == methodPOST || e.method == methodPUT || (e.status == 401 && e.method == methodGET)
	}
	// A sign-in by another name is known by how it refuses.
	return e.status == 401 || e.method == methodPOST && (e.status == 403 || e.status == 422)
}

// refused says that the answer to a try was no. 429 and 5xx say nothing of the
// password. A form that is shown again is a 200; see client.sameAnswer.
func (e *event) refused() bool {
	switch e.status {
	case 400, 401, 403, 404, 422:
		return true
	}
	return false
}

// denied says that the answer was no, be it for the password or, as to a client
// that is being blocked, for whatever it asks.
func (e *event) denied() bool { return e.status >= 400 && e.status < 500 }

func prefixOf(addr [16]byte, v4 bool, bits4, bits6 int) netip.Prefix {
	a, n := netip.AddrFrom16(addr), bits6
	if v4 {
		a, n = a.Unmap(), bits4
	}
	p, _ := a.Prefix(n)
	return p
}

const (
	methodOther uint8 = iota
	methodGET
	methodPOST
	methodHEAD
	methodPUT
	methodDELETE
	methodOPTIONS
	methodPATCH
)

func methodOf(b []byte) uint8 {
	switch string(b) {
	case "GET":
		return methodGET
	case "POST":
		return methodPOST
	case "HEAD":
		return methodHEAD
	case "PUT":
		return methodPUT
	case "DELETE":
		return methodDELETE
	case "OPTIONS":
		return methodOPTIONS
	case "PATCH":
		return methodPATCH
	}
	return methodOther
}

// reader turns requests into events. It remembers what it worked out for the
// paths and user agents that it met last, in two two-way tables.
type reader struct {
	seed  uint64
	paths [8192]pathMemo
	uas   [2048]uaMemo
	buf   [2 * maxTemplate]byte
}

type pathMemo struct {
	hash  uint64
	tmpl  uint32
	class class
	probe bool
}

type uaMemo struct {
	hash  uint64
	fam   uint32
	kind  uint16
	flags uint8
}

func (rd *reader) read(e *event, r *request.Request) {
	*e = event{nano: r.UnixNano, status: uint16(max(0, min(r.Status, 999))), method: methodOf(r.Method), rep: 1, size: noSize, dur: noDur}
	e.addr = r.Client.As16()
	if r.Client.Is4() || r.Client.Is4In6() {
		e.flags |= flag4
	}
	e.key = clientKey(rd.seed, e.addr, e.ipv4())
	h := xxh3.HashSeed(r.Path, rd.seed) | 1
	m := &rd.paths[h>>51]
	if m.hash != h {
		m = &rd.paths[h>>51^1]
	}
	if m.hash != h {
		m = &rd.paths[h>>51^(h>>1&1)]
		t := appendTemplate(rd.buf[:0], r.Path)
		*m = pathMemo{hash: h, tmpl: uint32(xxh3.HashSeed(t, rd.seed)), class: classify(r.Path), probe: isProbe(r.Path)}
	}
	e.tmpl, e.class, e.pq, e.path = m.tmpl^uint32(e.method)*0x9e3779b1, m.class, h, uint32(h>>20)
	if m.probe || (len(r.Path) == 0 && e.status == 400) { // or not HTTP at all
		e.flags |= flagProbe
	}
	if len(r.Query) > 0 {
		e.flags |= flagQuery
		if rd.probes(r.Query) {
			e.flags |= flagProbe
		}
		e.pq ^= bits.RotateLeft64(xxh3.HashSeed(r.Query, rd.seed), 21)
	}
	rd.userAgent(e, r.UserAgent)
	if len(r.Referer) > 0 {
		e.flags |= flagReferer
	}
	if len(r.JA4) > 0 {
		e.ja4 = uint32(xxh3.HashSeed(r.JA4, rd.seed)) | 1
	}
	if len(r.Account) > 0 {
		e.acct = uint32(xxh3.HashSeed(r.Account, rd.seed)) | 1
	}
	if r.Bytes >= 0 {
		e.size = uint8(bits.Len64(uint64(r.Bytes)))
	}
	if r.Duration >= 0 {
		e.dur = durationBucket(int64(r.Duration))
	}
}

// probes says whether a query asks for what only an intruder wants. Most have
// none of the characters that one would need, and are not searched.
func (rd *reader) probes(query []byte) bool {
	for _, c := range query[:min(len(query), 128)] {
		switch c {
		case '%', '<', '\'', '(', '/', '.', '+', '$', ';':
			return isProbe(query)
		}
	}
	return false
}

func durationBucket(ns int64) uint8 {
	const second = 1_000_000_000
	switch {
	case ns < second:
		return durFast
	case ns < 10*second:
		return durSecond
	case ns < 30*second:
		return durTen
	}
	return durThirty
}

func (rd *reader) userAgent(e *event, ua []byte) {
	if len(ua) == 0 {
		e.flags |= flagTool
		return
	}
	h := xxh3.HashSeed(ua, rd.seed) | 1
	m := &rd.uas[h>>53]
	if m.hash != h {
		m = &rd.uas[h>>53^1]
	}
	if m.hash != h {
		m = &rd.uas[h>>53^(h>>1&1)]
		t := foldDigits(rd.buf[:0], ua[:min(len(ua), len(rd.buf))])
		*m = uaMemo{hash: h, fam: uint32(xxh3.HashSeed(t, rd.seed)) | 1, kind: agentKind(ua), flags: uaFlags(ua)}
	}
	e.uax, e.fam, e.kind = uint32(h>>8)|1, m.fam, m.kind
	e.flags |= m.flags
}

// clientKey hashes an address under the seed: two multiplications, folded. IPv6
// clients are their /64, which is what one subscriber is given.
func clientKey(seed uint64, addr [16]byte, v4 bool) uint64 {
	hi := be64(addr[:8])
	lo := uint64(0)
	if v4 {
		lo = be64(addr[8:])
	}
	a, b := bits.Mul64(hi^seed^0xa0761d6478bd642f, lo^bits.RotateLeft64(seed, 32)^0xe7037ed1a0b428db)
	c, d := bits.Mul64(a^b^seed, 0x8ebc6af09c88c6e3)
	return c ^ d | 1<<63 // never 0, which is an empty slot
}

func be64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0])<<56 | uint64(b[1])<<48 | uint64(b[2])<<40 | uint64(b[3])<<32 |
		uint64(b[4])<<24 | uint64(b[5])<<16 | uint64(b[6])<<8 | uint64(b[7])
}
