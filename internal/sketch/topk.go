package sketch

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

const ways = 8 // slots a set: one cache line of keys

// Entry is one frequent value.
type Entry struct {
	Key   uint64
	Count uint64 // at most Err too high, never too low
	Err   uint64
	Label []byte // what the value looks like; valid until the next Add
}

// TopK finds frequent values: SpaceSaving (Metwally et al. 2005) in a
// set-associative table, so that an update touches one set and allocates
// nothing. A value that makes up more than 1/ways of its set's traffic is
// always kept; its count is at most Err too high. Labels longer than the limit
// are cut.
type TopK struct {
	mask   uint64
	label  int
	keys   []uint64
	counts []uint64
	errs   []uint64
	sizes  []uint8
	labels []byte
}

// NewTopK makes a TopK of at least slots values, whose labels are kept up to
// label bytes (at most 255).
func NewTopK(slots, label int) *TopK {
	sets := 1
	for sets*ways < slots {
		sets *= 2
	}
	n := sets * ways
	label = min(max(label, 0), 255)
	return &TopK{
		mask: uint64(sets - 1), label: label,
		keys: make([]uint64, n), counts: make([]uint64, n), errs: make([]uint64, n),
		sizes: make([]uint8, n), labels: make([]byte, n*label),
	}
}

// Add counts key n times. The label is copied when the value enters.
func (t *TopK) Add(key, n uint64, label []byte) {
	set := int(key&t.mask) * ways
	low, lowest := set, ^uint64(0)
	for i := set; i < set+ways; i++ {
		if t.keys[i] == key && t.counts[i] > 0 {
			t.counts[i] += n
			return
		}
		if t.counts[i] < lowest {
			low, lowest = i, t.counts[i]
		}
	}
	t.put(low, key, lowest+n, lowest, label)
}

func (t *TopK) put(i int, key, count, err uint64, label []byte) {
	t.keys[i], t.counts[i], t.errs[i] = key, count, err
	t.sizes[i] = uint8(copy(t.labels[i*t.label:(i+1)*t.label], label))
}

// Get returns the entry of key; false when it is not among the frequent.
func (t *TopK) Get(key uint64) (Entry, bool) {
	set := int(key&t.mask) * ways
	for i := set; i < set+ways; i++ {
		if t.keys[i] == key && t.counts[i] > 0 {
			return t.entry(i), true
		}
	}
	return Entry{}, false
}

func (t *TopK) entry(i int) Entry {
	at := i * t.label
	return Entry{Key: t.keys[i], Count: t.counts[i], Err: t.errs[i], Label: t.labels[at : at+int(t.sizes[i])]}
}

// Top returns up to n entries, most frequent first, ties by key.
func (t *TopK) Top(n int) []Entry {
	var all []Entry
	for i, c := range t.counts {
		if c > 0 {
			all = append(all, t.entry(i))
		}
	}
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key))
	})
	return all[:min(n, len(all))]
}

// Halve ages t: counts and errors are halved, values that reach zero leave.
func (t *TopK) Halve() {
	for i := range t.counts {
		t.counts[i] /= 2
		t.errs[i] /= 2
	}
}

// Merge makes t count what either counts. Where a set overflows, the least
// frequent leave.
func (t *TopK) Merge(o *TopK) {
	for i, c := range o.counts {
		if c > 0 {
			e := o.entry(i)
			t.mergeEntry(e)
		}
	}
}

func (t *TopK) mergeEntry(e Entry) {
	set := int(e.Key&t.mask) * ways
	low, lowest := set, ^uint64(0)
	for i := set; i < set+ways; i++ {
		if t.keys[i] == e.Key && t.counts[i] > 0 {
			t.counts[i] += e.Count
			t.errs[i] += e.Err
			return
		}
		if t.counts[i] < lowest {
			low, lowest = i, t.counts[i]
		}
	}
	// SpaceSaving's own rule: the newcomer takes the place of the least and
	// inherits its count as its possible error.
	t.put(low, e.Key, lowest+e.Count, lowest+e.Err, e.Label)
}

// Reset empties t.
func (t *TopK) Reset() { clear(t.counts) }

var errTopK = errors.New("frequent-value sketch is malformed")

// Append encodes the n most frequent values: uvarint count, then for each the
// key (8 bytes), uvarint count, uvarint error, a length byte and the label.
func (t *TopK) Append(dst []byte, n int) []byte {
	top := t.Top(n)
	dst = binary.AppendUvarint(dst, uint64(len(top)))
	for _, e := range top {
		dst = binary.LittleEndian.AppendUint64(dst, e.Key)
		dst = binary.AppendUvarint(dst, e.Count)
		dst = binary.AppendUvarint(dst, e.Err)
		dst = append(dst, byte(len(e.Label)))
		dst = append(dst, e.Label...)
	}
	return dst
}

// MergeEncoded merges what Append wrote, and returns the bytes after it. On an
// error t may hold some of it.
func (t *TopK) MergeEncoded(b []byte) ([]byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)) {
		return nil, errTopK
	}
	b = b[w:]
	for ; n > 0; n-- {
		var e Entry
		if len(b) < 8 {
			return nil, errTopK
		}
		e.Key, b = binary.LittleEndian.Uint64(b), b[8:]
		if e.Count, w = binary.Uvarint(b); w <= 0 || e.Count == 0 || e.Count > 1<<48 {
			return nil, errTopK
		}
		b = b[w:]
		if e.Err, w = binary.Uvarint(b); w <= 0 || e.Err > e.Count {
			return nil, errTopK
		}
		b = b[w:]
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return nil, errTopK
		}
		e.Label, b = b[1:1+int(b[0])], b[1+int(b[0]):]
		t.mergeEntry(e)
	}
	return b, nil
}
