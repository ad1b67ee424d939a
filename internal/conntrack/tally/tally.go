package tally

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/axiomhq/hyperloglog"

	"github.com/vigie-otel/vigie/internal/flow"
)

// Limits bound what a Tally holds. Zero fields mean the defaults.
type Limits struct {
	Owners   int // distinct owners counted in one dump; default 4096
	Sketches int // owners with a sketch of source prefixes, 1 KiB each; default 256
}

// sketchPrecision gives 2¹⁰ registers: 1 KiB, a standard error of 3.3 %.
const sketchPrecision = 10

// Tally sums up one dump.
type Tally struct {
	limits Limits
	locals *Locals
	mix    [len(protos) + 1][2][states]uint64
	owners map[Owner]*count
	other  count
	spare  []*count
	sketch []*hyperloglog.Sketch // not in use
	used   int

	entries, halfOpen, unreplied uint64
}

type count struct {
	entries, halfOpen uint64
	prefixes          *hyperloglog.Sketch // of half-open sources; nil over the limit
}

// New makes a Tally that charges entries by locals.
func New(locals *Locals, limits Limits) *Tally {
	if limits.Owners == 0 {
		limits.Owners = 4096
	}
	if limits.Sketches == 0 {
		limits.Sketches = 256
	}
	return &Tally{limits: limits, locals: locals, owners: make(map[Owner]*count)}
}

// Reset empties the Tally for another dump, charged by locals.
func (t *Tally) Reset(locals *Locals) {
	t.locals = locals
	t.mix = [len(protos) + 1][2][states]uint64{}
	for _, c := range t.owners {
		t.recycle(c)
		t.spare = append(t.spare, c)
	}
	t.recycle(&t.other)
	clear(t.owners)
	t.used = 0
	t.entries, t.halfOpen, t.unreplied = 0, 0, 0
}

func (t *Tally) recycle(c *count) {
	if c.prefixes != nil {
		c.prefixes.Reset()
		t.sketch = append(t.sketch, c.prefixes)
	}
	*c = count{}
}

// Add counts one entry.
func (t *Tally) Add(f *flow.Flow) {
	t.entries++
	v6 := 0
	if f.Orig.Src.Is6() {
		v6 = 1
	}
	t.mix[protoIndex(f.Proto)][v6][stateIndex(f)]++
	c := t.count(t.locals.Owner(f))
	c.entries++
	if f.Unreplied() {
		t.unreplied++
	}
	if !f.HalfOpen() {
		return
	}
	t.halfOpen++
	c.halfOpen++
	if c.prefixes == nil && (t.used < t.limits.Sketches || c == &t.other) {
		c.prefixes = t.newSketch()
	}
	if c.prefixes != nil {
		c.prefixes.InsertHash(prefixHash(f.Orig.Src))
	}
}

func (t *Tally) newSketch() *hyperloglog.Sketch {
	t.used++
	if n := len(t.sketch); n > 0 {
		s := t.sketch[n-1]
		t.sketch = t.sketch[:n-1]
		return s
	}
	s, err := hyperloglog.NewSketch(sketchPrecision, false)
	if err != nil {
		panic(err) // only for a precision out of 4–18
	}
	return s
}

func (t *Tally) count(o Owner) *count {
	if !o.End.Addr().IsValid() {
		return &t.other
	}
	if c := t.owners[o]; c != nil {
		return c
	}
	if len(t.owners) >= t.limits.Owners {
		return &t.other
	}
	var c *count
	if n := len(t.spare); n > 0 {
		c, t.spare = t.spare[n-1], t.spare[:n-1]
	} else {
		c = new(count)
	}
	t.owners[o] = c
	return c
}

// prefixHash spreads the /24 or /64 of addr over 64 bits.
func prefixHash(addr netip.Addr) uint64 {
	var x uint64
	if addr.Is4() {
		a := addr.As4()
		x = uint64(a[0])<<16 | uint64(a[1])<<8 | uint64(a[2]) | 4<<32
	} else {
		a := addr.As16()
		for _, b := range a[:8] {
			x = x<<8 | uint64(b)
		}
	}
	// The finalizer of MurmurHash3 (Appleby, public domain): a bijection, so
	// two prefixes never share a hash.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// Totals are the sums over all entries.
type Totals struct {
	Entries   uint64
	HalfOpen  uint64
	Unreplied uint64 // no packet has come back
}

// Totals returns the sums so far.
func (t *Tally) Totals() Totals { return Totals{t.entries, t.halfOpen, t.unreplied} }

// OwnerCount is what one owner has in the table.
type OwnerCount struct {
	Owner
	Entries  uint64
	HalfOpen uint64
	// Prefixes estimates the distinct /24 and /64 of the half-open sources; 0
	// where there are none, or where more owners had some than Limits allow.
	Prefixes uint64
}

// Top returns the k owners with the most entries, largest first, and the rest
// as one: its Owner is zero.
func (t *Tally) Top(k int) (top []OwnerCount, rest OwnerCount) {
	return t.top(k, func(c *count) uint64 { return c.entries })
}

// TopHalfOpen returns the k owners with the most half-open entries, of those
// that have any, and the rest as one.
func (t *Tally) TopHalfOpen(k int) (top []OwnerCount, rest OwnerCount) {
	return t.top(k, func(c *count) uint64 { return c.halfOpen })
}

func (t *Tally) top(k int, by func(*count) uint64) (top []OwnerCount, rest OwnerCount) {
	type entry struct {
		Owner
		*count
	}
	all := make([]entry, 0, len(t.owners))
	for o, c := range t.owners {
		if by(c) > 0 {
			all = append(all, entry{o, c})
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(by(b.count), by(a.count)), a.End.Compare(b.End))
	})
	rest = t.other.of(Owner{})
	for i, e := range all {
		c := e.count.of(e.Owner)
		if i < k {
			top = append(top, c)
			continue
		}
		rest.Entries += c.Entries
		rest.HalfOpen += c.HalfOpen
		rest.Prefixes += c.Prefixes // an upper bound: a prefix may be behind several
	}
	return top, rest
}

func (c *count) of(o Owner) OwnerCount {
	oc := OwnerCount{Owner: o, Entries: c.entries, HalfOpen: c.halfOpen}
	if c.prefixes != nil {
		oc.Prefixes = c.prefixes.Estimate()
	}
	return oc
}
