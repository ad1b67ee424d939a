package conntrackprocessor

import "github.com/vigie-otel/vigie/internal/finding"

// owners is who holds the table, as the receiver's last full dump said: at most
// 64, the receiver's own list is top-K.
type owners struct {
	at      uint64 // timestamp of the dump
	entries map[string]float64
}

func (o *owners) set(at uint64, owner string, n float64) {
	if o.entries == nil || at > o.at {
		o.at, o.entries = at, map[string]float64{}
	}
	if at == o.at && len(o.entries) < 64 {
		o.entries[owner] += n
	}
}

// actors gives the largest owners with their share of the table. An entry may
// count for an owner on each of its ends, so that shares may sum to more than 1.
func (o *owners) actors(n int, table float64) []finding.Actor {
	var out []finding.Actor
	for name, v := range o.entries {
		if name != "other" {
			out = append(out, finding.Actor{Kind: finding.KindOwner, Value: name, Share: v})
		}
	}
	sortActors(out)
	out = out[:min(n, len(out))]
	for i := range out {
		out[i].Share /= max(table, 1)
	}
	return out
}
