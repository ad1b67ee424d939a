package conntrackprocessor

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/finding"
)

// idle is how long a node is remembered after its last metric or record.
const idle = 15 * time.Minute

// engine holds what was learnt of each node, and its findings. Time comes in as
// an argument: now is the clock's, at is the data's.
type engine struct {
	cfg  *Config
	tel  *telemetry
	seed uint64                                  // of hashes
	tell func(pcommon.Resource, finding.Finding) // must not block

	mu    sync.Mutex
	nodes map[string]*node // guarded by mu; at most MaxResources
}

// node is one network namespace's state: its walls and its half-open targets.
type node struct {
	name     string // k8s.node.name, host.name or host.id; "node" without them
	resource pcommon.Resource
	seen     time.Time // by the clock
	kernel   *wallState
	ena      *wallState
	flood    *floodState
	owners   owners
}

func newEngine(cfg *Config, tel *telemetry, seed uint64, tell func(pcommon.Resource, finding.Finding)) *engine {
	return &engine{cfg: cfg, tel: tel, seed: seed, tell: tell, nodes: map[string]*node{}}
}

// identity are the resource attributes that tell nodes apart, in order of how
// well they name one.
var identity = [...]string{"k8s.node.name", "host.name", "host.id"}

// nodeOf finds or makes the node of a resource; nil when there are too many.
// Called with mu held.
func (e *engine) nodeOf(res pcommon.Resource, now time.Time) *node {
	key, name := "", "node"
	for i := len(identity) - 1; i >= 0; i-- {
		if v, ok := res.Attributes().Get(identity[i]); ok && v.AsString() != "" {
			name = v.AsString()
			key += name
		}
		key += "\x00"
	}
	n, ok := e.nodes[key]
	if !ok {
		if len(e.nodes) >= e.cfg.MaxResources {
			e.tel.ConntrackOverflow.Add(context.Background(), 1, e.tel.resources)
			return nil
		}
		n = &node{name: name, resource: pcommon.NewResource(), kernel: newWall(kernelWall), ena: newWall(enaWall), flood: newFlood(&e.cfg.SYNFlood, e.seed)}
		for _, k := range identity {
			if v, ok := res.Attributes().Get(k); ok {
				v.CopyTo(n.resource.Attributes().PutEmpty(k))
			}
		}
		e.nodes[key] = n
	}
	n.seen = now
	return n
}

// tick closes what nothing confirms any more and forgets nodes that are gone.
func (e *engine) tick(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, n := range e.nodes {
		for _, w := range n.walls() {
			w.life.expire(now, e.cfg.Exhaustion.CloseAfter, silence, e.cfg.UpdateInterval, n.teller(e))
		}
		n.flood.expire(now, e.cfg.UpdateInterval, n.teller(e))
		if now.Sub(n.seen) > idle {
			delete(e.nodes, key)
		}
	}
}

func (n *node) walls() [2]*wallState { return [...]*wallState{n.kernel, n.ena} }

func (n *node) teller(e *engine) func(finding.Finding) {
	return func(f finding.Finding) { e.tell(n.resource, f) }
}
