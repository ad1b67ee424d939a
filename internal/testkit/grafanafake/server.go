package grafanafake

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// The permissions that annotations need.
const (
	Read   = "annotations:read"
	Create = "annotations:create"
	Write  = "annotations:write"
)

// Server is a Grafana. Make it with New, and either Listen or use its Transport.
type Server struct {
	URL string // after Listen
	web *httptest.Server

	mu           sync.Mutex
	token        string          // guarded by mu
	may          map[string]bool // guarded by mu
	dashboards   map[string]bool // guarded by mu: uids
	annotations  []Annotation    // guarded by mu: by id
	last         int64           // guarded by mu: newest id
	faults       []Fault         // guarded by mu: for the next requests
	requests     []Request       // guarded by mu
	clockOffset  time.Duration   // guarded by mu: of the Date header
	databaseDown bool            // guarded by mu
}

// Request is one that arrived, answered or not.
type Request struct {
	Method, Path string
	At           time.Time
	Status       int // what was answered; 0 where the connection was cut
}

// Fault is what happens to one request instead of, or after, its being carried
// out.
type Fault struct {
	Status     int    // answer this and do nothing
	RetryAfter string // with Status
	Body       string // with Status; default Grafana's JSON
	// Cut closes the connection without an answer, and nothing was done.
	Cut bool
	// CutAfter carries the request out and closes the connection without an
	// answer.
	CutAfter bool
	// Delay waits before anything else.
	Delay time.Duration
}

// New makes a Grafana that takes the token, with all permissions and no
// dashboard.
func New(token string) *Server {
	return &Server{token: token, may: map[string]bool{Read: true, Create: true, Write: true}, dashboards: map[string]bool{}}
}

// Listen serves on loopback until Close.
func (s *Server) Listen() *Server {
	s.web = httptest.NewServer(s)
	s.URL = s.web.URL
	return s
}

// Close ends what Listen began.
func (s *Server) Close() { s.web.Close() }

// Transport answers without a network, in the caller's goroutine, so that a test
// with a clock of its own (testing/synctest) can use it.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

func (t transport) RoundTrip(r *http.Request) (res *http.Response, err error) {
	defer func() {
		if cut := recover(); cut != nil {
			res, err = nil, errCut
		}
	}()
	w := httptest.NewRecorder()
	t.s.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

var errCut = errors.New("connection reset by the fake")

// SetToken changes the token that is taken.
func (s *Server) SetToken(token string) { s.locked(func() { s.token = token }) }

// Allow gives the token exactly these permissions.
func (s *Server) Allow(actions ...string) {
	s.locked(func() {
		s.may = map[string]bool{}
		for _, a := range actions {
			s.may[a] = true
		}
	})
}

// AddDashboard makes a dashboard.
func (s *Server) AddDashboard(uid string) { s.locked(func() { s.dashboards[uid] = true }) }

// SetClock shifts the Date header of all answers.
func (s *Server) SetClock(offset time.Duration) { s.locked(func() { s.clockOffset = offset }) }

// SetDatabase says whether Grafana reaches its database.
func (s *Server) SetDatabase(ok bool) { s.locked(func() { s.databaseDown = !ok }) }

// Inject puts faults in the way of the next requests, one each.
func (s *Server) Inject(f ...Fault) { s.locked(func() { s.faults = append(s.faults, f...) }) }

// Heal forgets the faults that have not happened.
func (s *Server) Heal() { s.locked(func() { s.faults = nil }) }

// Requests are those that arrived, in their order.
func (s *Server) Requests() (out []Request) {
	s.locked(func() { out = slices.Clone(s.requests) })
	return out
}

// Annotations are what is kept, by id.
func (s *Server) Annotations() (out []Annotation) {
	s.locked(func() { out = slices.Clone(s.annotations) })
	return out
}

// Delete removes an annotation, as a person would.
func (s *Server) Delete(id int64) {
	s.locked(func() {
		s.annotations = slices.DeleteFunc(s.annotations, func(a Annotation) bool { return a.ID == id })
	})
}

func (s *Server) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var f Fault
	s.locked(func() {
		if len(s.faults) > 0 {
			f, s.faults = s.faults[0], s.faults[1:]
		}
		if s.clockOffset != 0 {
			w.Header().Set("Date", time.Now().Add(s.clockOffset).UTC().Format(http.TimeFormat))
		}
	})
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
	}
	status := 0
	defer func() {
		s.locked(func() {
			s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.Path, At: time.Now(), Status: status})
		})
	}()
	switch {
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.CutAfter:
		s.answer(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		status = f.Status
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		if f.Body != "" {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(f.Body))
			return
		}
		refuse(w, status, http.StatusText(status))
	default:
		status = s.answer(w, r)
	}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/api/health" {
		if s.databaseDown {
			return reply(w, http.StatusServiceUnavailable, map[string]any{"database": "failing", "version": "12.4.0"})
		}
		return reply(w, http.StatusOK, map[string]any{"commit": "fake", "database": "ok", "version": "12.4.0"})
	}
	switch token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case !ok:
		return refuse(w, http.StatusUnauthorized, "Unauthorized")
	case token != s.token:
		return refuse(w, http.StatusUnauthorized, "Invalid API key")
	}
	switch path := r.URL.Path; {
	case path == "/api/access-control/user/permissions" && r.Method == http.MethodGet:
		may := map[string][]string{}
		for a := range s.may {
			may[a] = []string{"annotations:type:dashboard", "annotations:type:organization"}
		}
		return reply(w, http.StatusOK, may)
	case path == "/api/org" && r.Method == http.MethodGet:
		return reply(w, http.StatusOK, map[string]any{"id": 1, "name": "Main Org."})
	case strings.HasPrefix(path, "/api/dashboards/uid/") && r.Method == http.MethodGet:
		if !s.dashboards[strings.TrimPrefix(path, "/api/dashboards/uid/")] {
			return refuse(w, http.StatusNotFound, "Dashboard not found")
		}
		return reply(w, http.StatusOK, map[string]any{"dashboard": map[string]any{}})
	case path == "/api/annotations" || strings.HasPrefix(path, "/api/annotations/"):
		return s.annotationsLocked(w, r)
	}
	return refuse(w, http.StatusNotFound, "Not found")
}

func reply(w http.ResponseWriter, status int, v any) int {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
	return status
}

func refuse(w http.ResponseWriter, status int, message string) int {
	return reply(w, status, map[string]any{"message": message})
}
