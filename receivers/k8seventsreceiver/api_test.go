package k8seventsreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// api is an API server that lists and watches events and keeps Leases, over pipes,
// so that its connections' time is the test's.
type api struct {
	*httptest.Server
	conns chan net.Conn
	over  chan struct{}
	once  sync.Once

	mu       sync.Mutex
	version  int
	events   []corev1.Event // what is there, by name
	history  []change       // what watches can be told
	forgot   int            // up to this version history is gone
	watching map[chan struct{}]bool
	leases   map[string]*coordinationv1.Lease
	status   int // not 0: the answer to everything
	expire   int // so many lists expire at their second page
	lists    int
	requests []string
	wrote    int // watch events that were written
}

type change struct {
	kind string
	ev   corev1.Event
	at   int
}

func newAPI() *api {
	a := &api{conns: make(chan net.Conn), over: make(chan struct{}), watching: map[chan struct{}]bool{}, leases: map[string]*coordinationv1.Lease{}, version: 100}
	a.Server = &httptest.Server{Listener: a, Config: &http.Server{Handler: http.HandlerFunc(a.serve)}}
	a.Start()
	return a
}

// The listener's end of pipes.
func (a *api) Accept() (net.Conn, error) {
	select {
	case c := <-a.conns:
		return c, nil
	case <-a.over:
		return nil, net.ErrClosed
	}
}
func (a *api) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6443} }

func (a *api) Close() error {
	a.once.Do(func() { close(a.over) })
	return nil
}

// stop ends the server and what is connected to it.
func (a *api) stop() {
	a.hangUp()
	a.CloseClientConnections()
	a.Server.Close()
}

func (a *api) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case a.conns <- there:
		return here, nil
	case <-a.over:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// say makes an event happen, or happen again.
func (a *api) say(name string, count int32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	ev := happening(name, count)
	ev.ResourceVersion = strconv.Itoa(a.version)
	kind := "ADDED"
	a.events = slices.DeleteFunc(a.events, func(e corev1.Event) bool {
		if e.Name == name {
			kind = "MODIFIED"
		}
		return e.Name == name
	})
	a.events = append(a.events, ev)
	slices.SortFunc(a.events, func(a, b corev1.Event) int { return strings.Compare(a.Name, b.Name) })
	a.history = append(a.history, change{kind, ev, a.version})
	a.wake()
}

func happening(name string, count int32) corev1.Event {
	return corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "live", UID: types.UID("uid-" + name)},
		InvolvedObject: corev1.ObjectReference{
			Kind: "Pod", Namespace: "live", Name: "player-1", UID: "pod-uid", APIVersion: "v1", ResourceVersion: "7", FieldPath: "spec.containers{player}",
		},
		Reason: "BackOff", Message: "message of " + name, Type: corev1.EventTypeWarning, Count: count,
		Source: corev1.EventSource{Component: "kubelet", Host: "node-1"},
	}
}

// forget lets the API server know nothing of the past but what is there.
func (a *api) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	a.forgot, a.history = a.version, nil
}

// hangUp ends every watch.
func (a *api) hangUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.watching {
		close(w)
	}
	clear(a.watching)
}

func (a *api) answer(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status = status
}

// wake is called with mu held: watches look again.
func (a *api) wake() {
	for w := range a.watching {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func (a *api) holder(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l := a.leases[name]; l != nil && l.Spec.HolderIdentity != nil {
		return *l.Spec.HolderIdentity
	}
	return ""
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	status := a.status
	if len(a.requests) < 10000 {
		a.requests = append(a.requests, r.Method+" "+r.URL.Path)
	}
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case status != 0:
		refuse(w, status, metav1.StatusReasonForbidden, "events is forbidden: no right to it")
	case strings.Contains(r.URL.Path, "/leases"):
		a.serveLease(w, r)
	case r.URL.Query().Get("watch") != "":
		a.serveWatch(w, r)
	default:
		a.serveList(w, r)
	}
}

func (a *api) serveList(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists++
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	if from > 0 && a.expire > 0 {
		a.expire--
		refuse(w, http.StatusGone, metav1.StatusReasonExpired, "the provided continue parameter is too old")
		return
	}
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	namespace := namespaceOf(r.URL.Path)
	list := corev1.EventList{TypeMeta: metav1.TypeMeta{Kind: "EventList", APIVersion: "v1"}}
	list.ResourceVersion = strconv.Itoa(a.version)
	for i := from; i < len(a.events); i++ {
		if limit > 0 && len(list.Items) == limit {
			list.Continue = strconv.Itoa(i)
			break
		}
		if namespace == "" || a.events[i].Namespace == namespace {
			list.Items = append(list.Items, a.events[i])
		}
	}
	write(w, &list)
}

func (a *api) serveWatch(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	namespace := namespaceOf(r.URL.Path)
	more := make(chan struct{}, 1)
	a.mu.Lock()
	if at < a.forgot {
		a.mu.Unlock()
		refuse(w, http.StatusGone, metav1.StatusReasonExpired, "too old resource version")
		return
	}
	if at > a.version {
		a.mu.Unlock()
		refuse(w, http.StatusGatewayTimeout, metav1.StatusReasonTimeout, "Too large resource version", metav1.StatusCause{Type: metav1.CauseTypeResourceVersionTooLarge})
		return
	}
	a.watching[more] = true
	a.mu.Unlock()
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w).Flush
	for {
		a.mu.Lock()
		var next []change
		for _, c := range a.history {
			if c.at > at {
				next = append(next, c)
			}
		}
		a.mu.Unlock()
		for _, c := range next {
			at = c.at
			if namespace != "" && c.ev.Namespace != namespace {
				continue
			}
			c.ev.TypeMeta = metav1.TypeMeta{Kind: "Event", APIVersion: "v1"}
			ev, _ := json.Marshal(&c.ev)
			if _, err := fmt.Fprintf(w, `{"type":%q,"object":%s}`+"\n", c.kind, ev); err != nil || flush() != nil {
				return
			}
			a.mu.Lock()
			a.wrote++
			a.mu.Unlock()
		}
		if len(next) == 0 && flush() != nil {
			return
		}
		select {
		case _, ok := <-more:
			if !ok {
				return
			}
		case <-r.Context().Done():
			a.mu.Lock()
			delete(a.watching, more)
			a.mu.Unlock()
			return
		}
	}
}

func (a *api) serveLease(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var sent coordinationv1.Lease
	if r.Method != http.MethodGet {
		// client-go writes protobuf, and reads what it is answered.
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, _, err = scheme.Codecs.UniversalDeserializer().Decode(body, nil, &sent)
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
			return
		}
	}
	name := sent.Name
	if name == "" {
		name = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}
	old := a.leases[name]
	switch {
	case r.Method == http.MethodGet && old == nil:
		refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, "no such lease")
		return
	case r.Method == http.MethodGet:
		write(w, old)
		return
	case r.Method == http.MethodPost && old != nil:
		refuse(w, http.StatusConflict, metav1.StatusReasonAlreadyExists, "is there already")
		return
	case r.Method == http.MethodPut && (old == nil || old.ResourceVersion != sent.ResourceVersion):
		refuse(w, http.StatusConflict, metav1.StatusReasonConflict, "was changed")
		return
	}
	a.version++
	sent.ResourceVersion = strconv.Itoa(a.version)
	sent.TypeMeta = metav1.TypeMeta{Kind: "Lease", APIVersion: "coordination.k8s.io/v1"}
	a.leases[name] = &sent
	write(w, &sent)
}

func namespaceOf(path string) string {
	_, rest, ok := strings.Cut(path, "/namespaces/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func write(w http.ResponseWriter, o runtime.Object) {
	_ = json.NewEncoder(w).Encode(o) // a client that is gone is no error here
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, text string, causes ...metav1.StatusCause) {
	w.WriteHeader(code)
	write(w, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Reason: reason, Code: int32(code), Message: text, Details: &metav1.StatusDetails{Causes: causes},
	})
}
