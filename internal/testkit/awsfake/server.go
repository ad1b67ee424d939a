package awsfake

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// Service is a signing name, as it stands in a credential scope.
type Service string

// The services. IMDS and PodIdentity sign nothing; they are listed so that
// faults can be injected into them.
const (
	Logs        Service = "logs"
	EventBridge Service = "events"
	XRay        Service = "xray"
	Monitoring  Service = "monitoring"
	STS         Service = "sts"
	AMP         Service = "aps"
	IMDS        Service = "imds"
	PodIdentity Service = "pod-identity"
)

// Account is the account that everything lives in.
const Account = "123456789012"

// Options says what differs from an account that has nothing in it, allows
// everything and knows one set of session credentials. The zero value is useful.
type Options struct {
	// Region is the only one that is answered for; "" means eu-west-3.
	Region string
	// Credentials are known from the start; the zero value means a set with a
	// session token that never expires.
	Credentials Credentials
	// Buses are the custom event buses beside "default".
	Buses []string
	// Groups that exist from the start, with their streams.
	Groups map[string][]string
	// Prometheus is the base URL of what stands behind the remote-write front,
	// e.g. http://127.0.0.1:9090/api/v1/write; "" means samples are counted only.
	Prometheus string
	// ExternalID is what AssumeRole asks for; "" means any.
	ExternalID string
	// Now is the clock for date skew, expiry and event ages; nil means time.Now.
	Now func() time.Time
	// Forget counts log events and metrics without keeping them, for
	// measurements that send more than memory should hold.
	Forget bool
}

// Server is a running fake. All methods may be called from any goroutine.
type Server struct {
	// URL is the base of all signed services, as AWS_ENDPOINT_URL takes it.
	URL string
	// MetadataURL is the instance metadata service's.
	MetadataURL string
	// PodIdentityURL is the EKS Pod Identity agent's credentials endpoint.
	PodIdentityURL string
	// Region is the one that signatures must name.
	Region string
	// Credentials are the ones known from the start.
	Credentials Credentials

	options Options
	front   *listener
	meta    *listener
	pods    *listener
	closing chan struct{}

	mu         sync.Mutex // guards what follows
	known      map[string]*issued
	allowed    []string // nil: everything
	calls      map[string]int
	violations []string
	faults     map[Service][]*Fault
	hit        map[Service]int
	logs       logStore
	bus        busStore
	segments   []Segment
	otlp       otlpCounts
	amp        ampCounts
	tokens     map[string]time.Time // IMDS session tokens
	sequence   uint64
}

// Start serves until the test ends. Violations that were not taken by then fail
// the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Region == "" {
		o.Region = "eu-west-3"
	}
	if o.Credentials == (Credentials{}) {
		o.Credentials = Credentials{AccessKeyID: "ASIAFAKEFAKEFAKEFAKE", SecretAccessKey: "not-a-secret/of+anyone", SessionToken: "session-of-a-test=="}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		Region: o.Region, Credentials: o.Credentials, options: o,
		closing: make(chan struct{}),
		known:   map[string]*issued{}, calls: map[string]int{},
		faults: map[Service][]*Fault{}, hit: map[Service]int{}, tokens: map[string]time.Time{},
		logs: newLogStore(o), bus: newBusStore(o),
	}
	s.known[o.Credentials.AccessKeyID] = &issued{Credentials: o.Credentials, arn: "arn:aws:sts::" + Account + ":assumed-role/vigie/test"}
	s.front = listen(t, s.serveAWS)
	s.meta = listen(t, s.serveMetadata)
	s.pods = listen(t, s.servePodIdentity)
	s.URL, s.MetadataURL = s.front.url(), s.meta.url()
	s.PodIdentityURL = s.pods.url() + "/v1/credentials"
	t.Cleanup(func() {
		close(s.closing)
		for _, l := range []*listener{s.front, s.meta, s.pods} {
			l.down()
		}
		for _, v := range s.TakeViolations() {
			t.Errorf("awsfake: violation: %s", v)
		}
	})
	return s
}

// Env points an SDK in another process at the fake, with its credentials in the
// environment and without the files of this machine's user.
func (s *Server) Env() []string {
	return append(s.EnvWithoutCredentials(),
		"AWS_ACCESS_KEY_ID="+s.Credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+s.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN="+s.Credentials.SessionToken,
	)
}

// EnvWithoutCredentials is Env for tests of the rest of the credential chain:
// the metadata service answers at its own address.
func (s *Server) EnvWithoutCredentials() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL,
		// The SDK asks for a web identity's role before it has read the one above.
		"AWS_ENDPOINT_URL_STS=" + s.URL,
		"AWS_REGION=" + s.Region,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + s.MetadataURL,
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Down closes every port, as an outage of the network does: connections are
// refused and those that are open break. Up opens the same ports again, which
// nobody else is given meanwhile.
func (s *Server) Down() {
	for _, l := range []*listener{s.front, s.meta, s.pods} {
		l.down()
	}
}

// Up ends [Server.Down].
func (s *Server) Up(t testing.TB) {
	t.Helper()
	for _, l := range []*listener{s.front, s.meta, s.pods} {
		if err := l.up(); err != nil {
			t.Fatalf("awsfake: %v", err)
		}
	}
}

func (s *Server) now() time.Time { return s.options.Now() }

// Violations lists what no sound client sends, oldest first.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// TakeViolations returns the violations and forgets them, for a test that
// provokes some.
func (s *Server) TakeViolations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.violations
	s.violations = nil
	return v
}

// maxViolations bounds the list: a broken client repeats itself.
const maxViolations = 100

func (s *Server) violate(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violateLocked(format, args...)
}

func (s *Server) violateLocked(format string, args ...any) {
	if len(s.violations) < maxViolations {
		s.violations = append(s.violations, fmt.Sprintf(format, args...))
	}
}

// listener is a port that can go away and come back.
type listener struct {
	address string
	handler http.Handler

	mu     sync.Mutex
	server *http.Server // guarded by mu; nil while down
}

func listen(t testing.TB, serve http.HandlerFunc) *listener {
	t.Helper()
	l := &listener{address: ports.Address(t), handler: serve}
	if err := l.up(); err != nil {
		t.Fatalf("awsfake: %v", err)
	}
	return l
}

func (l *listener) url() string { return "http://" + l.address }

func (l *listener) up() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		return nil
	}
	socket, err := net.Listen("tcp", l.address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", l.address, err)
	}
	l.server = &http.Server{Handler: l.handler, ReadHeaderTimeout: time.Minute}
	go func(s *http.Server) { _ = s.Serve(socket) }(l.server)
	return nil
}

func (l *listener) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server == nil {
		return
	}
	_ = l.server.Close()
	l.server = nil
}
