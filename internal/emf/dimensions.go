package emf

import (
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// label is a dimension or property with its value, as CloudWatch takes both.
type label struct{ name, value string }

// labels are those of the data point at hand, and the sets that they are put
// together to. Buffers are used again.
type labels struct {
	all  []label // no name twice
	sets [][]int // indices into all
	free [][]int // spare backing of sets
}

func (l *labels) reset() {
	l.all = l.all[:0]
	l.free = append(l.free, l.sets...)
	l.sets = l.sets[:0]
}

// index returns where a name is, added if need be; -1 without a value.
func (l *labels) index(name, value string) int {
	for i := range l.all {
		if l.all[i].name == name {
			return i
		}
	}
	if value = clean(value, maxValue); value == "" {
		return -1
	}
	l.all = append(l.all, label{name, value})
	return len(l.all) - 1
}

func (l *labels) newSet() []int {
	if n := len(l.free); n > 0 {
		s := l.free[n-1][:0]
		l.free = l.free[:n-1]
		return s
	}
	return nil
}

// hash tells a set from others, whatever the order of its names.
func (l *labels) hash(set []int) uint64 {
	var h uint64
	for _, i := range set {
		h += xxh3.HashStringSeed(l.all[i].value, xxh3.HashString(l.all[i].name))
	}
	return h
}

// byRule makes the sets of a rule; those that lack an attribute are left out.
func (l *labels) byRule(sets [][]string, point, resource pcommon.Map, quantile string) Reason {
	for _, names := range sets {
		set := l.newSet()
		whole := true
		for _, name := range names {
			i := l.index(clean(name, maxName), lookup(name, point, resource))
			if whole = i >= 0; !whole {
				break
			}
			set = append(set, i)
		}
		if !whole {
			l.free = append(l.free, set)
			continue
		}
		if quantile != "" {
			set = append(set, l.index("quantile", quantile))
		}
		if len(set) > maxDimensions {
			return TooManyDims
		}
		l.sets = append(l.sets, set)
	}
	if len(l.sets) == 0 {
		return NoDimensions
	}
	return ok
}

// byDefault makes one set of the point's attributes and the resource's named
// ones, in alphabetical order, so that equal sets look equal.
func (l *labels) byDefault(point, resource pcommon.Map, also []string, quantile string) Reason {
	for name, v := range point.All() {
		if name = clean(name, maxName); name != "" && name != "_aws" {
			l.index(name, text(v))
		}
	}
	for _, name := range also {
		if v, found := resource.Get(name); found {
			l.index(clean(name, maxName), text(v))
		}
	}
	if quantile != "" {
		l.index("quantile", quantile)
	}
	if len(l.all) > maxDimensions {
		return TooManyDims
	}
	slices.SortFunc(l.all, func(a, b label) int { return strings.Compare(a.name, b.name) })
	set := l.newSet()
	for i := range l.all {
		set = append(set, i)
	}
	l.sets = append(l.sets, set)
	return ok
}

func lookup(name string, point, resource pcommon.Map) string {
	if v, found := point.Get(name); found {
		return text(v)
	}
	if v, found := resource.Get(name); found {
		return text(v)
	}
	return ""
}

func text(v pcommon.Value) string {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return v.Str()
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(v.Int(), 10)
	case pcommon.ValueTypeBool:
		return strconv.FormatBool(v.Bool())
	}
	return v.AsString()
}

// clean makes a name or value one that CloudWatch takes: printable ASCII, not
// blank, no colon first, at most limit long. What else there is becomes _.
func clean(s string, limit int) string {
	if fine(s) && len(s) <= limit {
		return s
	}
	b := make([]byte, 0, min(len(s), limit))
	for _, r := range s {
		if len(b) == limit {
			break
		}
		if r < 0x20 || r >= 0x7f || r == ':' && len(b) == 0 {
			r = '_'
		}
		b = append(b, byte(r))
	}
	return strings.TrimSpace(string(b))
}

func fine(s string) bool {
	if s == "" {
		return true
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return s[0] != ':' && s[0] != ' ' && s[len(s)-1] != ' '
}
