package promstore

import (
	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
)

// validation is which names are names: since Prometheus 3 any UTF-8 is.
const validation = model.UTF8Validation

// cached is a series that has been written to.
type cached struct {
	key  uint64
	ref  storage.SeriesRef // 0 before the first sample
	lset labels.Labels     // shared with tsdb
	kept bool
}

// seriesCache knows the series of labels as they come off the wire, so that a
// sample of a known series costs one hash and one comparison instead of a sorted
// copy of its labels. A hash that two series share goes to whoever came last;
// the other takes the long way each time.
type seriesCache struct {
	m map[uint64]*cached
}

func (c *seriesCache) get(key uint64, ls []prompb.Label) *cached {
	if e := c.m[key]; e != nil && e.is(ls) {
		return e
	}
	return nil
}

// put keeps e; a full cache starts anew, which costs each series one long way.
func (c *seriesCache) put(e *cached, limit int) {
	if len(c.m) >= limit {
		c.clear()
	}
	if c.m == nil {
		c.m = map[uint64]*cached{}
	}
	e.kept = true
	c.m[e.key] = e
}

func (c *seriesCache) clear() { c.m = nil }

// is compares label by label: a hash alone could be forged.
func (e *cached) is(ls []prompb.Label) bool {
	i, same := 0, true
	e.lset.Range(func(l labels.Label) {
		if i >= len(ls) || l.Name != ls[i].Name || l.Value != ls[i].Value {
			same = false
		}
		i++
	})
	return same && i == len(ls)
}

// labelsKey hashes labels in the order in which they come.
func labelsKey(ls []prompb.Label) uint64 {
	var stack [1024]byte
	b := stack[:0]
	for i, l := range ls {
		if len(b)+len(l.Name)+len(l.Value)+2 > cap(b) {
			h := xxhash.New()
			_, _ = h.Write(b)
			for _, l := range ls[i:] {
				_, _ = h.WriteString(l.Name)
				_, _ = h.Write(separator)
				_, _ = h.WriteString(l.Value)
				_, _ = h.Write(separator)
			}
			return h.Sum64()
		}
		b = append(b, l.Name...)
		b = append(b, 0xff)
		b = append(b, l.Value...)
		b = append(b, 0xff)
	}
	return xxhash.Sum64(b)
}

var separator = []byte{0xff} // no byte of UTF-8
