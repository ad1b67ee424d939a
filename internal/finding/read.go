package finding

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/names"
)

// reader takes typed fields out of a map that anybody may have written: what is
// missing or of another type reads as zero.
type reader struct{ m pcommon.Map }

func (r reader) str(key string) string {
	if v, ok := r.m.Get(key); ok && v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return ""
}

// num accepts both number types: JSON in between may have turned 1.0 into 1.
func (r reader) num(key string) float64 {
	v, ok := r.m.Get(key)
	switch {
	case ok && v.Type() == pcommon.ValueTypeDouble:
		return finite(v.Double())
	case ok && v.Type() == pcommon.ValueTypeInt:
		return float64(v.Int())
	}
	return 0
}

// count reads a number of things: whole, and never below zero.
func (r reader) count(key string) uint64 {
	if v, ok := r.m.Get(key); ok && v.Type() == pcommon.ValueTypeInt {
		return uint64(max(v.Int(), 0))
	}
	return uint64(min(max(r.num(key), 0), 1<<62))
}

func (r reader) time(key string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.str(key))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// list reads at most limit maps from the slice under key, each with one.
func list[T any](r reader, key string, limit int, one func(reader) T) []T {
	v, ok := r.m.Get(key)
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	s := v.Slice()
	out := make([]T, 0, min(s.Len(), limit))
	for i := range min(s.Len(), limit) {
		if e := s.At(i); e.Type() == pcommon.ValueTypeMap {
			out = append(out, one(reader{e.Map()}))
		}
	}
	return out
}

func (r reader) evidence() Evidence {
	return Evidence{
		Dimension: r.str("dimension"), Value: r.num("value"), Normal: r.num("normal"),
		Unit: r.str("unit"), Points: Points(r.str("points")), Note: r.str("note"),
	}
}

func (r reader) actor() Actor {
	return Actor{
		Kind: r.str("kind"), Value: r.str("value"), Share: r.num("share"), Lift: r.num("lift"),
		Errors: r.num("errors"), FirstSeen: r.time("first_seen"),
	}
}

func (r reader) rule() Rule {
	return Rule{
		Kind: r.str("kind"), Action: r.str("action"), Coverage: r.num("coverage"),
		LegitimateHit: r.num("legitimate_hit"),
		// One more than the limit, so that bound sees a rule that is too long.
		Match: list(r, "match", MaxConditions+1, reader.condition),
	}
}

func (r reader) mitigation() (m Mitigation) {
	if v, ok := r.m.Get(names.FindingMitigation); ok && v.Type() == pcommon.ValueTypeMap {
		in := reader{v.Map()}
		m = Mitigation{Coverage: in.num("coverage"), LegitimateHit: in.num("legitimate_hit"), Note: in.str("note")}
	}
	return m
}

func (r reader) condition() Condition {
	c := Condition{Field: r.str("field"), Op: r.str("op"), More: max(int(r.num("more")), 0)}
	if v, ok := r.m.Get(packedKey); ok && v.Type() == pcommon.ValueTypeBytes {
		if c.Values = unpack(v.Bytes().AsRaw()); len(c.Values) > 0 {
			c.More = 0
			return c
		}
	}
	v, ok := r.m.Get("values")
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return c
	}
	s := v.Slice()
	for i := range min(s.Len(), MaxValues) {
		if e := s.At(i); e.Type() == pcommon.ValueTypeStr {
			c.Values = append(c.Values, e.Str())
		}
	}
	c.More += s.Len() - min(s.Len(), MaxValues)
	return c
}
