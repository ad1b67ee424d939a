package conntrackprocessor

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/tools/txtar"
	"gopkg.in/yaml.v3"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/processors/conntrackprocessor/internal/metadata"
)

var update = flag.Bool("update", false, "write what the stages give into testdata")

// TestStages runs each testdata/*.txtar: a config, a script of what comes in and
// when, all that leaves in the order in which it leaves, and the processor's own
// telemetry at the end. The verbs of a script stand at rig.line.
func TestStages(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			require.NoError(t, err)
			part := map[string]string{}
			for _, f := range ar.Files {
				part[f.Name] = string(f.Data)
			}
			var out, tel string
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, part["config"])
				r.run(part["in"])
				out, tel = r.out.String(), r.telemetry()
			})
			if *update {
				for i := range ar.Files {
					switch ar.Files[i].Name {
					case "out":
						ar.Files[i].Data = []byte(out)
					case "telemetry":
						ar.Files[i].Data = []byte(tel)
					}
				}
				require.NoError(t, os.WriteFile(file, txtar.Format(ar), 0o644))
				return
			}
			if diff := cmp.Diff(part["out"], out); diff != "" {
				t.Errorf("out (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(part["telemetry"], tel); diff != "" {
				t.Errorf("telemetry (-want +got):\n%s", diff)
			}
		})
	}
}

// rig is a processor with its three pipelines, and what was prepared for them.
type rig struct {
	t     testing.TB
	start time.Time
	tel   *componenttest.Telemetry
	m     processor.Metrics
	l     processor.Logs
	tr    processor.Traces
	out   strings.Builder

	refusal error // what the pipelines say of all that comes

	mu   sync.Mutex
	sent [3]strings.Builder // guarded by mu: metrics, logs, spans since the last settle

	res     map[string]string
	metrics pmetric.Metrics
	logs    plog.Logs
	traces  ptrace.Traces
	vars    map[string]float64 // counters that a script ramps
}

func newRig(t testing.TB, config string) *rig {
	r := &rig{t: t, start: time.Now(), tel: componenttest.NewTelemetry(), vars: map[string]float64{}}
	cfg := defaultConfig()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(config), &raw))
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))

	f := newFactory(func() uint64 { return 1 })
	set := processortest.NewNopSettings(metadata.Type)
	set.ID = component.MustNewIDWithName("conntrack", "rig")
	set.TelemetrySettings = r.tel.NewTelemetrySettings()
	var err error
	mc, _ := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error { r.writeMetrics(md); return r.refusal })
	lc, _ := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error { r.writeLogs(ld); return r.refusal })
	tc, _ := consumer.NewTraces(func(_ context.Context, td ptrace.Traces) error { r.writeTraces(td); return nil })
	r.m, err = f.CreateMetrics(t.Context(), set, cfg, mc)
	require.NoError(t, err)
	r.l, err = f.CreateLogs(t.Context(), set, cfg, lc)
	require.NoError(t, err)
	r.tr, err = f.CreateTraces(t.Context(), set, cfg, tc)
	require.NoError(t, err)
	for _, c := range []component.Component{r.l, r.tr, r.m} {
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	}
	r.reset()
	return r
}

// run plays a script, then shuts the pipelines down in the collector's order:
// metrics first here, so that findings must still leave with the logs.
func (r *rig) run(script string) {
	r.t.Helper()
	for s := bufio.NewScanner(strings.NewReader(script)); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			r.line(line)
		}
	}
	r.settle()
	defer r.settle()
	for _, c := range []component.Component{r.m, r.tr, r.l} {
		require.NoError(r.t, c.Shutdown(context.Background()))
		require.NoError(r.t, c.Shutdown(context.Background()), "twice")
	}
}

// line does one line of a script:
//
//	wait DURATION
//	resource KEY=VALUE…                  of all that follows
//	metric NAME VALUE KEY=VALUE…         a cumulative sum's point, now
//	flow PROTO STATE TIMEOUT SRC > DST [via BACKEND] [as MASQUERADED] [assured]
//	flows N …                            the same N times, sources counted up (by /24 with "spread")
//	record KEY=VALUE…  span KEY=VALUE…   a request log, a span
//	send                                 all that was prepared
//	ramp DURATION STEP NAME FROM PER_SECOND   a metric that grows, sent each step with the prepared others
func (r *rig) line(line string) {
	r.t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	args := strings.Fields(rest)
	switch verb {
	case "wait":
		time.Sleep(r.duration(args[0]))
		r.settle()
	case "resource":
		r.res = map[string]string{}
		for _, kv := range args {
			k, v, _ := strings.Cut(kv, "=")
			r.res[k] = v
		}
	case "metric":
		r.metric(args[0], r.number(args[1]), args[2:])
	case "flow":
		r.flow(args, 0)
	case "flows":
		for i := range int(r.number(args[0])) {
			r.flow(args[1:], i)
		}
	case "record":
		put(r.record().Attributes(), args)
	case "span":
		rs := r.traces.ResourceSpans().AppendEmpty()
		r.resource(rs.Resource())
		put(rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes(), args)
	case "send":
		r.send()
	case "ramp":
		r.ramp(args)
	default:
		r.t.Fatalf("no verb %q", verb)
	}
}

func (r *rig) ramp(args []string) {
	length, step := r.duration(args[0]), r.duration(args[1])
	v, slope := r.number(args[3]), r.number(args[4])
	limit := math.Inf(1)
	if len(args) > 5 {
		limit = r.number(args[5])
	}
	for d := time.Duration(0); d < length; d += step {
		r.metric(args[2], min(v+slope*d.Seconds(), limit), nil)
		r.send()
		time.Sleep(step)
		r.settle()
	}
}

func (r *rig) metric(name string, v float64, attrs []string) {
	rm := r.metrics.ResourceMetrics().AppendEmpty()
	if n := r.metrics.ResourceMetrics().Len(); n > 1 { // one resource a batch, as receivers do
		r.metrics.ResourceMetrics().RemoveIf(func(x pmetric.ResourceMetrics) bool { n--; return n == 0 })
		rm = r.metrics.ResourceMetrics().At(0)
	} else {
		r.resource(rm.Resource())
		rm.ScopeMetrics().AppendEmpty()
	}
	m := rm.ScopeMetrics().At(0).Metrics().AppendEmpty()
	m.SetName(name)
	m.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := m.Sum().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	p.SetIntValue(int64(v))
	put(p.Attributes(), attrs)
}

func (r *rig) record() plog.LogRecord {
	rl := r.logs.ResourceLogs()
	if rl.Len() == 0 {
		r.resource(rl.AppendEmpty().Resource())
		rl.At(0).ScopeLogs().AppendEmpty()
	}
	rec := rl.At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	rec.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	return rec
}

func (r *rig) flow(args []string, i int) {
	f := flow.Flow{State: flow.ParseState(args[1]), Timeout: r.duration(args[2]), Status: flow.Confirmed}
	f.Proto, _ = flow.ParseProto(args[0])
	src, dst := netip.MustParseAddrPort(args[3]), netip.MustParseAddrPort(args[5])
	via, as := dst, netip.AddrPort{}
	for k := 6; k < len(args); k++ {
		switch args[k] {
		case "via":
			via = netip.MustParseAddrPort(args[k+1])
		case "as":
			as = netip.MustParseAddrPort(args[k+1])
		case "assured":
			f.Status |= flow.SeenReply | flow.Assured
		case "replied":
			f.Status |= flow.SeenReply
		case "spread":
			a := src.Addr().As4()
			n := uint32(a[0])<<24 + uint32(a[1])<<16 + uint32(a[2])<<8 + uint32(a[3]) + uint32(i)*256
			src = netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), src.Port())
		case "ports":
			src = netip.AddrPortFrom(src.Addr(), src.Port()+uint16(i))
		case "aging": // one second older each of so many
			per := int(r.number(args[k+1]))
			f.Timeout = max(f.Timeout-time.Duration(i/per)*time.Second, 0)
		}
	}
	if !as.IsValid() {
		as = src
	}
	f.Orig = flow.Tuple{Src: src.Addr(), SrcPort: src.Port(), Dst: dst.Addr(), DstPort: dst.Port()}
	f.Reply = flow.Tuple{Src: via.Addr(), SrcPort: via.Port(), Dst: as.Addr(), DstPort: as.Port()}
	f.Record(r.record(), time.Now())
}

func (r *rig) send() {
	r.t.Helper()
	ctx := context.Background()
	if r.metrics.DataPointCount() > 0 {
		require.NoError(r.t, r.m.ConsumeMetrics(ctx, r.metrics))
	}
	if r.logs.LogRecordCount() > 0 {
		require.NoError(r.t, r.l.ConsumeLogs(ctx, r.logs))
	}
	if r.traces.SpanCount() > 0 {
		require.NoError(r.t, r.tr.ConsumeTraces(ctx, r.traces))
	}
	r.reset()
	r.settle()
}

func (r *rig) reset() {
	r.metrics, r.logs, r.traces = pmetric.NewMetrics(), plog.NewLogs(), ptrace.NewTraces()
}

func (r *rig) resource(res pcommon.Resource) {
	for k, v := range r.res {
		res.Attributes().PutStr(k, v)
	}
}

func (r *rig) duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	require.NoError(r.t, err)
	return d
}

func (r *rig) number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(r.t, err)
	return v
}

func put(a pcommon.Map, kvs []string) {
	for _, kv := range kvs {
		k, v, _ := strings.Cut(kv, "=")
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			a.PutInt(k, n)
		} else {
			a.PutStr(k, v)
		}
	}
}

// settle waits until all is quiet and writes down what left since the last
// time: metrics, then logs, then spans, since within one moment their order is
// the scheduler's.
func (r *rig) settle() {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.sent {
		r.out.WriteString(r.sent[i].String())
		r.sent[i].Reset()
	}
}

// into locks and gives the place for one signal's lines.
func (r *rig) into(signal int) (w *strings.Builder, done func()) {
	r.mu.Lock()
	return &r.sent[signal], r.mu.Unlock
}

func (r *rig) say(w *strings.Builder, format string, args ...any) {
	fmt.Fprintf(w, "%-6s ", "+"+time.Since(r.start).Round(time.Millisecond).String())
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

// writeMetrics tells only what the processor added: all else passes by
// construction, and TestWhatCameInGoesOutUntouched holds that.
func (r *rig) writeMetrics(md pmetric.Metrics) {
	w, done := r.into(0)
	defer done()
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			if sm.Scope().Name() != metadata.ScopeName {
				continue
			}
			var parts []string
			for _, m := range sm.Metrics().All() {
				for _, p := range m.Gauge().DataPoints().All() {
					name := m.Name()[strings.LastIndex(m.Name(), "conntrack.")+len("conntrack."):]
					parts = append(parts, fmt.Sprintf("%s%s=%.4g", name, labels(p.Attributes()), p.DoubleValue()))
				}
			}
			r.say(w, "metrics %s", strings.Join(parts, " "))
		}
	}
}

func (r *rig) writeLogs(ld plog.Logs) {
	w, done := r.into(1)
	defer done()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				if !finding.Is(rec) {
					r.say(w, "log     %s%s", rec.EventName(), labels(rec.Attributes()))
					continue
				}
				f, err := finding.FromLogRecord(rec)
				require.NoError(r.t, err)
				r.writeFinding(w, f, labels(rl.Resource().Attributes()))
			}
		}
	}
}

func (r *rig) writeFinding(w *strings.Builder, f finding.Finding, res string) {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Sub(r.start).String()
	}
	r.say(w, "finding %s %s on %s%s confidence=%.2f requests=%d started=%s detected=%s closed=%s",
		f.Status, f.Class, f.Service, res, f.Confidence, f.Requests, at(f.StartedAt), at(f.DetectedAt), at(f.ClosedAt))
	for _, e := range f.Evidence {
		fmt.Fprintf(w, "         %-7s %s %.4g, normally %.4g %s %q\n", e.Points, e.Dimension, e.Value, e.Normal, e.Unit, e.Note)
	}
	for _, a := range f.Actors[:min(len(f.Actors), 3)] {
		fmt.Fprintf(w, "         actor   %s %s %.3f\n", a.Kind, a.Value, a.Share)
	}
	for _, x := range f.Rules {
		fmt.Fprintf(w, "         rule    %s %s %v\n", x.Action, x.Kind, x.Match)
	}
}

func (r *rig) writeTraces(td ptrace.Traces) {
	w, done := r.into(2)
	defer done()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				r.say(w, "span    %s", labels(s.Attributes()))
			}
		}
	}
}

func labels(a pcommon.Map) string {
	var kv []string
	for k, v := range a.All() {
		kv = append(kv, k+"="+v.AsString())
	}
	slices.Sort(kv)
	if len(kv) == 0 {
		return ""
	}
	return "{" + strings.Join(kv, " ") + "}"
}

// telemetry lists the processor's own sums.
func (r *rig) telemetry() string {
	var rm metricdata.ResourceMetrics
	require.NoError(r.t, r.tel.Reader.Collect(context.Background(), &rm))
	var lines []string
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, p := range sum.DataPoints {
					attr := ""
					for _, kv := range p.Attributes.ToSlice() {
						attr += "{" + string(kv.Key) + "=" + kv.Value.String() + "}"
					}
					lines = append(lines, fmt.Sprintf("%s%s %d\n", m.Name, attr, p.Value))
				}
			}
		}
	}
	slices.Sort(lines)
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l)
	}
	return b.String()
}
