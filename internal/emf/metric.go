package emf

import "github.com/zeebo/xxh3"

// kind is what a metric is known by.
type kind struct {
	name, unit string
	gauge      bool
}

// one is a metric as it is written.
type one struct {
	kind
	name      string // as CloudWatch takes it
	unit      unit   // as well
	rule      *Rule  // nil for none
	unwanted  bool
	namespace string
	def       string // {"Name":…}
	member    string // ,"name":
	hash      uint64 // of name
	space     uint64 // of namespace
	source    uint64 // hash of the name as it came

	seed uint64 // of its series; changes with resource and scope
}

// prepare makes of a metric what can be made once.
func (c *Converter) prepare(k kind) *one {
	o := &one{kind: k, name: clean(k.name, maxName), namespace: c.o.Namespace, rule: c.rule(k.name), unit: unitOf(k.unit, !k.gauge)}
	o.unwanted = o.rule == nil && c.o.DropUnmatched || o.rule != nil && o.rule.Drop || o.name == ""
	high := false
	if o.rule != nil {
		high = o.rule.HighResolution
		if o.rule.Namespace != "" {
			o.namespace = o.rule.Namespace
		}
		if o.rule.Unit != "" {
			o.unit = unit{o.rule.Unit, 1}
		}
	}
	o.write(high)
	o.hash, o.space, o.source = xxh3.HashString(o.name), xxh3.HashString(o.namespace), xxh3.HashString(k.name)
	if len(c.known) >= maxCached {
		clear(c.known)
	}
	c.known[k.name] = o
	return o
}

// write makes definition and member of name and unit.
func (o *one) write(high bool) {
	def := AppendString([]byte(`{"Name":`), o.name)
	if o.unit.name != "" && o.unit.name != "None" {
		def = append(append(append(def, `,"Unit":"`...), o.unit.name...), '"')
	}
	if high {
		def = append(def, `,"StorageResolution":1`...)
	}
	o.def = string(append(def, '}'))
	o.member = string(append(AppendString([]byte{','}, o.name), ':'))
}

// part is a metric of its own that a summary has beside its quantiles.
func (o *one) part(suffix string, u unit) *one {
	p := *o
	p.name, p.unit = clean(o.name+suffix, maxName), u
	p.write(o.rule != nil && o.rule.HighResolution)
	p.hash = xxh3.HashString(p.name)
	return &p
}
