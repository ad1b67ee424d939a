package emf

import "strconv"

// document is one that is being written: metrics with the same time, labels and
// sets of dimensions.
type document struct {
	at        int64 // ms
	namespace string
	root      []byte // the labels as members
	sets      []byte // the sets as JSON
	names     []string
	defs      []byte // metric definitions, comma-separated
	values    []byte // the metrics as members, each with a comma first
	points    int
}

// start makes d the document of labels; its buffers are used again.
func (d *document) start(at int64, namespace string, l *labels, allowed []bool, properties []label) {
	d.at, d.namespace, d.points = at, namespace, 0
	d.names, d.defs, d.values = d.names[:0], d.defs[:0], d.values[:0]
	d.root, d.sets = d.root[:0], append(d.sets[:0], '[')
	for i, set := range l.sets {
		if !allowed[i] {
			continue
		}
		if len(d.sets) > 1 {
			d.sets = append(d.sets, ',')
		}
		d.sets = append(d.sets, '[')
		for j, at := range set {
			if j > 0 {
				d.sets = append(d.sets, ',')
			}
			d.sets = AppendString(d.sets, l.all[at].name)
		}
		d.sets = append(d.sets, ']')
	}
	d.sets = append(d.sets, ']')
	for _, all := range [2][]label{l.all, properties} {
		for i := range all {
			d.root = append(d.root, ',')
			d.root = AppendString(d.root, all[i].name)
			d.root = append(d.root, ':')
			d.root = AppendString(d.root, all[i].value)
		}
	}
}

// fits reports whether a metric of that name can be added: a member cannot be
// there twice, and there are limits.
func (d *document) fits(name string) bool {
	if len(d.names) >= maxMetrics || len(d.root)+len(d.defs)+len(d.values) > maxDocument {
		return false
	}
	for _, n := range d.names {
		if n == name {
			return false
		}
	}
	return true
}

// define adds a metric; its value is appended to d.values next.
func (d *document) define(o *one) {
	if len(d.names) > 0 {
		d.defs = append(d.defs, ',')
	}
	d.names = append(d.names, o.name)
	d.defs = append(d.defs, o.def...)
	d.values = append(d.values, o.member...)
}

// append writes the document.
func (d *document) append(b []byte) []byte {
	b = append(b, `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, d.at, 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":`...)
	b = AppendString(b, d.namespace)
	b = append(b, `,"Dimensions":`...)
	b = append(b, d.sets...)
	b = append(b, `,"Metrics":[`...)
	b = append(b, d.defs...)
	b = append(b, `]}]}`...)
	b = append(b, d.root...)
	b = append(b, d.values...)
	return append(b, '}')
}
