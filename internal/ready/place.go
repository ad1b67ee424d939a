package ready

import (
	"cmp"
	"math"
	"slices"
)

// batch is pods of one workload that want a place.
type batch struct {
	w     *Workload
	count int64
}

// slot is a node with what is left of it; pool is set for one that is not there
// yet.
type slot struct {
	node *Node
	pool *NodePool
	left Resources
}

// shape is what a new node brings: room for pods once DaemonSets are on it, and
// the capacity that limits count.
type shape struct {
	room, capacity Resources
	guessed        bool // of no node of the pool itself
}

// room is where the event's pods would go.
type room struct {
	asked    int64 // pods that are not running yet
	onNodes  int64 // of these: nodes that are there have room
	onNew    int64 // of these: new nodes, within the autoscaler's limits
	unplaced []batch
	newNodes map[string]int64 // by pool or group
	added    map[string]Resources
	guessed  bool
}

func (r *room) nodes() (n int64) {
	for _, v := range r.newNodes {
		n += v
	}
	return n
}

func (r *room) left() (n int64) {
	for _, b := range r.unplaced {
		n += b.count
	}
	return n
}

// maxNewNodes bounds the nodes that one packing opens.
const maxNewNodes = 20000

// pack places batches first on the nodes that are there, then on new ones. It is
// first fit, the largest pods first: what a scheduler achieves at least, but for
// topology spread, soft affinity and ports, which it does not look at.
func (c *Cluster) pack(batches []batch, unlimited bool) room {
	r := room{newNodes: map[string]int64{}, added: map[string]Resources{}}
	batches = slices.Clone(batches)
	slices.SortStableFunc(batches, func(a, b batch) int {
		return cmp.Or(cmp.Compare(b.w.Pod.CPUMilli, a.w.Pod.CPUMilli), cmp.Compare(b.w.Pod.Memory, a.w.Pod.Memory), cmp.Compare(a.w.ID(), b.w.ID()))
	})
	var there []slot
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if n.usable() {
			there = append(there, slot{node: n, left: n.Allocatable.plus(n.Used, -1)})
		}
	}
	var opened []slot
	for _, b := range batches {
		r.asked += b.count
		rest := fill(there, b, b.w.Spread, func(s *slot) bool { return b.w.runsOn(s.node) })
		r.onNodes += b.count - rest
		before := rest
		rest = fill(opened, batch{b.w, rest}, 0, func(s *slot) bool {
			if s.pool != nil {
				return s.pool.offers(b.w)
			}
			return b.w.runsOn(s.node)
		})
		rest = c.open(&r, &opened, batch{b.w, rest}, unlimited)
		r.onNew += before - rest
		if rest > 0 {
			r.unplaced = append(r.unplaced, batch{b.w, rest})
		}
	}
	return r
}

// fill places as many pods of b as fit and says how many do not. Of the slots that
// have room, taken have a pod of b already.
func fill(slots []slot, b batch, taken int, may func(*slot) bool) int64 {
	count, pod := b.count, b.w.Pod.onePod()
	for i := range slots {
		if count == 0 {
			return 0
		}
		s := &slots[i]
		if !may(s) {
			continue
		}
		n := min(fits(pod, s.left), count)
		if b.w.OnePerNode && n > 0 {
			if n = 1; taken > 0 {
				taken--
				continue
			}
		}
		s.left = s.left.plus(pod, -n)
		count -= n
	}
	return count
}

// fits is how many pods fit into what is left.
func fits(pod, left Resources) int64 {
	n := max(left.Pods, 0)
	if pod.CPUMilli > 0 {
		n = min(n, max(left.CPUMilli, 0)/pod.CPUMilli)
	}
	if pod.Memory > 0 {
		n = min(n, max(left.Memory, 0)/pod.Memory)
	}
	return n
}

// open adds nodes for b within the limits, and says how many pods find none.
func (c *Cluster) open(r *room, opened *[]slot, b batch, unlimited bool) int64 {
	if b.count == 0 {
		return 0
	}
	pools := slices.Clone(c.Pools)
	slices.SortStableFunc(pools, func(x, y NodePool) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.Name, y.Name))
	})
	for i := range pools {
		p := &pools[i]
		if p.NotReady != "" || !p.offers(b.w) {
			continue
		}
		s := c.shapeOf("karpenter.sh/nodepool", p.Name)
		if fits(b.w.Pod.onePod(), s.room) == 0 { // Karpenter takes a larger instance
			s = larger(b.w.Pod, s)
		}
		may := int64(math.MaxInt64)
		if !unlimited {
			may = p.mayAdd(s.capacity, r.added[p.Name], r.newNodes[p.Name])
		}
		b.count = r.add(opened, p.Name, slot{pool: p}, s, b, may)
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		nodes := c.of("eks.amazonaws.com/nodegroup", g.Name)
		if len(nodes) == 0 {
			nodes = c.of("", "")
		}
		if len(nodes) == 0 || !b.w.runsOn(nodes[0]) {
			continue
		}
		s := c.shapeOf("eks.amazonaws.com/nodegroup", g.Name)
		may := max(int64(g.Max-g.Target)-r.newNodes[g.Name], 0)
		if unlimited {
			may = math.MaxInt64
		}
		b.count = r.add(opened, g.Name, slot{node: nodes[0]}, s, b, may)
	}
	return b.count
}

// add opens up to may nodes of a shape for b.
func (r *room) add(opened *[]slot, name string, kind slot, s shape, b batch, may int64) int64 {
	pod := b.w.Pod.onePod()
	each := fits(pod, s.room)
	if b.w.OnePerNode {
		each = min(each, 1)
	}
	for b.count > 0 && may > 0 && each > 0 && r.nodes() < maxNewNodes {
		n := min(each, b.count)
		next := kind
		next.left = s.room.plus(pod, -n)
		*opened = append(*opened, next)
		r.newNodes[name]++
		r.added[name] = r.added[name].plus(s.capacity, 1)
		r.guessed = r.guessed || s.guessed
		b.count -= n
		may--
	}
	return b.count
}

func (r Resources) onePod() Resources {
	r.Pods = 1
	return r
}

// mayAdd is how many nodes of a capacity the limits leave.
func (p *NodePool) mayAdd(capacity, added Resources, nodes int64) int64 {
	may := int64(math.MaxInt64)
	if p.CPULimit >= 0 && capacity.CPUMilli > 0 {
		may = min(may, (p.CPULimit-p.Used.CPUMilli-added.CPUMilli)/capacity.CPUMilli)
	}
	if p.MemoryLimit >= 0 && capacity.Memory > 0 {
		may = min(may, (p.MemoryLimit-p.Used.Memory-added.Memory)/capacity.Memory)
	}
	if p.NodesLimit >= 0 {
		may = min(may, p.NodesLimit-p.UsedNodes-nodes)
	}
	return max(may, 0)
}

// of are the nodes with a label; with an empty key, all.
func (c *Cluster) of(key, value string) (out []*Node) {
	for i := range c.Nodes {
		if n := &c.Nodes[i]; key == "" || n.Labels[key] == value {
			out = append(out, n)
		}
	}
	return out
}

// Nodes of a cluster that shows none, to count with: 4 cores, 16 GiB, 58 pods, as
// an m7i.xlarge has them.
var unseen = shape{Resources{3500, 13 << 30, 50}, Resources{4000, 16 << 30, 58}, true} //nolint:gochecknoglobals // a constant

// shapeOf is the node of median size among those of a pool, less what its
// DaemonSets ask for; of all nodes where the pool has none.
func (c *Cluster) shapeOf(key, value string) shape {
	nodes, guessed := c.of(key, value), false
	if len(nodes) == 0 {
		nodes, guessed = c.of("", ""), true
	}
	if len(nodes) == 0 {
		return unseen
	}
	slices.SortStableFunc(nodes, func(a, b *Node) int { return cmp.Compare(a.Allocatable.CPUMilli, b.Allocatable.CPUMilli) })
	n := nodes[(len(nodes)-1)/2]
	return shape{n.Allocatable.plus(n.Daemons, -1), n.Capacity, guessed}
}

// larger is a shape grown by whole factors of two until the pod fits.
func larger(pod Resources, s shape) shape {
	pod = pod.onePod()
	for range 6 {
		s.room = s.room.plus(s.room, 1)
		s.capacity = s.capacity.plus(s.capacity, 1)
		s.guessed = true
		if fits(pod, s.room) > 0 {
			break
		}
	}
	return s
}
