package detect

import (
	"fmt"
)

func (r *result) detail() {
	for _, f := range r.found {
		fmt.Printf("  %s conf %.2f %s → %s closed %s req %d\n", f.Class, f.Confidence, f.StartedAt.Format("15:04:05"), f.DetectedAt.Format("15:04:05"), f.ClosedAt.Format("15:04:05"), f.Requests)
		for _, e := range f.Evidence {
			fmt.Printf("    %-8s %-20s %.3f (%.3f)\n", e.Points, e.Dimension, e.Value, e.Normal)
		}
		for i, a := range f.Actors {
			if i < 14 {
				fmt.Printf("    actor %-10s %-60.60s share %.3f lift %.1f\n", a.Kind, a.Value, a.Share, a.Lift)
			}
		}
		for i, a := range f.Rules {
			if i < 4 {
				fmt.Printf("    rule %s cov %.3f hit %.4f\n", a.Kind, a.Coverage, a.LegitimateHit)
			}
		}
	}
}

func trace(d *Detector, from, to int64) {
	for _, s := range d.order {
		if rel := s.second - s.v.began; rel < from || rel > to {
			return
		}
		o := s.last
		fmt.Printf("t+%d rate %.0f/%.0f exp %.0f score %.2f share %.3f base %.3f strange %.2f known %.2f rnd %.2f fresh %.2f/%.2f open %v looks %b ref %d rows %d\n", s.second-s.v.began, s.rate(1), s.rate(10), s.pace.expected(s.second), o.score, o.share, o.base, o.strange, o.known, o.rounded, o.fresh[0], o.fresh[1], s.open, s.eps[0].looks, len(s.ref.rows), len(s.slot(0).rows))
	}
}

func lifts(d *Detector) {
	x := &d.x
	s := d.order[0]
	x.rows, x.ticks = s.gather(x.rows, 10, lookRows, false), 10
	s.ref.build(s.second)
	x.measure(&s.ref)
	x.judge(&s.ref, s.rate(10), 0.04, 5)
	x.measure(&s.ref)
	for d := range dims {
		if groupOf[d] == groups {
			continue
		}
		hist := [6]float32{}
		var sum float32
		top := map[uint32]float32{}
		for i := range x.rows {
			r := &x.rows[i]
			if x.post[i] <= 0 {
				continue
			}
			st := x.stratum(d, r)
			c, of := x.now.at(cell(d, st, r.val[d])), x.now.at(cell(d, st, total))
			p, ok := s.ref.share(d, r, r.val[d])
			sum += r.w
			top[r.val[d]] += r.w
			if !ok || of.w == 0 {
				hist[5] += r.w
				continue
			}
			l := c.w / of.w / p
			switch {
			case l < 1.3:
				hist[0] += r.w
			case l < 2:
				hist[1] += r.w
			case l < 4:
				hist[2] += r.w
			case l < 8:
				hist[3] += r.w
			default:
				hist[4] += r.w
			}
		}
		for i := range hist {
			hist[i] /= sum
		}
		best := float32(0)
		for _, w := range top {
			best = max(best, w/sum)
		}
		fmt.Printf("  dim %2d lift <1.3 %.2f <2 %.2f <4 %.2f <8 %.2f more %.2f none %.2f | top %.2f of %d\n", d, hist[0], hist[1], hist[2], hist[3], hist[4], hist[5], best, len(top))
	}
}

func traceAuth(s *service) {
	x := &s.d.x
	var tries, refused uint64
	for i := range min(60, int(s.tick)) {
		tries += s.slot(i).tries
		refused += s.slot(i).refused
	}
	x.rows, x.ticks = s.gather(x.rows, 60, 4*lookRows, true), 60
	all := len(x.rows)
	s.refAuth.build(s.second)
	sub := 0
	sub = len(s.refAuth.rows)
	x.measure(&s.refAuth)
	_, x.refused = s.refusals(60)
	op := x.judge(&s.refAuth, 1, authShare, 0)
	fmt.Printf("auth t+%d tries %d refused %d rows %d/%d ref %d (%d refused) score %.2f share %.2f base %.3f strange %.2f excess %.2f clients %.0f masks", s.second-s.v.began, tries, refused, len(x.rows), all, len(s.refAuth.rows), sub, op.score, op.share, op.base, op.strange, x.refused, op.clients)
	for g := range groups {
		n := 0
		for i := range x.mask {
			if x.mask[i]&(1<<g) != 0 {
				n++
			}
		}
		fmt.Printf(" %d", n)
	}
	fmt.Println()
	seen := map[uint32]bool{}
	for i := range x.rows {
		r := &x.rows[i]
		if v := r.val[dimAgent]; !seen[v] {
			seen[v] = true
			st := x.stratum(dimAgent, r)
			c, of := x.now.peek(cell(dimAgent, st, v)), x.now.peek(cell(dimAgent, st, total))
			p, ok := s.refAuth.share(dimAgent, r, v)
			if c != nil && of != nil {
				fmt.Printf("   agent n %d clients %d of %d p %.4f %v note %v\n", c.n, c.clients(), of.n, p, ok, c.note)
			} else {
				fmt.Printf("   agent %d none\n", v)
			}
		}
	}
	x.refused = 0
}

func heavies(s *service) {
	for i := range s.clients.slots {
		if c := &s.clients.slots[i]; c.tries > 20 {
			fmt.Printf("  n %d dyn %d tries %d refused %d good %d bad %d lost %d uas %d gap %.2f sameSz %d rounded %v class %d accts %d\n", c.n, c.dyn, c.tries, c.refused, c.good, c.bad, c.lost, c.userAgents(), c.gap, c.sameSz, c.rounded(), c.class, countBits(c.accts))
		}
	}
}
