package seriesguardprocessor

import (
	"math"
	"strconv"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// identity makes fingerprints of what remote write makes labels of. Labels are a
// set: their hashes are added, so that nothing has to be sorted.
type identity struct {
	seed                    uint64
	job, instance           uint64 // seeds of what becomes these labels
	scopeName, scopeVersion uint64
	scopeAttr, bound        uint64
}

func newIdentity(seed uint64) identity {
	of := func(what string) uint64 { return xxh3.HashStringSeed(what, seed) }
	return identity{
		seed: seed, job: of("\x00job"), instance: of("\x00instance"),
		scopeName: of("\x00scope"), scopeVersion: of("\x00version"), scopeAttr: of("\x00scope."), bound: of("\x00le"),
	}
}

// metric is the key of what becomes one name at the destination: unit and type
// make its suffixes.
func (id *identity) metric(m pmetric.Metric) uint64 {
	kind := uint64(m.Type())
	if m.Type() == pmetric.MetricTypeSum && !m.Sum().IsMonotonic() {
		kind = uint64(pmetric.MetricTypeGauge)
	}
	return xxh3.HashStringSeed(m.Unit(), xxh3.HashStringSeed(m.Name(), id.seed+kind))
}

// label hashes one label; an empty value is no label.
func (id *identity) label(seed uint64, key string, v pcommon.Value) uint64 {
	seed = xxh3.HashStringSeed(key, seed)
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if v.Str() == "" {
			return 0
		}
		return xxh3.HashStringSeed(v.Str(), seed)
	case pcommon.ValueTypeInt:
		var digits [20]byte
		return xxh3.HashSeed(strconv.AppendInt(digits[:0], v.Int(), 10), seed)
	case pcommon.ValueTypeBool:
		if v.Bool() {
			return xxh3.HashStringSeed("true", seed)
		}
		return xxh3.HashStringSeed("false", seed)
	}
	if s := v.AsString(); s != "" {
		return xxh3.HashStringSeed(s, seed)
	}
	return 0
}

func (id *identity) labels(m pcommon.Map) (sum uint64) {
	for key, v := range m.All() {
		sum += id.label(id.seed, key, v)
	}
	return sum
}

// target hashes job and instance, which a resource gives to each of its series.
// named: it has one of them.
func (id *identity) target(resource pcommon.Map) (sum uint64, named bool) {
	if v, ok := resource.Get("service.name"); ok {
		if name := v.AsString(); name != "" {
			seed := id.job
			if ns, ok := resource.Get("service.namespace"); ok {
				seed = xxh3.HashStringSeed(ns.AsString(), seed+1)
			}
			sum, named = xxh3.HashStringSeed(name, seed), true
		}
	}
	if v, ok := resource.Get("service.instance.id"); ok {
		if name := v.AsString(); name != "" {
			sum, named = sum+xxh3.HashStringSeed(name, id.instance), true
		}
	}
	return sum, named
}

// identifying are the resource attributes that become job and instance; the
// others are target_info's.
func identifying(key string) bool {
	return key == "service.name" || key == "service.namespace" || key == "service.instance.id"
}

// info hashes what target_info has beside job and instance. any: there is
// something, without which the series is not made.
func (id *identity) info(resource pcommon.Map) (sum uint64, any bool) {
	for key, v := range resource.All() {
		if !identifying(key) {
			sum += id.label(id.seed, key, v)
			any = true
		}
	}
	return sum, any
}

// scope hashes the labels of a scope.
func (id *identity) scope(s pcommon.InstrumentationScope) (sum uint64) {
	if s.Name() != "" {
		sum += xxh3.HashStringSeed(s.Name(), id.scopeName)
	}
	if s.Version() != "" {
		sum += xxh3.HashStringSeed(s.Version(), id.scopeVersion)
	}
	for key, v := range s.Attributes().All() {
		if key != "name" && key != "version" && key != "schema_url" {
			sum += id.label(id.scopeAttr, key, v)
		}
	}
	return sum
}

// histogram hashes the buckets of a point and says how many series it is:
// _count, _sum, and a _bucket for each bound and +Inf. Other bounds are other
// series.
func (id *identity) histogram(p pmetric.HistogramDataPoint) (sum uint64, weight int) {
	n := min(p.ExplicitBounds().Len(), p.BucketCounts().Len())
	h := id.bound
	bounds := p.ExplicitBounds()
	for i := range n {
		h = mix(h ^ math.Float64bits(bounds.At(i)))
	}
	weight = n + 2
	if p.HasSum() {
		h, weight = h+1, weight+1
	}
	return h, weight
}

// summary hashes the quantiles of a point: a series each, _sum and _count.
func (id *identity) summary(p pmetric.SummaryDataPoint) (sum uint64, weight int) {
	h := id.bound
	for _, q := range p.QuantileValues().All() {
		h = mix(h ^ math.Float64bits(q.Quantile()))
	}
	return h, p.QuantileValues().Len() + 2
}

// mix spreads every bit over all others (the finalizer of MurmurHash3, Appleby).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// fingerprint finishes a sum of hashes; what a table keeps of it is never 0.
func fingerprint(sum uint64) uint64 { return max(mix(sum), 1<<epochBits) }
