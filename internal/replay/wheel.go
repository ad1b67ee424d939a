package replay

// wheel is a timing wheel of two levels over a slab of sessions, linked by
// index: putting and taking cost no allocation and touch one session each
// (Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987).
type wheel struct {
	sessions []session
	free     int32 // head of the free list

	near []int32 // slots of slotNanos
	far  []int32 // slots of len(near) slots
	now  int64   // the slot that comes next, since the scenario's start

	live int
	lost uint64 // sessions that would have gone on beyond the wheel's horizon
}

const (
	slotNanos = int64(10e6) // 10 ms
	nearSlots = 4096        // 41 s
	farSlots  = 1024        // 11.6 h
	none      = int32(-1)
)

// session is one running session: where its device is in its program. 72 bytes,
// no pointers.
type session struct {
	due     int64  // ns since the scenario's start
	hi, lo  uint64 // address; hi is 0 for IPv4
	id      uint64 // session, account and device identifiers derive from it
	rnd     uint64 // the state of its own rng: what it does depends on nobody else
	next    int32
	agent   uint16 // index into the site's agents
	program uint16
	page    uint16 // last page: item of pageRoute
	step    uint8
	left    uint8 // repetitions of the step still to come
	retries uint8
	class   Class
	device  uint8
	pageOf  uint8 // route of the last page
	seen    bool  // a page was seen
	running bool
}

func newWheel() *wheel {
	w := &wheel{free: none, near: make([]int32, nearSlots), far: make([]int32, farSlots)}
	for i := range w.near {
		w.near[i] = none
	}
	for i := range w.far {
		w.far[i] = none
	}
	return w
}

// alloc gives a session to fill; its index stays valid, pointers only until the
// next alloc.
func (w *wheel) alloc() int32 {
	w.live++
	if i := w.free; i != none {
		w.free = w.sessions[i].next
		w.sessions[i] = session{running: true}
		return i
	}
	w.sessions = append(w.sessions, session{running: true})
	return int32(len(w.sessions) - 1)
}

func (w *wheel) release(i int32) {
	w.live--
	w.sessions[i].running = false
	w.sessions[i].next = w.free
	w.free = i
}

// put schedules a session for its due time; what is past is due in the next slot.
func (w *wheel) put(i int32) {
	slot := max(w.sessions[i].due/slotNanos, w.now)
	head := &w.near[slot%nearSlots]
	if slot/nearSlots != w.now/nearSlots {
		if slot/nearSlots-w.now/nearSlots >= farSlots {
			w.lost++
			w.release(i)
			return
		}
		head = &w.far[slot/nearSlots%farSlots]
	}
	w.sessions[i].next = *head
	*head = i
}

// take removes what is due in the slot that comes next, as a list linked by next,
// and moves on.
func (w *wheel) take() int32 {
	head := &w.near[w.now%nearSlots]
	list := *head
	*head = none
	w.now++
	if w.now%nearSlots == 0 { // the next 41 s: spread them over the near slots
		far := &w.far[w.now/nearSlots%farSlots]
		i := *far
		*far = none
		for i != none {
			next := w.sessions[i].next
			w.put(i)
			i = next
		}
	}
	return list
}
