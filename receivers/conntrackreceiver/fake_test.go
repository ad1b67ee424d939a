package conntrackreceiver

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

// table is a source made of flows. Its fields may be changed under mu.
type table struct {
	mu       sync.Mutex
	flows    []flow.Flow
	limit    uint64
	cpus     []conntrack.CPUStats
	statsErr error
	dumpErr  error         // after the flows
	cost     time.Duration // of a whole dump
	support  conntrack.FilterSupport
	block    bool // a dump waits for its context

	reads, dumps, filtered int
	dumpedAt               []time.Time
	filteredAt             []time.Time
	filterCost             time.Duration
	listen                 func(context.Context, *eventCounter) error
	closed                 bool
}

func (s *table) with(fn func()) { s.mu.Lock(); defer s.mu.Unlock(); fn() }

func (s *table) stats(dst []conntrack.CPUStats) (conntrack.Usage, []conntrack.CPUStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return conntrack.Usage{Count: uint64(len(s.flows)), Limit: s.limit}, append(dst, s.cpus...), s.statsErr
}

func (s *table) dump(ctx context.Context, x conntrack.Filter) iter.Seq2[*flow.Flow, error] {
	return func(yield func(*flow.Flow, error) bool) {
		s.mu.Lock()
		flows, err, block := s.flows, s.dumpErr, s.block
		if x == (conntrack.Filter{}) {
			s.dumps++
			s.dumpedAt = append(s.dumpedAt, time.Now())
		} else {
			s.filtered++
			s.filteredAt = append(s.filteredAt, time.Now())
		}
		s.mu.Unlock()
		if block {
			<-ctx.Done()
			yield(nil, ctx.Err())
			return
		}
		for i := range flows {
			f := flows[i]
			if x.Takes(&f) && !yield(&f, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func (s *table) filters() conntrack.FilterSupport { return s.support }

func (s *table) addresses() (conntrack.Addresses, error) {
	return conntrack.Addresses{
		Interfaces: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
		HostRoutes: []netip.Addr{netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.8")},
	}, nil
}

func (s *table) cpu(fn func()) time.Duration {
	dumps, filtered := s.dumps, s.filtered
	fn()
	switch {
	case s.dumps > dumps:
		return s.cost
	case s.filtered > filtered:
		return s.filterCost
	}
	return time.Microsecond
}

func (s *table) events(ctx context.Context, _ int, c *eventCounter) error {
	if s.listen == nil {
		<-ctx.Done()
		return nil
	}
	return s.listen(ctx, c)
}

func (s *table) close() { s.closed = true }

// lab is a receiver on a table, with what it sent.
type lab struct {
	*table
	r       *conntrackReceiver
	metrics consumertest.MetricsSink
	logs    consumertest.LogsSink
	lines   *observer.ObservedLogs
}

func newLab(t *testing.T, change func(*Config)) *lab {
	t.Helper()
	core, lines := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	cfg := defaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	l := &lab{table: &table{limit: 1000, cost: 50 * time.Millisecond}, lines: lines}
	r, err := newReceiver(set, cfg, l.table)
	require.NoError(t, err)
	r.metrics, r.logs = &l.metrics, &l.logs
	l.r = r
	return l
}

func (l *lab) start(t *testing.T) {
	t.Helper()
	require.NoError(t, l.r.Start(t.Context(), componenttest.NewNopHost()))
}

func (l *lab) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, l.r.Shutdown(t.Context()))
}

// last is the newest value of each series: "name{attributes} @pod" → value.
func (l *lab) last() map[string]float64 {
	out := make(map[string]float64)
	for _, md := range l.metrics.AllMetrics() {
		eachPoint(md, func(name string, p pmetric.NumberDataPoint, pod string) {
			attrs := p.Attributes().AsRaw()
			var parts []string
			for _, k := range slices.Sorted(maps.Keys(attrs)) {
				parts = append(parts, fmt.Sprint(attrs[k]))
			}
			key := name
			if len(parts) > 0 {
				key += "{" + strings.Join(parts, ",") + "}"
			}
			if pod != "" {
				key += " @" + pod
			}
			v := float64(p.IntValue())
			if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
				v = p.DoubleValue()
			}
			out[key] = v
		})
	}
	return out
}

func eachPoint(md pmetric.Metrics, fn func(name string, p pmetric.NumberDataPoint, pod string)) {
	for _, rm := range md.ResourceMetrics().All() {
		pod := ""
		if v, ok := rm.Resource().Attributes().Get("k8s.pod.ip"); ok {
			pod = v.Str()
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, p := range m.Sum().DataPoints().All() {
					fn(m.Name(), p, pod)
				}
			}
		}
	}
}

func tuple(src, dst string) flow.Tuple {
	s, d := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	return flow.Tuple{Src: s.Addr(), SrcPort: s.Port(), Dst: d.Addr(), DstPort: d.Port()}
}

func syn(client, server string) flow.Flow {
	return flow.Flow{Proto: flow.TCP, State: flow.StateSynSent, Orig: tuple(client, server), Reply: tuple(server, client)}
}

func established(client, service, backend string) flow.Flow {
	return flow.Flow{Proto: flow.TCP, State: flow.StateEstablished, Status: flow.SeenReply | flow.Assured,
		Orig: tuple(client, service), Reply: tuple(backend, client)}
}

// flood is n half-open flows, each from a /24 of its own.
func flood(n int, server string) (flows []flow.Flow) {
	for i := range n {
		client := netip.AddrFrom4([4]byte{198, byte(i >> 8), byte(i), 7})
		flows = append(flows, syn(netip.AddrPortFrom(client, 1024).String(), server))
	}
	return flows
}
