package ledger

import (
	"slices"

	"github.com/vigie-otel/vigie/internal/names"
)

// own are receivers that count by metrics of their own, which name no component:
// all of a type are told together.
type own struct{ accepted, outcome, dropped, sacrificed, retries string }

var readers = map[string]own{ //nolint:gochecknoglobals // a constant table
	"container_log": {names.LogsRecords, "accepted", names.LogsDropped, names.LogsSacrificed, names.LogsRetries},
	"k8s_events":    {names.K8sEventsRecords, "", names.K8sEventsDropped, "", names.K8sEventsRetries},
}

// sources adds up what was read, and what a reader gave up before it was. again
// says that something was refused and has come, or may come, once more.
func (s *Snapshot) sources(b *Book, w Way) (again bool) {
	noun, seen := items[w.Signal], map[string]string{}
	for _, id := range w.From {
		if r, special := readers[kind(id)]; special {
			if before, twice := seen[kind(id)]; twice {
				if before == id {
					b.unknown("%s comes here by two ways and is counted once", id)
				}
				continue
			}
			seen[kind(id)] = id
			n, _ := s.sum(r.accepted, "", "", r.outcome)
			b.Read += n
			for why, n := range s.details(r.dropped, "", "") {
				b.Read += n
				b.drop(Reason(why), n)
			}
			for why, n := range s.details(r.sacrificed, "", "") {
				b.Read += n
				b.drop(Sacrificed+"_"+Reason(why), n)
			}
			retries, _ := s.sum(r.retries, "", "", "")
			again = again || retries > 0
			continue
		}
		// A receiver that has got nothing yet has no series: zero.
		n, _ := s.sum("otelcol_receiver_accepted_"+noun, id, "", "")
		refused, _ := s.sum("otelcol_receiver_refused_"+noun, id, "", "")
		failed, _ := s.sum("otelcol_receiver_failed_"+noun, id, "", "")
		b.Read += n
		b.PushedBack += refused + failed
	}
	return again || b.PushedBack > 0
}

// any tells whether one of the receivers has read anything.
func (s *Snapshot) any(receivers []string, noun string) bool {
	return slices.ContainsFunc(receivers, func(id string) bool {
		metric, of, detail := "otelcol_receiver_accepted_"+noun, id, ""
		if r, special := readers[kind(id)]; special {
			metric, of, detail = r.accepted, "", r.outcome
		}
		n, _ := s.sum(metric, of, "", detail)
		return n > 0
	})
}
