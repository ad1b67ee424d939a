package cloudmetadataprocessor

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
)

// metadataService is version 2 of the instance metadata service: a token by PUT,
// everything else with the token by GET.
type metadataService struct {
	mu      sync.Mutex
	mode    mode
	tags    map[string]string // nil: not shown, 404
	missing map[string]bool   // paths that answer 404
	tokens  int
	reads   []string
}

type mode int

const (
	works       mode = iota
	absent           // nothing there: the dial fails
	hopLimit         // the answer to PUT never comes
	hangs            // nothing is answered
	forbidden        // 403
	notFound         // 404 for everything, the token too
	wrongAnswer      // not what EC2 says
)

const token = "AQAEAFtoken"

func (s *metadataService) set(m mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
}

func (s *metadataService) now() mode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode
}

func (s *metadataService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := s.now()
	switch {
	case m == hangs, m == hopLimit && r.Method == http.MethodPut:
		<-r.Context().Done()
	case m == forbidden:
		http.Error(w, "", http.StatusForbidden)
	case m == notFound:
		http.NotFound(w, r)
	case r.URL.Path == "/latest/api/token":
		if r.Method != http.MethodPut || r.Header.Get("x-aws-ec2-metadata-token-ttl-seconds") == "" {
			http.Error(w, "PUT with a time to live", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.tokens++
		s.mu.Unlock()
		w.Header().Set("x-aws-ec2-metadata-token-ttl-seconds", r.Header.Get("x-aws-ec2-metadata-token-ttl-seconds"))
		fmt.Fprint(w, token)
	case r.Header.Get("x-aws-ec2-metadata-token") != token:
		http.Error(w, "", http.StatusUnauthorized)
	default:
		s.read(w, r, m)
	}
}

func (s *metadataService) read(w http.ResponseWriter, r *http.Request, m mode) {
	path := strings.TrimPrefix(r.URL.Path, "/latest/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, path)
	tag, isTag := strings.CutPrefix(path, "meta-data/tags/instance/")
	switch {
	case s.missing[path]:
		http.NotFound(w, r)
	case m == wrongAnswer:
		fmt.Fprint(w, "<html>welcome to the captive portal</html>")
	case path == "dynamic/instance-identity/document":
		fmt.Fprint(w, `{"accountId":"123456789012","architecture":"x86_64","availabilityZone":"eu-west-3a","imageId":"ami-0abc","instanceId":"i-0123456789abcdef0","instanceType":"m6i.4xlarge","privateIp":"10.0.0.7","region":"eu-west-3","version":"2017-09-30"}`)
	case path == "meta-data/hostname":
		fmt.Fprint(w, "ip-10-0-0-7.eu-west-3.compute.internal")
	case path == "meta-data/tags/instance" && s.tags != nil:
		for key := range s.tags {
			fmt.Fprintln(w, key)
		}
	case isTag && s.tags[tag] != "":
		fmt.Fprint(w, s.tags[tag])
	default:
		http.NotFound(w, r)
	}
}

// Do makes it an HTTP client that needs no network, for a test with a clock of
// its own.
func (s *metadataService) Do(r *http.Request) (*http.Response, error) {
	if s.now() == absent {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}
