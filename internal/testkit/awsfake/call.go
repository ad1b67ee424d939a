package awsfake

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxBody bounds what one request may hold in memory, far above every limit.
const maxBody = 64 << 20

// call is one request on its way through the fake.
type call struct {
	s       *Server
	r       *http.Request
	service Service
	action  string // of IAM, e.g. logs:PutLogEvents
	dialect dialect
	handle  func(*call) (any, *apiError)
	free    bool // needs no permission
	plain   bool // is not signed

	raw   []byte // as it came, for the signature
	body  []byte // decompressed
	who   *issued
	fault *Fault
}

// apiError is a refusal, in no service's shape yet.
type apiError struct {
	code, message string
	status        int // 0: the dialect's own
	retryAfter    time.Duration
	throttle      bool
	violation     bool // no sound client provokes it
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func invalid(format string, args ...any) *apiError {
	return &apiError{code: "InvalidParameterException", message: fmt.Sprintf(format, args...), violation: true}
}

// serveAWS takes a request through the steps that the package's doc lists.
func (s *Server) serveAWS(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, r: r}
	c.route()
	refuse := func(e *apiError) {
		if e.violation {
			s.violate("%s %s %s: %s", c.service, c.action, r.URL.Path, e)
		}
		c.dialect.refuse(w, e)
	}
	if c.dialect == query { // its action is in the body
		if err := c.read(r.Body); err != nil {
			return
		}
		c.routeQuery()
	}
	c.fault = s.fault(c.service, c.action)
	if err := c.read(c.paced()); err != nil {
		reset(w)
		return
	}
	if c.handle == nil {
		refuse(&apiError{code: "UnknownOperationException", message: "The fake has no such operation: " + r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Amz-Target"), status: http.StatusNotFound, violation: true})
		return
	}
	s.seen(c.action)
	if s.interrupt(w, r, c.fault, refuse) {
		return
	}
	answer, err := c.run()
	if err != nil {
		refuse(err)
		return
	}
	if c.fault != nil {
		switch c.fault.Kind {
		case LostAnswer:
			reset(w)
			return
		case SlowAnswer:
			s.wait(r, c.fault.Delay)
		}
	}
	c.dialect.answer(w, answer)
}

// run authenticates, authorises and executes.
func (c *call) run() (any, *apiError) {
	if !c.plain {
		var err *apiError
		if c.who, err = c.s.authenticate(c.r, c.raw, c.service); err != nil {
			return nil, err
		}
	}
	if !c.free {
		if err := c.may(c.action); err != nil {
			return nil, err
		}
	}
	if err := c.decompress(); err != nil {
		return nil, err
	}
	return c.handle(c)
}

func (c *call) read(body io.Reader) error {
	if c.raw != nil {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxBody))
	c.raw, c.body = raw, raw
	return err
}

func (c *call) decompress() *apiError {
	switch encoding := c.r.Header.Get("Content-Encoding"); encoding {
	case "", "identity", "amz-1.0", "snappy": // remote write's body is looked at by its own handler
		return nil
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(c.raw))
		if err == nil {
			c.body, err = io.ReadAll(io.LimitReader(z, maxBody))
		}
		if err != nil {
			return &apiError{code: "SerializationException", message: "gzip: " + err.Error(), status: http.StatusBadRequest, violation: true}
		}
		return nil
	default:
		return &apiError{code: "UnsupportedMediaTypeException", message: "Content-Encoding " + encoding, status: http.StatusUnsupportedMediaType, violation: true}
	}
}

// paced is the request's body, slowed down where a fault says so.
func (c *call) paced() io.Reader {
	if c.fault == nil || c.fault.Kind != SlowRead {
		return c.r.Body
	}
	const steps = 20
	return &slowReader{c: c, step: int(max(c.r.ContentLength/steps, 1)), pause: c.fault.Delay / steps}
}

type slowReader struct {
	c     *call
	step  int
	pause time.Duration
}

func (r *slowReader) Read(p []byte) (int, error) {
	select {
	case <-r.c.s.closing:
		return 0, errors.New("the fake is closing")
	case <-time.After(r.pause):
	}
	return r.c.r.Body.Read(p[:min(len(p), r.step)])
}

// route finds the service, the action and the dialect by header and path.
func (c *call) route() {
	if target := c.r.Header.Get("X-Amz-Target"); target != "" {
		c.routeTarget(target)
		return
	}
	switch path := c.r.URL.Path; {
	case path == "/v1/logs":
		c.to(Logs, "logs:PutLogEvents", otlp, (*call).otlpLogs)
	case path == "/v1/metrics":
		c.to(Monitoring, "cloudwatch:PutMetricData", otlp, (*call).otlpMetrics)
	case path == "/v1/traces":
		c.to(XRay, "xray:PutTraceSegments", otlp, (*call).otlpTraces)
	case path == "/TraceSegments":
		c.to(XRay, "xray:PutTraceSegments", restJSON, (*call).putTraceSegments)
	case path == "/TelemetryRecords":
		c.to(XRay, "xray:PutTelemetryRecords", restJSON, (*call).putTelemetryRecords)
	case strings.HasPrefix(path, "/workspaces/") && strings.HasSuffix(path, "/api/v1/remote_write"):
		c.to(AMP, "aps:RemoteWrite", plainHTTP, (*call).remoteWrite)
	default:
		c.to(STS, "", query, nil)
	}
}

func (c *call) to(service Service, action string, d dialect, handle func(*call) (any, *apiError)) {
	c.service, c.action, c.dialect, c.handle = service, action, d, handle
}

func (c *call) routeTarget(target string) {
	name, operation, _ := strings.Cut(target, ".")
	var table map[string]func(*call) (any, *apiError)
	service := EventBridge
	switch name {
	case "Logs_20140328":
		service, table = Logs, logsOperations
	case "AWSEvents":
		table = busOperations
	}
	c.to(service, string(service)+":"+operation, jsonRPC, table[operation])
}

// seen counts an IAM action that was asked for.
func (s *Server) seen(action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[action]++
}

// may says whether the policy allows an action, and counts it when it is one
// more than the call's own.
func (c *call) may(action string) *apiError {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if action != c.action {
		c.s.calls[action]++
	}
	if c.s.allowed == nil || slices.Contains(c.s.allowed, action) {
		return nil
	}
	return &apiError{
		code: "AccessDeniedException", status: c.dialect.denied(),
		message: fmt.Sprintf("User: %s is not authorized to perform: %s because no identity-based policy allows the %s action", c.who.arn, action, action),
	}
}

// Allow narrows what may be done to the IAM actions named; all else is refused
// with AccessDeniedException. Allow without actions refuses everything.
func (s *Server) Allow(actions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = append([]string{}, actions...)
}

// AllowAll ends [Server.Allow].
func (s *Server) AllowAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = nil
}

// Calls lists the IAM actions that were asked for, in order of their names,
// refused ones too.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.calls {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Called is how often an IAM action was asked for.
func (s *Server) Called(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[action]
}
