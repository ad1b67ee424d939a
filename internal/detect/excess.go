package detect

import "math"

// group is a dimension of evidence that is independent of the other groups: the
// features in one group say the same thing in several ways, and count once.
type group uint8

const (
	groupAgent   group = iota // who they say they are
	groupNetwork              // where they come from
	groupSession              // what their sessions look like
	groupRhythm               // how regular they are
	groupQuery                // what they ask for never repeats
	groupHold                 // they hold connections
	groupPath                 // weak: a crowd has a destination too
	groupAge                  // weak: a crowd is new too
	groupOutcome              // weak: errors may be the site's doing
	groups
)

var groupOf = [dims]group{
	dimPath: groupPath, dimKind: groups, dimAgent: groupAgent, dimExact: groups, dimNet16: groupNetwork,
	dimNet24: groupNetwork, dimClient: groupNetwork, dimSession: groupSession, dimRhythm: groupRhythm,
	dimChurn: groupAgent, dimQuery: groupQuery, dimAge: groups, dimOutcome: groupOutcome,
	dimJA4: groupAgent, dimHold: groupHold,
}

func (g group) strong() bool { return g < groupPath }

const (
	// liftBar is how many times more often than in the baseline a value must
	// occur, among the requests for the same path, to be strange. Crowds move
	// weight between values that the baseline knows, by less than this.
	liftBar = 4.0
	// pathRows is how many sampled requests make a path a stratum of its own.
	pathRows = 20
)

// excess compares the rows of a window with the reference. Its memory is reused
// from one service to the next.
type excess struct {
	rows []row
	n    float32 // weight of all rows
	mask []uint16
	post []float32 // log odds that the row is of the attack
	now  tally
	att  tally
	leg  tally
	tie  float32 // weight of one row of the reference in leg
}

// measure marks, for each row, in which groups its value is strange: more than
// liftBar times its expected share, and too often for chance.
func (x *excess) measure(ref *reference) {
	x.now.reset(1 << 16)
	x.n = 0
	for i := range x.rows {
		r := &x.rows[i]
		x.n += r.w
		x.add(dimPath, 0, r.val[dimPath], r)
	}
	for i := range x.rows {
		r := &x.rows[i]
		for d := range dims {
			if d != dimPath && r.val[d] != 0 && groupOf[d] != groups {
				x.add(d, x.stratum(d, r), r.val[d], r)
			}
		}
	}
	x.mask = append(x.mask[:0], make([]uint16, len(x.rows))...)
	for i := range x.rows {
		r := &x.rows[i]
		for d := range dims {
			if r.val[d] == 0 || groupOf[d] == groups {
				continue
			}
			if x.strange(d, r, ref) {
				x.mask[i] |= 1 << groupOf[d]
			}
		}
	}
}

func (x *excess) add(d dim, stratum uint64, v uint32, r *row) {
	for _, v := range [...]uint32{v, total} {
		if s := x.now.at(cell(d, stratum, v)); s != nil {
			s.w += r.w
			s.n++
			s.e = -1 // not judged yet
		}
	}
}

func (x *excess) stratum(d dim, r *row) uint64 {
	if strata[d] == stratumNone {
		return 0
	}
	if s := x.now.at(cell(dimPath, 0, r.val[dimPath])); s != nil && s.n >= pathRows {
		return pathStratum(d, r)
	}
	return classStratum(d, r)
}

// strange judges a cell once and remembers the answer in its slot.
func (x *excess) strange(d dim, r *row, ref *reference) bool {
	st := x.stratum(d, r)
	s := x.now.at(cell(d, st, r.val[d]))
	if s == nil {
		return false
	}
	if s.e >= 0 {
		return s.e > 0
	}
	s.e = 0
	p, ok := ref.share(d, r, r.val[d])
	of := x.now.at(cell(d, st, total))
	if !ok || of == nil || of.w == 0 {
		return false
	}
	expect := float64(of.n) * float64(p)
	if s.w/of.w >= liftBar*p && float64(s.n) > expect+4*math.Sqrt(expect)+3 {
		s.e = 1
	}
	return s.e > 0
}
