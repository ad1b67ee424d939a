package warroomexporter

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// scopeKind is what one can drill down by.
type scopeKind string

const (
	services   scopeKind = "services"
	namespaces scopeKind = "namespaces"
	nodes      scopeKind = "nodes"
	pods       scopeKind = "pods"
)

var errKind = errors.New("kind must be services, namespaces, nodes or pods")

// scope is one service, namespace, node or pod. A pod's name is namespace/pod. An
// empty name is all of the kind.
type scope struct {
	kind scopeKind
	name string
}

func parseScope(kind, name string) (scope, error) {
	switch k := scopeKind(kind); k {
	case services, namespaces, nodes, pods:
		if len(name) > 512 {
			return scope{}, errors.New("name is longer than 512 bytes")
		}
		return scope{k, name}, nil
	}
	return scope{}, errKind
}

// pod splits a pod's name.
func (s scope) pod() (namespace, pod string) {
	namespace, pod, _ = strings.Cut(s.name, "/")
	return namespace, pod
}

// has reports whether what id is of belongs to the scope.
func (s scope) has(id *identity) bool {
	if s.name == "" {
		return true
	}
	switch s.kind {
	case services:
		return id.Service == s.name
	case namespaces:
		return id.Namespace == s.name
	case nodes:
		return id.Node == s.name
	default:
		ns, pod := s.pod()
		return id.Pod == pod && id.Namespace == ns
	}
}

// What bounds watches.
const (
	maxWatches   = 16
	watchedLogs  = 300
	watchedSpans = 500
	watchIdle    = 30 * time.Second // without a viewer who asks
)

// watch keeps the newest of one scope while somebody looks at it: in the ring of
// all, a quiet pod's lines are gone within a second.
type watch struct {
	scope scope
	since time.Time
	logs  *ring[logRow]
	spans *ring[spanRow]
	asked time.Time // guarded by watches.mu
}

type watches struct {
	n atomic.Int32 // len(all), for those who pass by

	mu  sync.Mutex
	all map[scope]*watch // guarded by mu; at most maxWatches
}

func newWatches() *watches { return &watches{all: map[scope]*watch{}} }

// ask returns the watch of a scope and begins it where there is none; nil where
// too many are looked at already. What seed gives is what is known before it.
func (ws *watches) ask(s scope, now time.Time, seed func(*watch)) *watch {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for k, w := range ws.all {
		if now.Sub(w.asked) > watchIdle && k != s {
			delete(ws.all, k)
		}
	}
	w := ws.all[s]
	if w == nil && len(ws.all) < maxWatches {
		w = &watch{scope: s, since: now, logs: newRing[logRow](watchedLogs), spans: newRing[spanRow](watchedSpans)}
		seed(w)
		ws.all[s] = w
	}
	if w != nil {
		w.asked = now
	}
	ws.n.Store(int32(len(ws.all)))
	return w
}

// of returns the watches that want what id is of.
func (ws *watches) of(id *identity, now time.Time) []*watch {
	if ws.n.Load() == 0 {
		return nil
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var out []*watch
	for k, w := range ws.all {
		if now.Sub(w.asked) <= watchIdle && k.has(id) {
			out = append(out, w)
		}
	}
	return out
}
