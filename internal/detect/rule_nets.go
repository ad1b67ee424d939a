package detect

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/vigie-otel/vigie/internal/finding"
)

const (
	// setBudget is the share of legitimate requests that a set of addresses may
	// hit, by what was counted from them.
	setBudget = 0.0015
	// netBudget is the same for prefixes, by a test on people's addresses that
	// they were not chosen by.
	netBudget = 0.0015
	// straySum is how much of the attack may be left to addresses with few marked
	// requests: among these are most of the people who were marked by mistake.
	straySum = 0.01
	strayMax = 3
	denseNet = 4 // addresses that make their clean /24 or /48 suspect as a whole
)

// point is an address in a line: of IPv6 the first half. IPv4 comes first.
type point struct {
	at     uint64 // its bits, from the highest
	six    bool
	attack bool
	fold   uint8
	w      float32
}

func (p point) prefix(bits int) netip.Prefix {
	if !p.six {
		a := uint32(p.at >> 32)
		out, _ := netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}).Prefix(min(bits, 32))
		return out
	}
	var a [16]byte
	for i := range 8 {
		a[i] = byte(p.at >> (56 - 8*i))
	}
	out, _ := netip.AddrFrom16(a).Prefix(bits)
	return out
}

// hostSet is a set of addresses on trial.
type hostSet struct {
	values   []string
	keys     map[place]bool // hosts, or nil for prefixes
	nets     []netip.Prefix
	coverage float64 // share of the marked requests that came from it
	hit      float64 // share of the legitimate ones
}

// has says whether t came from the set.
func (h *hostSet) has(t *text) bool {
	if h.keys != nil {
		return h.keys[t.from]
	}
	p := t.from.point()
	i, found := slices.BinarySearchFunc(h.nets, p, func(n netip.Prefix, p point) int {
		q := placeOf(n.Addr().As16(), n.Addr().Is4()).point()
		return cmp.Or(compareSix(q.six, p.six), cmp.Compare(q.at, p.at))
	})
	if found {
		return true
	}
	return i > 0 && h.nets[i-1].Contains(p.prefix(64).Addr())
}

// String is the place as a condition names it.
func (p place) String() string {
	if x := p.point(); x.six {
		return x.prefix(64).String()
	}
	return netip.AddrFrom4([4]byte{byte(p >> 24), byte(p >> 16), byte(p >> 8), byte(p)}).String()
}

func compareSix(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// suspect is a host with what it costs to block it.
type suspect struct {
	*host
	legit float32 // legitimate requests that came from it meanwhile
}

// suspects lists the hosts of the book, those first that cost least for what they
// stop.
func (s *service) suspects(ep *episode) (list []suspect, marked uint64) {
	b := ep.book
	from := ep.before()
	span := float32(max(s.second-from, 1))
	for i := range b.hosts.slots {
		h := &b.hosts.slots[i]
		if h.from == 0 || h.marked == 0 {
			continue
		}
		x := suspect{h, b.people(h)}
		if ep.sig == nil && s.sharedInFlood(h) {
			marked += uint64(h.marked)
			continue
		}
		switch c := s.clients.find(h.from.client(s.d.reader.seed)); {
		case c == nil || !c.rounded() && c.flags&clientVaried == 0:
		case ep.sig == nil && ep.peopled(c):
			// All that an actor does is marked, but people are behind this address,
			// who load what belongs to a page: it is not proposed in any way.
			marked += uint64(h.marked)
			continue
		case int64(c.first) < from && !h.actor():
			// Who was here before as a visitor goes on as one.
			before := float32(c.n) - float32(c.asked)
			x.legit = max(x.legit, before*min(span/float32(max(from-int64(c.first), 1)), 1))
		}
		marked += uint64(h.marked)
		if h.innocent() > 0 && !h.actor() && b.doubt(h) {
			x.legit = max(x.legit, float32(h.innocent()))
		}
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b suspect) int {
		return cmp.Or(cmp.Compare(a.legit/float32(a.marked), b.legit/float32(b.marked)), cmp.Compare(b.marked, a.marked), cmp.Compare(a.from, b.from))
	})
	return list, marked
}

// peopled says that people are behind an actor's address, too: much of what it asks
// for is there, and among it is what belongs to a page.
func (ep *episode) peopled(c *client) bool {
	if ep.class == finding.PathScanning || ep.class == finding.CredentialStuffing {
		return c.static >= 3 && c.good*4 >= c.n
	}
	return c.static >= 3 && c.refs > 0 && c.userAgents() > 1
}

// sharedInFlood says that the address of an actor is one where a flood's bots and
// people meet: a flood of paths that do not exist makes scanners of all of them.
func (s *service) sharedInFlood(h *host) bool {
	if b := s.eps[epFlood].book; b != nil && s.eps[epFlood].open {
		if x := b.hosts.find(h.from); x != nil && 4*b.people(x) > float32(x.marked) {
			h.other |= hostShared
		}
	}
	return h.other&hostShared != 0
}

// measureMissed estimates how many requests of an attacking address are not marked,
// for each that is: of the usual address, since few are people's as well.
func (b *casebook) measureMissed() {
	var ratios []float32
	for i := range b.hosts.slots {
		if h := &b.hosts.slots[i]; h.from != 0 && h.marked >= 4 {
			ratios = append(ratios, float32(h.innocent())/float32(h.marked))
		}
	}
	b.missed = 0
	if len(ratios) >= 8 {
		slices.Sort(ratios)
		b.missed = min(ratios[len(ratios)/2], 0.5)
	}
}

// people is how many requests of h, of those not marked, are more than the attack's
// own that were missed.
func (b *casebook) people(h *host) float32 {
	own := b.missed * float32(h.marked)
	return max(float32(h.innocent())-2*own-2*float32(math.Sqrt(float64(own))), 0)
}

// doubt says that h may as well be of people, some of whose requests were marked by
// mistake: it is a matter of what is marked of an address of each kind.
func (b *casebook) doubt(h *host) bool {
	const (
		ofPeople = 0.15 // of the requests of those people who have any
		enough   = 2.5
	)
	own := max(1/(1+float64(b.missed)), 2*ofPeople)
	odds := float64(h.marked)*math.Log(own/ofPeople) + float64(h.innocent())*math.Log((1.001-own)/(1-ofPeople))
	return odds < enough
}

// before is the second up to which a client that was here was here before the
// attack, whose beginning is only estimated.
func (ep *episode) before() int64 { return ep.started/1e9 - 15 }

// hostSets proposes sets of addresses: those that cost next to nothing; where
// these are too many, the prefixes that hold nothing else; and the addresses that
// people share with the attack, which may do in conjunction with something else.
func (s *service) hostSets(ep *episode) (sets []hostSet, shared *hostSet) {
	b := ep.book
	list, marked := s.suspects(ep)
	if len(list) == 0 {
		return nil, nil
	}
	all := float64(marked + b.hosts.lost)
	innocent := float64(max(b.innocent, 1))
	list = dropStray(list, all)
	budget, cost := setBudget*innocent, 0.0
	cut := len(list)
	for i := range list {
		if cost += float64(list[i].legit); cost > budget && list[i].legit > 0 {
			cut = i
			break
		}
	}
	good := list[:cut]
	// Most that cost something are people who were marked by mistake: what they ask
	// for, new as they are, nobody has counted, so no conjunction makes it safe.
	rest := slices.DeleteFunc(slices.Clone(list[cut:]), func(x suspect) bool { return !x.actor() && b.doubt(x.host) })
	if len(rest) > 0 {
		x := single(rest, all, innocent)
		shared = &x
	}
	if len(good) == 0 {
		return nil, shared
	}
	one := single(good, all, innocent)
	sets = append(sets, one)
	if len(good) > finding.MaxValues || float64(b.hosts.lost) > 0.02*all {
		if x, ok := s.prefixSet(ep, good); ok {
			sets = append(sets, x)
		}
	}
	return sets, shared
}

// dropStray leaves hosts with few marked requests out, as long as that costs little.
func dropStray(list []suspect, all float64) []suspect {
	for n := uint32(1); n <= strayMax; n++ {
		var sum float64
		for _, x := range list {
			if x.marked <= n && !x.actor() {
				sum += float64(x.marked)
			}
		}
		if sum > straySum*all || sum == 0 {
			continue
		}
		list = slices.DeleteFunc(list, func(x suspect) bool { return x.marked <= n && !x.actor() })
	}
	return list
}

// single lists addresses one by one, the busiest first.
func single(list []suspect, all, innocent float64) hostSet {
	list = slices.Clone(list)
	if len(list) > finding.MaxValues {
		slices.SortStableFunc(list, func(a, b suspect) int { return cmp.Compare(b.marked, a.marked) })
		list = list[:finding.MaxValues]
	}
	set := hostSet{keys: make(map[place]bool, len(list)), values: make([]string, 0, len(list))}
	for _, x := range list {
		set.keys[x.from] = true
		set.values = append(set.values, x.from.String())
		set.coverage += float64(x.marked) / all
		set.hit += float64(x.legit) / innocent
	}
	return set
}

// prefixSet lists the prefixes that hold hosts and nobody else, as long as
// possible: each step towards shorter ones is tested on people whom the choice
// did not know.
func (s *service) prefixSet(ep *episode, good []suspect) (hostSet, bool) {
	points := s.people(ep)
	var people float32
	for _, p := range points {
		people += p.w
	}
	if people == 0 {
		return hostSet{}, false
	}
	for _, x := range good {
		p := x.from.point()
		p.attack, p.w = true, float32(x.marked)
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(compareSix(a.six, b.six), cmp.Compare(a.at, b.at), cmp.Compare(b.w, a.w))
	})
	six, _ := slices.BinarySearchFunc(points, true, func(p point, _ bool) int { return compareSix(p.six, true) })
	all := cutter{}
	hit := all.shorten(points[:six], people, []int{32, 24, 22, 20, 18, 16, 14})
	hit += all.shorten(points[six:], people, []int{64, 48, 44, 40, 36, 32})
	set := all.set(ep.book)
	set.hit = float64(hit)
	return set, true
}

// folds is in how many parts people are divided: what a choice hits of one part
// that it did not know, summed, is what it will hit of people who are yet to come.
const folds = 6

// shorten finds prefixes in points, at least as long as the shortest of a ladder of
// lengths that people allow, and says which share of these they hit.
func (c *cutter) shorten(points []point, people float32, ladder []int) (hit float32) {
	best := cutter{fold: folds, shortest: ladder[0]}
	best.cut(points, 0)
	for _, shortest := range ladder[1:] {
		var strange float32
		for fold := range uint8(folds) {
			part := cutter{fold: fold, shortest: shortest}
			part.cut(points, 0)
			strange += part.hit / people
		}
		if strange > netBudget/2 {
			break
		}
		next := cutter{fold: folds, shortest: shortest}
		next.cut(points, 0)
		best, hit = next, strange
	}
	c.found = append(c.found, best.found...)
	return hit
}

// usualRequests is what a client of whom nothing is known yet will ask for. Busier
// ones are known, and their prefixes never taken.
const usualRequests = 16

// people are the addresses that are known to be legitimate, in their folds.
func (s *service) people(ep *episode) (points []point) {
	b := ep.book
	from := ep.before()
	for i := range s.clients.slots {
		c := &s.clients.slots[i]
		if c.key == 0 || c.class != 0 || int64(c.first) >= from {
			continue
		}
		if h := b.hosts.find(placeOf(c.addr, is4(c.addr))); h != nil && h.marked > h.innocent() {
			continue
		}
		p := placeOf(c.addr, is4(c.addr)).point()
		p.fold, p.w = uint8(mix(c.key)>>9%folds), float32(min(c.n, usualRequests))
		points = append(points, p)
	}
	for _, texts := range [...][]text{s.sampler.base, b.legit.texts} {
		for i := range texts {
			t := &texts[i]
			if h := b.hosts.find(t.from); h != nil && h.marked > h.innocent() || int64(t.second) >= from && !s.visits(t.key, from) {
				continue
			}
			p := t.from.point()
			p.fold, p.w = uint8(mix(t.key)>>9%folds), 1
			points = append(points, p)
		}
	}
	return points
}
