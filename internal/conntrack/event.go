package conntrack

import "github.com/vigie-otel/vigie/internal/flow"

// EventType tells what happened to an entry.
type EventType uint8

// The events; they are bits, so that Listen takes several.
const (
	EventNew     EventType = 1 << iota // an entry was made
	EventUpdate                        // its state, status, mark or helper changed
	EventDestroy                       // it is gone; the counters are final
)

// String names one event type.
func (t EventType) String() string {
	switch t {
	case EventNew:
		return "new"
	case EventUpdate:
		return "update"
	case EventDestroy:
		return "destroy"
	}
	return "unknown"
}

// Event is one change of the table.
type Event struct {
	Type EventType
	Flow flow.Flow
}

// decodeEvent reads one message of a multicast group into e; ok is false for a
// message that is no event of an entry.
func decodeEvent(h header, body []byte, e *Event) (ok bool, err error) {
	if h.kind>>8 != subsysConntrack || len(body) < nfgenHeader {
		return false, nil
	}
	switch h.kind & 0xff {
	case msgNew:
		e.Type = EventUpdate
		if h.flags&(nlmFlagCreate|nlmFlagExcl) != 0 {
			e.Type = EventNew
		}
	case msgDelete:
		e.Type = EventDestroy
	default:
		return false, nil
	}
	return true, decodeFlow(body[nfgenHeader:], &e.Flow)
}
