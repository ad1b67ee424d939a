package detect

// manners remembers how often the clients of each kind of user agent come by in
// which way: decayed counts of far more rows than a reservoir holds, since a kind,
// at a stage, asking for a class of things, is a small part of them.
type manners struct {
	slots []mannerSlot
	ticks int
	odd   [2]float32 // of the rows that it learned: those that were odd then, all
}

type mannerSlot struct {
	key uint32
	n   float32
}

const (
	mannerSlots = 4096
	mannerHalf  = 400  // ticks after which a count is worth half
	mannerLeast = 30   // rows of a kind, at a stage, for a class, before it has a say
	oddShare    = 0.02 // a way in which fewer of its kind come by is odd
	oddKnown    = 1000 // rows that were held against it before how many are odd is known
)

const (
	doubtFor  = 30  // s after a look that saw half of an attack, in which no manners are learned
	doubtMost = 900 // s of such looks after which they are: the site has changed
)

// doubt notes that a look saw half of what makes an attack.
func (s *service) doubt() {
	if s.second-s.doubted[1] > doubtFor {
		s.doubted[0] = s.second
	}
	s.doubted[1] = s.second
}

// doubtful says that manners had better not be learned now.
func (s *service) doubtful() bool {
	return s.second-s.doubted[1] <= doubtFor && s.second-s.doubted[0] <= doubtMost
}

// at finds the slot of key; nil when it has none and there is no room near its
// place, or none is to be made.
func (m *manners) at(key uint32, add bool) *mannerSlot {
	h := mix(uint64(key))
	var free *mannerSlot
	for i := range uint64(8) {
		s := &m.slots[(h+i)%mannerSlots]
		if s.key == key {
			return s
		}
		if s.key == 0 || s.n < 0.5 {
			if free == nil {
				free = s
			}
			if s.key == 0 {
				break
			}
		}
	}
	if free == nil || !add {
		return nil
	}
	*free = mannerSlot{key: key}
	return free
}

// keysOf are the cells that a value counts in: its own and all of its kind, stage
// and class; the same over all kinds.
func keysOf(v uint32) (own, all, anyOwn, anyAll uint32) {
	const shape = 1<<mannerBits - 1
	k := uint32(mix(uint64(v>>mannerBits)*0x9e3779b97f4a7c15) >> 16)
	g := uint32(mix(uint64(v>>mannerBits&0x5f|1<<30)*0x9e3779b97f4a7c15) >> 16)
	s := v&shape + 1
	return k ^ s*0x85ebca6b | 1, k | 1, g ^ s*0x85ebca6b | 1, g | 1
}

// learn counts the rows of an ordinary tick.
func (m *manners) learn(rows []row) {
	if m.slots == nil {
		m.slots = make([]mannerSlot, mannerSlots)
	}
	if m.ticks++; m.ticks%mannerHalf == 0 {
		for i := range m.slots {
			m.slots[i].n /= 2
		}
		m.odd[0], m.odd[1] = m.odd[0]/2, m.odd[1]/2
	}
	for i := range rows {
		v := rows[i].val[dimManner]
		if v == 0 || rows[i].flags&(rowMarked|rowEarly) != 0 {
			continue
		}
		if p, ok := m.share(v); ok {
			m.odd[1]++
			if p < oddShare {
				m.odd[0]++
			}
		}
		m.count(v)
		if v&mannerSpared == 0 {
			m.count(spared(v))
		}
	}
}

func (m *manners) count(v uint32) {
	a, b, c, d := keysOf(v)
	for _, key := range [...]uint32{a, b, c, d} {
		if s := m.at(key, true); s != nil {
			s.n++
		}
	}
}

func (m *manners) get(key uint32) float32 {
	if s := m.at(key, false); s != nil {
		return s.n
	}
	return 0
}

// share is how probable v's shape is, given its kind, stage and class; false when
// too little is known of those.
func (m *manners) share(v uint32) (float32, bool) {
	if m.slots == nil {
		return 0, false
	}
	const smoothing = 4
	own, all, anyOwn, anyAll := keysOf(v)
	n := m.get(all)
	if n < mannerLeast {
		return 0, false
	}
	general := (m.get(anyOwn) + 0.5) / (m.get(anyAll) + 10)
	return (m.get(own) + smoothing*general) / (n + smoothing), true
}

// oddly marks the rows whose clients come by as hardly any of their kind do, if such
// rows together are far more common than in ordinary traffic: bots of a few
// machines each, under many kinds of name, need not make a single way common.
func (x *excess) oddly(m *manners) {
	if m.slots == nil || m.odd[1] < oddKnown {
		return
	}
	var odd, n float32
	var who [4]uint64
	for i := range x.rows {
		r := &x.rows[i]
		if r.val[dimManner] == 0 {
			continue
		}
		p, ok := m.share(r.val[dimManner])
		if !ok {
			continue
		}
		n += r.w
		if p < oddShare && r.flags&(rowRetry|rowShared) == 0 {
			x.mask[i] |= oddly
			odd += r.w
			who[r.key>>46&3] |= 1 << (r.key >> 40 & 63)
		}
	}
	clients := countBits(who[0]) + countBits(who[1]) + countBits(who[2]) + countBits(who[3])
	if usual := (m.odd[0] + 1) / m.odd[1]; odd < liftBar*usual*n || odd < rareShare*n || clients < rareClients {
		for i := range x.mask {
			x.mask[i] &^= oddly
		}
		return
	}
	// What pages are made of is not foreign, but from clients whose pages are.
	var clientsOf [128]uint64
	bit := func(r *row) (*uint64, uint64) { return &clientsOf[r.key>>40&127], 1 << (r.key >> 34 & 63) }
	for _, static := range [...]bool{false, true} {
		for i := range x.mask {
			r := &x.rows[i]
			if x.mask[i]&oddly == 0 || r.class.static() != static {
				continue
			}
			x.mask[i] |= 1 << groupSession
			word, b := bit(r)
			switch {
			case theSites(r.val[dimOutcome]):
			case !static:
				*word |= b
				x.mask[i] |= foreign
			case *word&b != 0:
				x.mask[i] |= foreign
			}
		}
	}
}

// oddly marks, in a row's mask, a client that comes by as hardly any of its kind do.
const oddly uint16 = 1 << 14
