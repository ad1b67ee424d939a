package awsfake

import (
	"io"
	"net/http"
	"slices"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind int

// The kinds of fault. Each answers with the code and the shape that the service
// itself uses.
const (
	// Throttle is "slow down": 400 ThrottlingException for logs and events, 429
	// for X-Ray, OTLP and remote write, with Retry-After where Fault gives it.
	Throttle FaultKind = iota + 1
	// InternalError is a 500.
	InternalError
	// Unavailable is a 503, with Retry-After where Fault gives it.
	Unavailable
	// Timeout reads the request and never answers.
	Timeout
	// ExpiredToken refuses credentials that are good.
	ExpiredToken
	// PartialRejection takes the request but for its first Fault.Entries items.
	PartialRejection
	// Reset breaks the connection with RST before an answer.
	Reset
	// SlowRead takes the request's body over Fault.Delay, then goes on.
	SlowRead
	// SlowAnswer does the work, waits for Fault.Delay, then answers.
	SlowAnswer
	// TooLarge is a 413.
	TooLarge
	// LostAnswer does the work and then breaks the connection, so that a client
	// that tries again makes duplicates.
	LostAnswer
	// OutOfOrder is remote write's 400 for samples older than what is there.
	OutOfOrder
	// Answer gives Fault.Status and Fault.Code as they are.
	Answer
)

// Fault is an injected failure.
type Fault struct {
	Kind FaultKind
	// Times is how many requests it meets; 0 means until [Server.Lift].
	Times int
	// Action narrows it to one IAM action such as "logs:PutLogEvents"; "" is any.
	Action string
	// RetryAfter is said in whole seconds where a service has that header.
	RetryAfter time.Duration
	// Delay is for SlowRead and SlowAnswer.
	Delay time.Duration
	// Entries is for PartialRejection.
	Entries int
	// Status and Code are for Answer.
	Status int
	Code   string

	left int
}

// Inject queues a fault for a service: faults are met in the order in which they
// were injected, each until its Times are used up.
func (s *Server) Inject(service Service, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.left = f.Times
	s.faults[service] = append(s.faults[service], &f)
}

// Lift takes all faults from the services named, or from all without a name.
func (s *Server) Lift(services ...Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(services) == 0 {
		clear(s.faults)
	}
	for _, service := range services {
		delete(s.faults, service)
	}
}

// Faulted is how many requests of a service met a fault.
func (s *Server) Faulted(service Service) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hit[service]
}

// fault takes the next fault for a request; nil when there is none.
func (s *Server) fault(service Service, action string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults[service] {
		if f.Action != "" && f.Action != action {
			continue
		}
		s.hit[service]++
		met := *f
		if f.Times > 0 {
			if f.left--; f.left == 0 {
				s.faults[service] = slices.Delete(s.faults[service], i, i+1)
			}
		}
		return &met
	}
	return nil
}

// interrupt plays the faults that end a request before it is looked at. It
// reports whether the request is over.
func (s *Server) interrupt(w http.ResponseWriter, r *http.Request, f *Fault, refuse func(*apiError)) bool {
	if f == nil {
		return false
	}
	switch f.Kind {
	case Throttle:
		refuse(&apiError{throttle: true, code: "ThrottlingException", message: "Rate exceeded", retryAfter: f.RetryAfter})
	case InternalError:
		refuse(&apiError{code: "InternalFailure", message: "The request processing has failed because of an unknown error, exception or failure.", status: http.StatusInternalServerError})
	case Unavailable:
		refuse(&apiError{code: "ServiceUnavailableException", message: "Service Unavailable", status: http.StatusServiceUnavailable, retryAfter: f.RetryAfter})
	case TooLarge:
		refuse(&apiError{code: "RequestEntityTooLargeException", message: "Request Entity Too Large", status: http.StatusRequestEntityTooLarge})
	case ExpiredToken:
		refuse(errExpired())
	case OutOfOrder:
		refuse(&apiError{code: "ValidationException", message: "err: out of order sample. timestamp older than the newest of its series", status: http.StatusBadRequest})
	case Answer:
		refuse(&apiError{code: f.Code, message: f.Code, status: f.Status, retryAfter: f.RetryAfter})
	case Timeout:
		_, _ = io.Copy(io.Discard, r.Body)
		s.wait(r, time.Hour)
		reset(w)
	case Reset:
		reset(w)
	default:
		return false
	}
	return true
}

// wait returns after d, or when the client or the test is gone.
func (s *Server) wait(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-s.closing:
	case <-time.After(d):
	}
}

// reset closes the connection with RST, so that the client sees "connection
// reset by peer" rather than an orderly end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
