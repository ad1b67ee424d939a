package detect

import (
	"bytes"
	"unsafe"

	"github.com/vigie-otel/vigie/internal/request"
	"github.com/vigie-otel/vigie/internal/sketch"
)

// What rules are learned from: requests as a firewall sees them, word for word.
// They are sampled evenly over requests, not by client, so that a share of the
// sample estimates the share of the traffic that a rule would stop.
const (
	sampleCalm  = 32   // requests a tick
	sampleOpen  = 96   // the same while a finding is open
	recentTexts = 256  // of the last seconds, of which nobody knows yet whose they are
	baseTexts   = 1152 // of ordinary traffic
	attackTexts = 512
	legitTexts  = 320 // of the others during an attack
	maxText     = 225 // bytes of one request; longer parts are cut
	// settleAfter is how many seconds old a request must be to count as ordinary. A
	// flood's first second alone can fill recentTexts, before anybody has looked.
	settleAfter = 3
)

// The parts of a text, in order.
const (
	partMethod = iota
	partPath
	partQuery
	partReferer
	partAgent
	parts
)

// What of each part is kept, bytes. A firewall is asked for a prefix of what was
// longer.
var partLimit = [parts]int{8, 96, 48, 48, 160}

// text is one request: 256 bytes, no pointer.
type text struct {
	key    uint64
	from   place
	second uint32  // of the epoch
	w      float32 // how many requests it stands for
	end    [parts]uint8
	flags  uint8
	cut    uint8 // bits: parts that were longer
	buf    [maxText]byte
}

var _ [256 - unsafe.Sizeof(text{})]byte

const (
	textTemplate uint8 = 1 << iota // the path is a template: the request itself was seen elsewhere
	textShort                      // of the query and the referer only their presence is known
	textSample                     // a client that stands for others too
)

func (t *text) part(p int) []byte {
	from := uint8(0)
	if p > 0 {
		from = t.end[p-1]
	}
	return t.buf[from:t.end[p]]
}

func (t *text) set(p int, b []byte) {
	at := 0
	if p > 0 {
		at = int(t.end[p-1])
	}
	n := copy(t.buf[at:], b[:min(len(b), partLimit[p])])
	if n < len(b) {
		t.cut |= 1 << p
	}
	t.end[p] = uint8(at + n)
}

// sampler draws the sample and keeps what of it is recent and what is ordinary.
type sampler struct {
	skip, stride int64 // requests until the next one is due; between two
	level        uint  // of the summary that is being merged
	rnd          rng
	recent       []text
	rows         []row // of recent
	next         int
	base         []text
	seen         uint64 // candidates for base
}

// due says whether e is drawn.
func (p *sampler) due(e *event) bool {
	p.skip -= int64(e.rep)
	return p.skip < 0
}

// pace ends a tick in which there were n requests.
func (p *sampler) pace(n uint64, open bool) {
	target := uint64(sampleCalm)
	if open {
		target = sampleOpen
	}
	p.stride = int64(n / target)
	p.skip = min(p.skip, 2*p.stride)
}

// sample takes a request that was drawn, as s.mark has judged it.
func (s *service) sample(e *event, r *row, m Mark) {
	p := &s.sampler
	p.skip = p.stride
	if p.stride > 1 {
		p.skip = int64(p.rnd.next() % uint64(2*p.stride)) // no beat that a bot could share
	}
	if s.open == 0 {
		if len(p.recent) < recentTexts {
			p.recent, p.rows = extend(p.recent, recentTexts), append(p.rows, row{})
		} else if t := &p.recent[p.next]; !s.suspicious() && s.second-int64(t.second) >= settleAfter {
			p.settle(t)
		}
		s.transcribe(&p.recent[p.next], e)
		p.rows[p.next] = *r
		p.next = (p.next + 1) % recentTexts
		return
	}
	for i := range s.eps {
		ep := &s.eps[i]
		if !ep.open {
			continue
		}
		switch b := s.bookOf(i, ep); {
		case m.FindingID == ep.id:
			s.transcribe(b.attack.place(&p.rnd), e)
		case m.FindingID == "" && ep.innocent(i, r, e.tried()):
			s.transcribe(b.legit.place(&p.rnd), e)
		}
	}
}

// settle lets t into the sample of ordinary traffic, whose memory is that of the
// baseline.
func (p *sampler) settle(t *text) {
	p.seen = min(p.seen+1, baselineMemory*sampleCalm)
	if len(p.base) < baseTexts {
		p.base = extend(p.base, baseTexts)
		p.base[len(p.base)-1] = *t
	} else if i := p.rnd.next() % p.seen; i < baseTexts {
		p.base[i] = *t
	}
}

// transcribe writes e down in t.
func (s *service) transcribe(t *text, e *event) {
	*t = text{key: e.key, from: placeOf(e.addr, e.ipv4()), second: uint32(e.nano / 1e9), w: float32(max(s.sampler.stride, 1))}
	if r := s.d.req; r != nil {
		t.request(r)
		return
	}
	// Merged from a summary: what its labels tell.
	t.flags |= textTemplate | textShort
	if e.flags&flagHeavy == 0 && s.sampler.level > 0 {
		t.flags |= textSample
		t.w *= float32(uint64(1) << min(s.sampler.level, 30))
	}
	method, path, _ := bytes.Cut(label(s.paths, uint64(e.tmpl)), []byte(" "))
	t.set(partMethod, method)
	t.set(partPath, path)
	t.set(partQuery, presence(e.flags&flagQuery))
	t.set(partReferer, presence(e.flags&flagReferer))
	t.set(partAgent, label(s.agents, uint64(e.uax)))
}

// label is the text that k remembers of a key.
func label(k *sketch.TopK, key uint64) []byte {
	if e, ok := k.Get(key); ok && key != 0 {
		return e.Label
	}
	return nil
}

func presence(flag uint8) []byte {
	if flag != 0 {
		return []byte("?")
	}
	return nil
}

func (t *text) request(r *request.Request) {
	for p, b := range [parts][]byte{r.Method, r.Path, r.Query, r.Referer, r.UserAgent} {
		t.set(p, b)
	}
}

// reservoir is an even sample of a stream (Vitter 1985, algorithm R).
type reservoir struct {
	texts []text
	seen  uint64
	limit int
}

// place is where the next one goes; what is written there may be nobody's to
// keep.
func (v *reservoir) place(rnd *rng) *text {
	v.seen++
	if len(v.texts) < v.limit {
		v.texts = extend(v.texts, v.limit)
		return &v.texts[len(v.texts)-1]
	}
	if i := rnd.next() % v.seen; i < uint64(v.limit) {
		return &v.texts[i]
	}
	return &text{}
}

// extend makes room for one more text, and never for more than limit.
func extend(texts []text, limit int) []text {
	if n := len(texts); n == cap(texts) {
		bigger := make([]text, n, min(max(2*n, 64), limit))
		copy(bigger, texts)
		texts = bigger
	}
	return texts[:len(texts)+1]
}
