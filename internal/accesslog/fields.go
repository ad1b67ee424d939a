package accesslog

import (
	"strconv"

	"github.com/vigie-otel/vigie/internal/request"
)

// BeginFields begins a request whose fields somebody else has parsed. They are
// named as JSON keys are, with dots for nesting; what is not known is ignored.
//
//	p.BeginFields()
//	p.TextField("remote_addr", addr)
//	p.IntField("status", 200)
//	err := p.EndFields(&r)
func (p *Parser) BeginFields() {
	p.scratch = p.scratch[:0]
	p.json.begin()
}

// TextField adds a text, which EndFields' request may alias.
func (p *Parser) TextField(name string, value []byte) {
	p.json.take(p.json.named(name), jsonValue{raw: value, plain: true})
}

// IntField adds a whole number.
func (p *Parser) IntField(name string, value int64) {
	if k := p.json.named(name); k.field != jNone {
		start := len(p.scratch)
		p.scratch = strconv.AppendInt(p.scratch, value, 10)
		p.json.take(k, jsonValue{raw: p.scratch[start:len(p.scratch):len(p.scratch)], plain: true})
	}
}

// FloatField adds a number.
func (p *Parser) FloatField(name string, value float64) {
	if k := p.json.named(name); k.field != jNone {
		start := len(p.scratch)
		p.scratch = strconv.AppendFloat(p.scratch, value, 'f', -1, 64)
		p.json.take(k, jsonValue{raw: p.scratch[start:len(p.scratch):len(p.scratch)], plain: true})
	}
}

// EndFields reads the request out of the fields. Like Parse it leaves r empty
// when it returns an error; unlike Parse it counts nothing.
func (p *Parser) EndFields(r *request.Request) error {
	r.Reset()
	err := p.fromJSON(r)
	if err != nil {
		r.Reset()
	}
	return err
}

// named finds what a dotted name means.
func (j *jsonReader) named(name string) known {
	var buf [maxKey]byte
	if len(name) > maxKey {
		return known{}
	}
	path := appendKey(buf[:0], []byte(name))
	k := j.known(path)
	if k.field == jStatus {
		j.witness(path)
	}
	return k
}
