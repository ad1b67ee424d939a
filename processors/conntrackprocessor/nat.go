package conntrackprocessor

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigie-otel/vigie/internal/flow"
)

// end is an address and port in 18 bytes, without netip's pointer: the index
// holds some 200,000 of them.
type end struct {
	addr [16]byte
	port uint16
}

func endOf(a netip.AddrPort) end { return end{a.Addr().As16(), a.Port()} }

func (e end) addrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(e.addr).Unmap(), e.port)
}

// pair is an ordered pair of ends; a zero port stands for any.
type pair struct{ from, to end }

// answer is what a key leads to.
type answer struct {
	end       end
	ambiguous bool // the key led to more than one
}

// generation is a part of the index that is forgotten as a whole.
type generation struct {
	// backend: client → service gives who answers; with the client's port for
	// one flow, without it for a client, without the client for a service.
	backend map[pair]answer
	// service: peer → backend, as the backend sees it, gives what was asked for;
	// without the peer for all of a backend's traffic.
	service map[pair]answer
	flows   int
}

func newGeneration() *generation {
	return &generation{backend: map[pair]answer{}, service: map[pair]answer{}}
}

// natIndex resolves addresses from the flows that were recorded lately. It
// keeps two generations: records go into the younger, look-ups ask both, and
// each half TTL (or when the younger holds half of the limit) the older is
// forgotten. So a flow lives half a TTL to a whole one after its last record,
// without a timer or a list per flow.
type natIndex struct {
	cfg NATConfig
	tel *telemetry
	any atomic.Bool // holds something; so that spans without NAT cost nothing

	mu           sync.RWMutex
	young, older *generation // guarded by mu
	turned       time.Time   // guarded by mu; when young was begun
	told         int         // guarded by mu; flows told to telemetry
}

func newNATIndex(cfg NATConfig, tel *telemetry) *natIndex {
	return &natIndex{cfg: cfg, tel: tel, young: newGeneration(), older: newGeneration()}
}

func (x *natIndex) empty() bool { return !x.any.Load() }

// add takes a flow. One without destination NAT says nothing that is not on the
// span already.
func (x *natIndex) add(f *flow.Flow, now time.Time) {
	if x.cfg.MaxFlows == 0 || !f.DNAT() {
		return
	}
	client, service := endOf(f.Client()), endOf(f.Service())
	backend, peer := endOf(f.Backend()), endOf(f.Masqueraded())

	x.mu.Lock()
	defer x.mu.Unlock()
	if x.turned.IsZero() {
		x.turned = now
	}
	if now.Sub(x.turned) >= x.cfg.TTL/2 {
		x.turn(now)
	} else if x.young.flows >= max(x.cfg.MaxFlows/2, 1) {
		x.tel.ConntrackNatEvicted.Add(context.Background(), int64(x.older.flows))
		x.turn(now)
	}
	g := x.young
	if _, known := g.backend[pair{client, service}]; !known {
		g.flows++
	}
	g.backend[pair{client, service}] = answer{end: backend}
	learn(g.backend, pair{end{addr: client.addr}, service}, backend)
	learn(g.backend, pair{end{}, service}, backend)
	g.service[pair{peer, backend}] = answer{end: service}
	learn(g.service, pair{end{}, backend}, service)
	x.any.Store(true)
}

func learn(m map[pair]answer, k pair, e end) {
	if a, ok := m[k]; ok && a.end != e {
		m[k] = answer{a.end, true}
	} else if !ok {
		m[k] = answer{end: e}
	}
}

// turn begins a new generation. Called with mu held.
func (x *natIndex) turn(now time.Time) {
	if now.Sub(x.turned) >= x.cfg.TTL {
		x.young = newGeneration() // nothing came for a whole TTL: that one is over too
	}
	x.older, x.young, x.turned = x.young, newGeneration(), now
	x.any.Store(x.older.flows > 0)
}

// age forgets what is due although no record comes, and tells how much is held.
func (x *natIndex) age(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.turned.IsZero() && now.Sub(x.turned) >= x.cfg.TTL/2 {
		x.turn(now)
	}
	if n := x.young.flows + x.older.flows; n != x.told {
		x.tel.ConntrackNatFlows.Add(context.Background(), int64(n-x.told))
		x.told = n
	}
}

// result of a look-up.
type result uint8

const (
	missed result = iota
	ambiguous
	resolved
)

// backendOf resolves a service address for a client: by the flow, else by the
// client's other flows, else by anybody's, as long as they all agree. The client
// may be unknown in part or whole.
func (x *natIndex) backendOf(client, service end) (end, result) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	best := missed
	for i, from := range [...]end{client, {addr: client.addr}, {}} {
		if i < 2 && from.addr == ([16]byte{}) || i == 0 && from.port == 0 {
			continue
		}
		e, r := agree(x.young.backend, x.older.backend, pair{from, service}, i == 0)
		if r == resolved {
			return e, r
		}
		best = max(best, r)
	}
	return end{}, best
}

// serviceOf resolves a backend's address for the peer that it saw.
func (x *natIndex) serviceOf(peer, backend end) (end, result) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	best := missed
	for i, from := range [...]end{peer, {}} {
		e, r := agree(x.young.service, x.older.service, pair{from, backend}, i == 0)
		if r == resolved {
			return e, r
		}
		best = max(best, r)
	}
	return end{}, best
}

// agree asks both generations. Of one flow the younger knows better; what is
// said of many flows is believed only where both say the same.
func agree(young, older map[pair]answer, k pair, one bool) (end, result) {
	a, ok := young[k]
	b, ok2 := older[k]
	switch {
	case !ok && !ok2:
		return end{}, missed
	case !ok:
		a = b
	case ok2 && !one && a != b:
		a.ambiguous = true
	}
	if a.ambiguous {
		return end{}, ambiguous
	}
	return a.end, resolved
}
