package warroomexporter

import (
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/names"
)

// hostName is what a node is called where Kubernetes does not name it.
const hostName = "host.name"

// What bounds the inventory.
const (
	maxIdentities  = 5000
	identityForget = 15 * time.Minute
	identityLook   = 10 * time.Second // full, each batch would look through all
)

// identity is whose a record or span is, as its resource says; empty: not said.
type identity struct {
	Service   string `json:"service"`
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	Node      string `json:"node,omitempty"`
}

// inventory remembers which service runs where, from what records and spans say.
// It is what leads from a service to its pods.
type inventory struct {
	mu     sync.Mutex
	all    map[identity]*sighting // guarded by mu; at most maxIdentities
	hidden uint64                 // guarded by mu: sightings beyond it
	forgot time.Time              // guarded by mu: when forget last looked through all
}

type sighting struct {
	id   identity // strings of our own, which rows share
	last time.Time
}

func newInventory() *inventory { return &inventory{all: map[identity]*sighting{}} }

// see returns whose res is, in strings that may be kept.
func (v *inventory) see(res pcommon.Resource, now time.Time) identity {
	var id identity
	host := ""
	for k, a := range res.Attributes().All() {
		switch k {
		case names.ServiceName:
			id.Service = a.Str()
		case names.K8sNamespaceName:
			id.Namespace = a.Str()
		case names.K8sPodName:
			id.Pod = a.Str()
		case names.K8sNodeName:
			id.Node = a.Str()
		case hostName:
			host = a.Str()
		}
	}
	if id.Node == "" {
		id.Node = host
	}
	if id.Service == "" {
		id.Service = "unknown"
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.all[id]; s != nil {
		s.last = now
		return s.id
	}
	own := identity{cut(id.Service, 128), cut(id.Namespace, 128), cut(id.Pod, 253), cut(id.Node, 253)}
	if len(v.all) >= maxIdentities && now.Sub(v.forgot) >= identityLook {
		v.forget(now)
	}
	if len(v.all) >= maxIdentities {
		v.hidden++
		return own
	}
	// Under what the resource says, not under what is shown: one that is cut or
	// mended is found again. Cloned, so that no record is held.
	key := identity{strings.Clone(id.Service), strings.Clone(id.Namespace), strings.Clone(id.Pod), strings.Clone(id.Node)}
	if len(key.Service)+len(key.Namespace)+len(key.Pod)+len(key.Node) > 1024 {
		return own // nobody's name is so long: not worth remembering
	}
	v.all[key] = &sighting{own, now}
	return own
}

// forget drops what was not seen for long. The caller holds mu.
func (v *inventory) forget(now time.Time) {
	v.forgot = now
	for k, s := range v.all {
		if now.Sub(s.last) > identityForget {
			delete(v.all, k)
		}
	}
}

// list returns who was seen lately, in order.
func (v *inventory) list(now time.Time) []identity {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forget(now)
	out := make([]identity, 0, len(v.all))
	for _, s := range v.all {
		out = append(out, s.id)
	}
	slices.SortFunc(out, func(a, b identity) int {
		return strings.Compare(a.Service+"\x00"+a.Namespace+"\x00"+a.Pod+"\x00"+a.Node, b.Service+"\x00"+b.Namespace+"\x00"+b.Pod+"\x00"+b.Node)
	})
	return slices.Compact(out)
}

// overflow is how many sightings were beyond the limit.
func (v *inventory) overflow() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hidden
}
