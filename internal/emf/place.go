package emf

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// place says where a data point's value goes, by hashes: what has the same
// attributes, time and rule is in the same document. Finding it so costs a third
// of putting its labels together again.
type place struct {
	attrs uint64
	at    int64
	rule  *Rule
}

// placed is a document that takes all sets of dimensions, and their hashes for
// the budget.
type placed struct {
	d     *document
	sets  []uint64
	names []string // of the labels
	why   Reason   // or why there is none
}

// document returns the open document for a point, begun if need be.
func (c *Converter) document(o *one, ts pcommon.Timestamp, attrs pcommon.Map, h uint64, quantile string) (*document, Reason) {
	at := int64(ts) / 1e6
	if at <= 0 {
		at = c.now.UnixMilli()
	}
	if quantile != "" {
		h = xxh3.HashStringSeed(quantile, h)
	}
	where := place{h, at, o.rule}
	p, labelled := c.lastAt, false
	if p == nil || c.last != where {
		p = c.places[where]
	}
	if p == nil {
		p, labelled = c.place(o, attrs, quantile), true
		c.places[where] = p
	}
	c.last, c.lastAt = where, p
	if p.why != ok {
		return nil, p.why
	}
	for _, name := range p.names {
		if name == o.name {
			return nil, NameClash
		}
	}
	if o.name == "_aws" {
		return nil, NameClash
	}
	any, all := c.budget(o, p.sets)
	switch {
	case !any:
		return nil, OverBudget
	case all && p.d != nil && p.d.fits(o.name):
		return p.d, ok
	}
	if !labelled {
		c.label(o, attrs, quantile)
	}
	if o.rule != nil && len(o.rule.Dimensions) > 0 {
		d := c.openDocument(o, at)
		if all {
			p.d = d
		}
		return d, ok
	}
	// All attributes are labels, so what has other attributes is in another
	// document, and there is one set: no need to look further.
	if p.d == nil {
		p.d = c.newDocument()
	} else {
		c.write(p.d)
	}
	p.d.start(at, o.namespace, &c.labels, c.allowed, c.props)
	return p.d, ok
}

// place puts together labels and keeps of them what finds them again.
func (c *Converter) place(o *one, attrs pcommon.Map, quantile string) *placed {
	p := &placed{}
	if n := len(c.unused); n > 0 {
		p, c.unused = c.unused[n-1], c.unused[:n-1]
	}
	*p = placed{sets: p.sets[:0], names: p.names[:0], why: c.label(o, attrs, quantile)}
	if p.why != ok {
		return p
	}
	for _, set := range c.labels.sets {
		p.sets = append(p.sets, c.labels.hash(set)^o.space)
	}
	for i := range c.labels.all {
		p.names = append(p.names, c.labels.all[i].name)
	}
	return p
}

// label puts together labels, sets and properties of a point.
func (c *Converter) label(o *one, attrs pcommon.Map, quantile string) Reason {
	l := &c.labels
	l.reset()
	var why Reason
	if o.rule != nil && len(o.rule.Dimensions) > 0 {
		why = l.byRule(o.rule.Dimensions, attrs, c.res, quantile)
	} else {
		why = l.byDefault(attrs, c.res, c.o.ResourceDimensions, quantile)
	}
	if why == ok {
		c.properties(attrs)
	}
	return why
}

// openDocument returns the document of what c.labels, c.props and c.allowed hold.
func (c *Converter) openDocument(o *one, at int64) *document {
	c.identify(at, o)
	d, open := c.open[string(c.key)]
	switch {
	case open && d.fits(o.name):
		return d
	case open:
		c.write(d)
	default:
		d = c.newDocument()
		c.open[string(c.key)] = d
	}
	d.start(at, o.namespace, &c.labels, c.allowed, c.props)
	return d
}

func (c *Converter) newDocument() *document {
	d := &document{}
	if n := len(c.spare); n > 0 {
		d, c.spare = c.spare[n-1], c.spare[:n-1]
	}
	c.order = append(c.order, d)
	return d
}

// properties gathers the members that are no dimensions.
func (c *Converter) properties(attrs pcommon.Map) {
	c.props = c.props[:0]
next:
	for _, name := range c.o.Properties {
		for i := range c.labels.all {
			if c.labels.all[i].name == name {
				continue next
			}
		}
		if v := clean(lookup(name, attrs, c.res), maxValue); v != "" {
			c.props = append(c.props, label{name, v})
		}
	}
}

// budget asks for each set and reports whether any is left, and whether all are.
func (c *Converter) budget(o *one, sets []uint64) (any, all bool) {
	c.allowed = c.allowed[:0]
	all = true
	for _, set := range sets {
		fine := c.o.Budget == nil || c.o.Budget.Allow(o.hash^set*0x9e3779b97f4a7c15, o.name)
		any, all = any || fine, all && fine
		c.allowed = append(c.allowed, fine)
	}
	return any, all
}

// identify puts into c.key what the metrics of a document have in common.
func (c *Converter) identify(at int64, o *one) {
	k := binary.LittleEndian.AppendUint64(c.key[:0], uint64(at))
	k = append(k, o.namespace...)
	k = append(k, 0)
	for i, set := range c.labels.sets {
		if !c.allowed[i] {
			continue
		}
		for _, j := range set {
			k = append(k, byte(j))
		}
		k = append(k, 0xff)
	}
	for _, all := range [2][]label{c.labels.all, c.props} {
		for i := range all {
			k = append(append(append(k, all[i].name...), 0), all[i].value...)
			k = append(k, 1)
		}
	}
	c.key = k
}

func (c *Converter) seriesOf(o *one, h, part uint64) series {
	return series{Hi: h ^ o.seed, Lo: o.seed + part + h*0x9e3779b97f4a7c15}
}

// hash is hashMap, but for attributes that are those of the point before: a
// scrape tells many things of one pod, and to compare is cheaper.
func (c *Converter) hash(m pcommon.Map) uint64 {
	if m.Len() == len(c.hashed) {
		same := true
		i := 0
		for k, v := range m.All() {
			if same = c.hashed[i].name == k && v.Type() == pcommon.ValueTypeStr && c.hashed[i].value == v.Str(); !same {
				break
			}
			i++
		}
		if same {
			return c.hashIs
		}
	}
	c.hashed = c.hashed[:0]
	for k, v := range m.All() {
		c.hashed = append(c.hashed, label{k, text(v)})
	}
	c.hashIs = hashMap(m)
	return c.hashIs
}

// hashMap does not depend on the order of the attributes.
func hashMap(m pcommon.Map) uint64 {
	var h uint64
	for k, v := range m.All() {
		h += xxh3.HashStringSeed(text(v), xxh3.HashString(k))
	}
	return h
}
