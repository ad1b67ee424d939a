package detect

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/vigie-otel/vigie/internal/finding"
)

// cutter divides a line of addresses into prefixes without people, of those
// whom it knows: all but one fold (folds: all).
type cutter struct {
	fold     uint8
	shortest int
	found    []netPoint
	hit      float32 // weight of people of that fold in what it found
}

type netPoint struct {
	p    point
	bits int
	w    float32
	n    int
}

// cut handles points, which agree in their first depth bits.
func (c *cutter) cut(points []point, depth int) {
	var attackers int
	var w, unseen float32
	clean := true
	for i := range points {
		switch p := &points[i]; {
		case p.attack:
			attackers++
			w += p.w
		case p.fold == c.fold:
			unseen += p.w
		default:
			clean = false
		}
	}
	if attackers == 0 {
		return
	}
	limit := 32
	if points[0].six {
		limit = 64
	}
	if depth >= limit { // an address that people have, too
		return
	}
	if clean {
		// As long as holds them all: what is beyond is nobody's that is known.
		common := bits.LeadingZeros64(points[0].at ^ points[len(points)-1].at)
		if common >= limit || attackers == 1 {
			c.found = append(c.found, netPoint{firstAttacker(points), limit, w, attackers})
			return
		}
		if common >= c.shortest {
			c.hit += unseen
			c.found = append(c.found, netPoint{points[0], common, w, attackers})
			return
		}
		depth = common
	}
	if !clean && depth >= limit/4*3 && depth < limit {
		c.alone(points, limit) // among people, each for itself: it may be a carrier's
		return
	}
	bit := uint64(1) << (63 - depth)
	half, _ := slices.BinarySearchFunc(points, true, func(p point, _ bool) int {
		if p.at&bit != 0 {
			return 0
		}
		return -1
	})
	c.cut(points[:half], depth+1)
	c.cut(points[half:], depth+1)
}

// alone takes the addresses of points one by one, but those that people have.
func (c *cutter) alone(points []point, limit int) {
	for len(points) > 0 {
		n := 1
		for n < len(points) && points[n].at == points[0].at {
			n++
		}
		here := points[:n]
		points = points[n:]
		if slices.ContainsFunc(here, func(p point) bool { return !p.attack && p.fold != c.fold }) {
			continue
		}
		for _, p := range here {
			if p.attack {
				c.found = append(c.found, netPoint{p, limit, p.w, 1})
			}
		}
	}
}

func firstAttacker(points []point) point {
	for _, p := range points {
		if p.attack {
			return p
		}
	}
	return points[0]
}

// set takes the prefixes that stop most.
func (c *cutter) set(b *casebook) hostSet {
	slices.SortStableFunc(c.found, func(a, b netPoint) int { return cmp.Compare(b.w, a.w) })
	c.found = c.found[:min(len(c.found), finding.MaxValues)]
	var set hostSet
	for _, n := range c.found {
		p := n.p.prefix(n.bits)
		set.nets = append(set.nets, p)
		set.values = append(set.values, p.String())
	}
	slices.SortFunc(set.nets, func(a, b netip.Prefix) int {
		x, y := placeOf(a.Addr().As16(), a.Addr().Is4()).point(), placeOf(b.Addr().As16(), b.Addr().Is4()).point()
		return cmp.Or(compareSix(x.six, y.six), cmp.Compare(x.at, y.at))
	})
	// Of the sample, not of the table: it holds those too that the table lost.
	in, all := 0, 0
	for i := range b.attack.texts {
		all++
		if set.has(&b.attack.texts[i]) {
			in++
		}
	}
	set.coverage = float64(in) / float64(max(all, 1))
	return set
}
