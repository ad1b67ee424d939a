package detect

import "math"

// reference is what ordinary traffic is made of: a reservoir of its rows, and
// how often each value occurs in it — over all, within a class of paths, and
// within a path — so that a surge on one path is compared with who asked for
// that path before, not with everybody.
type reference struct {
	rows   []row
	limit  int
	tally  rowCount
	built  bool
	stale  int           // rows replaced since the tally was built
	madeAt int64         // second
	ways   manners       // how the clients of each kind come by
	rare   [dims]float32 // share of rows whose value one client alone has
	top    [3]float32    // largest share of a client, /24 and /16 in a window of ten ticks
	tops   int           // windows learned
	ages   [3]float32    // rows by dimAge
	span   uint16        // s: no longer have its clients been seen to stay, but a few
}

const (
	baselineRows     = 3072
	baselineAuthRows = 768
	baselineMemory   = 600 // s of traffic that the reservoir stands for, once it is full

	strataRows = 30 // a class of paths with fewer rows has no say;
	pathLeast  = 4  // a path says a little with fewer, towards which it is smoothed
)

// learn puts rows of ordinary traffic into the reservoir: while the service is
// young all times count alike, later the last baselineMemory seconds do.
func (b *reference) learn(rows []row, age int64, r *rng) {
	var sum float32
	for i := range rows {
		if rows[i].flags&rowMarked == 0 {
			sum += rows[i].w
		}
	}
	if sum == 0 {
		return
	}
	want := max(int64(b.limit)/max(min(age, baselineMemory), 1), 1)
	n := min(int(want), len(rows))
	if len(b.rows) < b.limit {
		n = max(n, min(len(rows), 64))
	}
	// Systematic sampling by weight: one draw every step.
	step := sum / float32(n)
	next := step * float32(r.float())
	for i := range rows {
		if rows[i].flags&rowMarked != 0 {
			continue
		}
		for next -= rows[i].w; next < 0; next += step {
			b.put(&rows[i], r)
		}
	}
}

// learnTop remembers the largest shares: at once when they grow, slowly when not.
func (b *reference) learnTop(top [3]float32) {
	b.tops++
	for i, t := range top {
		if t > b.top[i] {
			b.top[i] = t
		} else {
			b.top[i] += (t - b.top[i]) / 60
		}
	}
}

func (b *reference) put(r *row, rnd *rng) {
	var to *row
	if len(b.rows) < b.limit {
		b.rows = append(b.rows, row{})
		to = &b.rows[len(b.rows)-1]
	} else {
		to = &b.rows[rnd.next()%uint64(len(b.rows))]
	}
	*to = *r
	to.w = 1
	b.stale++
}

// build brings the tally up to date, when enough changed to matter.
func (b *reference) build(second int64) {
	if b.built && (b.stale*10 < len(b.rows) || second-b.madeAt < 3) {
		return
	}
	b.built, b.stale, b.madeAt = true, 0, second
	b.tally.reset(min(len(b.rows)*16, 1<<16))
	for i := range b.rows {
		r := &b.rows[i]
		for d := range dims {
			if r.val[d] == 0 {
				continue
			}
			b.count(d, 0, r.val[d], r.key)
			if strata[d] != stratumNone {
				b.count(d, classStratum(d, r), r.val[d], r.key)
				b.count(d, pathStratum(d, r), r.val[d], r.key)
			}
		}
	}
	b.measureRare()
	b.ages = [3]float32{}
	for i := range b.rows {
		b.ages[b.rows[i].val[dimAge]]++
	}
	b.span = math.MaxUint16
	if b.limit == baselineRows { // of refused sign-ins, an old client's speak of a slow list
		b.measureSpan()
	}
}

const (
	spanStep  = 8    // s
	spanShare = 0.03 // of the rows: fewer say nothing of what clients do so late
)

// measureSpan finds how long ordinary clients have been seen to stay: no longer than
// the log lasts, or did until an attack or a crowd came.
func (b *reference) measureSpan() {
	var lives [256]int
	for i := range b.rows {
		lives[min(int(b.rows[i].life/spanStep), len(lives)-1)]++
	}
	n, last := 0, len(lives)-1
	for ; last > 0; last-- {
		if n += lives[last]; float32(n) >= spanShare*float32(len(b.rows)) {
			break
		}
	}
	if b.span = uint16(last+1) * spanStep; last == len(lives)-1 {
		b.span = math.MaxUint16
	}
}

// aged is how many rows are of a time at which it was known who was here before.
func (b *reference) aged() float32 { return b.ages[1] + b.ages[2] }

func (b *reference) count(d dim, stratum uint64, v uint32, key uint64) {
	for _, v := range [...]uint32{v, total} {
		b.tally.add(cell(d, stratum, v), key)
	}
}

// isRare says that at most one client of the reference has v.
func (b *reference) isRare(d dim, v uint32) bool {
	return !b.tally.several(cell(d, 0, v))
}

// measureRare estimates how much of ordinary traffic the reference does not know.
func (b *reference) measureRare() {
	for d := range dims {
		if !poolsRare(d) {
			continue
		}
		n, rare := float32(1), float32(1)
		for i := range b.rows {
			if v := b.rows[i].val[d]; v != 0 {
				n++
				if b.isRare(d, v) {
					rare++
				}
			}
		}
		b.rare[d] = rare / n
	}
}

type stratumKind uint8

const (
	stratumNone  stratumKind = iota
	stratumRoute             // class or path
	stratumAtAge             // class or path, and the client's stage
)

// strata says what a dimension's expectation hangs on. A session's shape hangs
// on how long it has lasted: without that, a crowd of arrivals would look
// strange for being new.
var strata = [dims]stratumKind{
	dimAgent: stratumRoute, dimNet16: stratumRoute, dimNet24: stratumRoute, dimJA4: stratumRoute,
	dimQuery: stratumRoute, dimOutcome: stratumRoute, dimHold: stratumRoute,
	dimSession: stratumAtAge, dimFollow: stratumAtAge, dimRhythm: stratumAtAge, dimChurn: stratumAtAge,
}

func classStratum(d dim, r *row) uint64 {
	s := 1 + uint64(r.class)
	if strata[d] == stratumAtAge {
		s |= uint64(r.stage+1) << 8
	}
	return s
}

func pathStratum(d dim, r *row) uint64 {
	s := 1<<56 | uint64(r.val[dimPath])
	if strata[d] == stratumAtAge {
		s |= uint64(r.stage+1) << 40
	}
	return s
}

// share is the probability of value v of d in ordinary traffic, given the path
// where enough is known of it, else given the class of path, else over all;
// false when nothing can be said. Rare values are smoothed towards the more
// general stratum (Dirichlet, smoothing pseudo-rows), and at the end towards one
// row in twice the reservoir.
func (b *reference) share(d dim, r *row, v uint32) (float32, bool) {
	if d == dimManner {
		return b.ways.share(v)
	}
	all := b.tally.get(cell(d, 0, total))
	if all < strataRows {
		return 0, false
	}
	const smoothing = 8
	p := (b.tally.get(cell(d, 0, v)) + 0.5) / (all + 1)
	if strata[d] == stratumNone {
		return p, true
	}
	known := false
	for i, s := range [...]uint64{classStratum(d, r), pathStratum(d, r)} {
		least := float32(strataRows)
		if i == 1 && strata[d] == stratumRoute {
			least = pathLeast
		}
		if n := b.tally.get(cell(d, s, total)); n >= least {
			p = (b.tally.get(cell(d, s, v)) + smoothing*p) / (n + smoothing)
			known = true
		}
	}
	// A session's shape cannot be judged by sessions of another age.
	return p, known || strata[d] == stratumRoute
}

// rng is SplitMix64 (Steele et al. 2014): small, seeded, deterministic.
type rng uint64

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }
