package k8seventsreceiver

import (
	"container/list"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// told knows the newest events by uid, and up to which count they were told.
type told struct {
	mu     sync.Mutex
	limit  int
	newest *list.List                  // of saying, guarded by mu
	byUID  map[types.UID]*list.Element // guarded by mu
}

type saying struct {
	uid   types.UID
	count int32
}

func newTold(limit int) *told {
	return &told{limit: limit, newest: list.New(), byUID: map[types.UID]*list.Element{}}
}

// count gives up to which count an event was told, 0 if it wasn't or is forgotten.
func (t *told) count(uid types.UID) int32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byUID[uid]; e != nil {
		return e.Value.(*saying).count
	}
	return 0
}

// add remembers that an event was told, and forgets the one that was longest ago.
func (t *told) add(uid types.UID, count int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byUID[uid]; e != nil {
		e.Value.(*saying).count = count
		t.newest.MoveToFront(e)
		return
	}
	t.byUID[uid] = t.newest.PushFront(&saying{uid: uid, count: count})
	if t.newest.Len() > t.limit {
		delete(t.byUID, t.newest.Remove(t.newest.Back()).(*saying).uid)
	}
}
