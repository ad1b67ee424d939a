// Package apitest is an API server for tests: it serves lists in pages as
// Kubernetes does, records every request, and refuses what it is told to. Objects
// enter as they would stand in JSON; nothing is validated.
package apitest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// Object is one as in YAML.
type Object = map[string]any

// Server is an API server. Fill the maps before the first request.
type Server struct {
	URL string
	// Lists by path, e.g. /api/v1/pods: an object by its index, below Len.
	Lists map[string]List
	// Objects by path, e.g. /api/v1/namespaces/kube-system/configmaps/kube-proxy.
	Objects map[string]Object
	// Refused answers a path with a status, e.g. 403.
	Refused map[string]int
	// Expire answers the second page of a path with 410, once.
	Expire string
	// Unpaged ignores limit, as some servers do.
	Unpaged bool

	mu       sync.Mutex
	requests []Request // guarded by mu
	expired  bool      // guarded by mu
}

// List is objects that are made when they are asked for.
type List struct {
	Len int
	At  func(i int) Object
}

// Of is a list of objects.
func Of(objects ...Object) List {
	return List{len(objects), func(i int) Object { return objects[i] }}
}

// Request is one that came in.
type Request struct{ Method, Path, Query, Token, Agent string }

// New starts one on loopback; it ends with the test.
func New(t testing.TB) *Server {
	s := &Server{Lists: map[string]List{}, Objects: map[string]Object{}, Refused: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Config is how a client finds it.
func (s *Server) Config() *rest.Config { return &rest.Config{Host: s.URL, BearerToken: "of-a-test"} }

// Kubeconfig writes a file that names it and returns its path.
func (s *Server) Kubeconfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: staging, contexts: [{name: staging, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: %q}}], users: [{name: u, user: {token: of-a-test}}]}`, s.URL)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Requests are those that came in so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), r.UserAgent()})
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if code := s.Refused[r.URL.Path]; code > 0 {
		status(w, code, "vigie is not allowed to do that with "+r.URL.Path)
		return
	}
	if o, ok := s.Objects[r.URL.Path]; ok {
		_ = json.NewEncoder(w).Encode(o)
		return
	}
	list, ok := s.Lists[r.URL.Path]
	if !ok {
		if known(r.URL.Path) {
			list = Of()
		} else {
			status(w, http.StatusNotFound, "the server could not find the requested resource")
			return
		}
	}
	s.page(w, r, list)
}

// known are the paths that every API server has, with nothing in them.
func known(path string) bool {
	for _, p := range []string{"/api/v1/nodes", "/api/v1/pods", "/api/v1/services", "/api/v1/resourcequotas", "/apis/apps/v1/deployments",
		"/apis/apps/v1/statefulsets", "/apis/autoscaling/v2/horizontalpodautoscalers", "/apis/policy/v1/poddisruptionbudgets"} {
		if p == path {
			return true
		}
	}
	return false
}

func (s *Server) page(w http.ResponseWriter, r *http.Request, list List) {
	from, limit := 0, list.Len
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && !s.Unpaged {
		limit = n
	}
	if c := r.URL.Query().Get("continue"); c != "" {
		s.mu.Lock()
		gone := s.Expire == r.URL.Path && !s.expired
		s.expired = s.expired || gone
		s.mu.Unlock()
		if gone {
			status(w, http.StatusGone, "The provided continue parameter is too old")
			return
		}
		raw, _ := base64.StdEncoding.DecodeString(c)
		from, _ = strconv.Atoi(strings.TrimPrefix(string(raw), "at "))
	}
	to := min(from+limit, list.Len)
	meta := Object{"resourceVersion": "1"}
	if to < list.Len {
		meta["continue"] = base64.StdEncoding.EncodeToString([]byte("at " + strconv.Itoa(to)))
		meta["remainingItemCount"] = list.Len - to
	}
	head, _ := json.Marshal(meta)
	fmt.Fprintf(w, `{"kind":"List","apiVersion":"v1","metadata":%s,"items":[`, head)
	enc := json.NewEncoder(w)
	for i := from; i < to; i++ {
		if i > from {
			fmt.Fprint(w, ",")
		}
		_ = enc.Encode(list.At(i))
	}
	fmt.Fprint(w, "]}")
}

func status(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(Object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message})
}
