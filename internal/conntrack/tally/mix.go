package tally

import (
	"cmp"
	"slices"

	"github.com/vigie-otel/vigie/internal/flow"
)

// protos are counted apart; all others share the last row of the mix.
var protos = [...]flow.Proto{flow.TCP, flow.UDP, flow.ICMP4, flow.ICMP6, flow.SCTP, flow.DCCP, flow.GRE, flow.UDPLite}

func protoIndex(p flow.Proto) int {
	switch p {
	case flow.TCP:
		return 0
	case flow.UDP:
		return 1
	}
	for i, q := range protos {
		if p == q {
			return i
		}
	}
	return len(protos)
}

// The states of TCP and SCTP, then what stands for a state elsewhere.
const (
	stateUnreplied = flow.NumStates + iota
	stateReplied
	stateAssured
	states
)

func stateIndex(f *flow.Flow) int {
	switch {
	case f.State != flow.StateNone || f.Proto == flow.TCP || f.Proto == flow.SCTP:
		return min(int(f.State), flow.NumStates-1)
	case f.Assured():
		return stateAssured
	case f.Unreplied():
		return stateUnreplied
	}
	return stateReplied
}

// Mix is how many entries are of one kind.
type Mix struct {
	Transport string // network.transport, or "other"
	Type      string // network.type
	State     string // network.connection.state, or unreplied, replied, assured
	Entries   uint64
}

// Mix returns the kinds that have entries, by count, largest first.
func (t *Tally) Mix() (mix []Mix) {
	for p, byType := range t.mix {
		for v, byState := range byType {
			for s, n := range byState {
				if n > 0 {
					mix = append(mix, Mix{transport(p), [...]string{"ipv4", "ipv6"}[v], state(s), n})
				}
			}
		}
	}
	slices.SortStableFunc(mix, func(a, b Mix) int { return cmp.Compare(b.Entries, a.Entries) })
	return mix
}

func transport(index int) string {
	if index == len(protos) {
		return "other"
	}
	return protos[index].String()
}

func state(index int) string {
	switch index {
	case stateUnreplied:
		return "unreplied"
	case stateReplied:
		return "replied"
	case stateAssured:
		return "assured"
	}
	return flow.State(index).String()
}
