//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/vigie-otel/vigie/e2e/cluster"
	"github.com/vigie-otel/vigie/internal/names"
)

// longLine is the padding of every 500th numbered line: longer than the 16 KiB at
// which a container runtime splits lines.
const longLine = 20 << 10

// sink is an OTLP/HTTP receiver behind the gateway. It counts numbered lines and
// keeps the little of the rest that scenarios ask for.
type sink struct {
	mu      sync.Mutex // guards all below
	streams map[string]*stream
	events  map[string]int               // of Kubernetes, by reason
	owners  map[string]float64           // pod and owner → entries of the connection table
	spans   map[string]map[string]string // attributes of the newest span by name
	taken   int                          // requests that could be read
	broken  int                          // and that could not
	why     error                        // of the first of these
}

// stream is what arrived of one writer's lines.
type stream struct {
	seen       []bool // by number
	distinct   int
	twice      int
	incomplete int    // the line was there, a part of it not
	unnamed    int    // a pod's identity was missing or another's
	example    string // of these
}

var numbered = regexp.MustCompile(`^line ([^/ ]+)/(\d+) ([xy]+)$`)

// listen starts the sink on the control plane's address.
func (s *sink) listen(ctx context.Context) error {
	s.streams, s.events, s.owners, s.spans = map[string]*stream{}, map[string]int{}, map[string]float64{}, map[string]map[string]string{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", s.serve(s.logs))
	mux.HandleFunc("POST /v1/metrics", s.serve(s.metrics))
	mux.HandleFunc("POST /v1/traces", s.serve(s.traces))
	listener, err := net.Listen("tcp", cluster.ControlIP+":4320")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return nil
}

// serve answers as an OTLP server does: an empty message is all that was taken.
func (s *sink) serve(take func([]byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			s.mu.Lock()
			if err = take(body); err == nil {
				s.taken++
			} else if s.broken++; s.broken == 1 {
				s.why = err
			}
			s.mu.Unlock()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}
}

func text(m pcommon.Map, key string) string {
	v, ok := m.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

func (s *sink) logs(body []byte) error {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	for _, resource := range request.Logs().ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if record.EventName() == names.EventKubernetes {
					s.events[text(record.Attributes(), names.K8sEventReason)]++
				}
				if m := numbered.FindStringSubmatch(record.Body().AsString()); m != nil {
					s.line(resource.Resource().Attributes(), m[1], m[2], m[3])
				}
			}
		}
	}
	return nil
}

// line takes in one numbered line: a writer's stream bears its pod's name.
func (s *sink) line(resource pcommon.Map, name, number, pad string) {
	st := s.streams[name]
	if st == nil {
		st = &stream{}
		s.streams[name] = st
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 10_000_000 {
		st.incomplete++
		return
	}
	for len(st.seen) <= n {
		st.seen = append(st.seen, false)
	}
	if st.seen[n] {
		st.twice++
		return
	}
	st.seen[n] = true
	st.distinct++
	if n%500 == 0 && len(pad) != longLine {
		st.incomplete++
	}
	got := []string{text(resource, "k8s.namespace.name"), text(resource, "k8s.pod.name"), text(resource, "k8s.container.name"), text(resource, "k8s.node.name"), text(resource, "k8s.pod.uid"), text(resource, "k8s.cluster.name")}
	if got[0] != "numbers" || got[1] != name || got[2] != "writer" || !strings.HasPrefix(got[3], "e2e-") || len(got[4]) != 36 || got[5] != "e2e" {
		st.unnamed++
		st.example = strings.Join(got, " ")
	}
}

// missing are the numbers from first to last that have not arrived: as ranges, at
// most ten, and how many they are in all.
func (st *stream) missing(first, last int) (ranges []string, all int) {
	for n := first; n <= last; n++ {
		from := n
		for n <= last && (n >= len(st.seen) || !st.seen[n]) {
			n++
		}
		if all += n - from; n > from && len(ranges) < 10 {
			ranges = append(ranges, fmt.Sprintf("%d–%d", from, n-1))
		}
	}
	return ranges, all
}

// read is how many requests there were; an error where one could not be read.
func (s *sink) read() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken > 0 {
		return s.taken, fmt.Errorf("%d requests could not be read, the first: %w", s.broken, s.why)
	}
	return s.taken, nil
}

// whole is an error where not every line of a stream from first to last has
// arrived, whole and with its pod's identity.
func (s *sink) whole(name string, first, last int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[name]
	if st == nil {
		return fmt.Errorf("no line of %s has arrived", name)
	}
	if ranges, all := st.missing(first, last); all > 0 {
		return fmt.Errorf("%d of %d lines of %s are missing: %s …", all, last-first+1, name, strings.Join(ranges, ", "))
	}
	if st.incomplete > 0 {
		return fmt.Errorf("%d lines of %s arrived in part", st.incomplete, name)
	}
	if st.unnamed > 0 {
		return fmt.Errorf("%d lines of %s had not their pod's identity, such as %q", st.unnamed, name, st.example)
	}
	return nil
}

// arrived is how many distinct lines there are, of one stream or ("") of all, and
// how many came more than once.
func (s *sink) arrived(name string) (distinct, twice int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, st := range s.streams {
		if name == "" || n == name {
			distinct, twice = distinct+st.distinct, twice+st.twice
		}
	}
	return distinct, twice
}

func (s *sink) metrics(body []byte) error {
	request := pmetricotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	for _, resource := range request.Metrics().ResourceMetrics().All() {
		pod := text(resource.Resource().Attributes(), "k8s.pod.name")
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				if m.Name() != names.ConntrackOwnerEntries || pod == "" {
					continue
				}
				for _, p := range points(m) {
					s.owners[pod+" "+text(p.Attributes(), names.ConntrackOwner)] = float64(p.IntValue()) + p.DoubleValue()
				}
			}
		}
	}
	return nil
}

func points(m pmetric.Metric) []pmetric.NumberDataPoint {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return collect(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		return collect(m.Sum().DataPoints())
	}
	return nil
}

func collect(s pmetric.NumberDataPointSlice) []pmetric.NumberDataPoint {
	var all []pmetric.NumberDataPoint
	for _, p := range s.All() {
		all = append(all, p)
	}
	return all
}

func (s *sink) traces(body []byte) error {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	for _, resource := range request.Traces().ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				attributes := map[string]string{}
				for k, v := range resource.Resource().Attributes().All() {
					attributes[k] = v.AsString()
				}
				for k, v := range span.Attributes().All() {
					attributes[k] = v.AsString()
				}
				s.spans[span.Name()] = attributes
			}
		}
	}
	return nil
}

// owned is how many entries of the connection table a pod's owner had at last.
func (s *sink) owned(pod, owner string) (float64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.owners[pod+" "+owner]
	if !ok {
		return 0, fmt.Errorf("no entries of %s by %s; there are %s", pod, owner, strings.Join(slices.Sorted(maps.Keys(s.owners)), ", "))
	}
	return n, nil
}

// span is the newest of that name.
func (s *sink) span(name string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spans[name]
}

// clusterEvents is how many of the cluster's events have arrived, by reason.
func (s *sink) clusterEvents() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.events)
}
