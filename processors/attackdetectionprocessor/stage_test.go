package attackdetectionprocessor

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/tools/txtar"
	"gopkg.in/yaml.v3"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

var update = flag.Bool("update", false, "write the output of stages into their files")

// Each testdata/*.txtar is a stage: what the configuration is, what comes in,
// second by second, and what goes out. The detector is the fake.
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
			var out, telemetry string
			synctest.Test(t, func(t *testing.T) { out, telemetry = stage(t, part["config"], part["in"]) })
			if *update {
				ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { return f.Name == "out" || f.Name == "telemetry" })
				ar.Files = append(ar.Files, txtar.File{Name: "out", Data: []byte(out)}, txtar.File{Name: "telemetry", Data: []byte(telemetry)})
				require.NoError(t, os.WriteFile(file, txtar.Format(ar), 0o644))
				return
			}
			if diff := cmp.Diff(part["out"], out); diff != "" {
				t.Errorf("out (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(part["telemetry"], telemetry); diff != "" {
				t.Errorf("telemetry (-want +got):\n%s", diff)
			}
		})
	}
}

// stage feeds the input and tells the output and the telemetry.
func stage(t *testing.T, config, in string) (string, string) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(t.Context())) }()
	var judges []*fake
	f := newFactory(func(detect.Config) (judge, error) {
		judges = append(judges, newFake())
		return judges[len(judges)-1], nil
	})
	cfg := f.CreateDefaultConfig()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(config), &raw))
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(cfg))
	require.NoError(t, cfg.(*Config).Validate())

	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.ID = component.MustNewID("attack_detection")
	logSink, traceSink := new(consumertest.LogsSink), new(consumertest.TracesSink)
	logs, err := f.CreateLogs(t.Context(), set, cfg, logSink)
	require.NoError(t, err)
	traces, err := f.CreateTraces(t.Context(), set, cfg, traceSink)
	require.NoError(t, err)
	host := componenttest.NewNopHost()
	require.NoError(t, logs.Start(t.Context(), host))
	require.NoError(t, traces.Start(t.Context(), host))

	var out strings.Builder
	drain := func() {
		synctest.Wait()
		for _, ld := range logSink.AllLogs() {
			showLogs(&out, ld)
		}
		for _, td := range traceSink.AllTraces() {
			showTraces(&out, td)
		}
		logSink.Reset()
		traceSink.Reset()
	}
	begin := time.Now()
	for _, line := range strings.Split(strings.TrimSpace(in), "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		fmt.Fprintf(&out, "> %s\n", line)
		switch kind {
		case "wait":
			d, err := time.ParseDuration(rest)
			require.NoError(t, err)
			time.Sleep(d)
		case "log":
			require.NoError(t, logs.ConsumeLogs(t.Context(), readLog(t, rest, begin)))
		case "span":
			require.NoError(t, traces.ConsumeTraces(t.Context(), readSpan(t, rest)))
		default:
			t.Fatalf("unknown input %q", line)
		}
		drain()
	}
	out.WriteString("> shutdown\n")
	require.NoError(t, traces.Shutdown(t.Context()))
	require.NoError(t, logs.Shutdown(t.Context()))
	drain()
	for i, j := range judges {
		fmt.Fprintf(&out, "> judged by %d\n%s", i+1, strings.Join(append(j.requests, ""), "\n"))
		for _, m := range j.merged {
			fmt.Fprintf(&out, "merged %s\n", m)
		}
	}
	return out.String(), showMetrics(t, tel)
}

// readLog reads "key=value key=value | body", where an @key is the resource's
// and TIME stands for the wall clock in the common log's form.
func readLog(t *testing.T, s string, begin time.Time) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	attrs, body, _ := strings.Cut(s, "| ")
	pairs(t, attrs, rl.Resource().Attributes(), lr.Attributes())
	body = strings.ReplaceAll(body, "TIME", time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"))
	if v, ok := lr.Attributes().Get("event.name"); ok {
		lr.SetEventName(v.Str())
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		lr.Body().SetEmptyBytes().FromRaw([]byte(body))
		return ld
	}
	if body != "" {
		lr.Body().SetStr(body)
	}
	if v, ok := lr.Attributes().Get("ago"); ok {
		d, err := time.ParseDuration(v.Str())
		require.NoError(t, err)
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-d)))
		lr.Attributes().Remove("ago")
	}
	return ld
}

func readSpan(t *testing.T, s string) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	sp := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	pairs(t, s, rs.Resource().Attributes(), sp.Attributes())
	sp.SetKind(ptrace.SpanKindServer)
	if _, ok := sp.Attributes().Get("client"); ok {
		sp.SetKind(ptrace.SpanKindClient)
		sp.Attributes().Remove("client")
	}
	sp.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	sp.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-20 * time.Millisecond)))
	return td
}

func pairs(t *testing.T, s string, resource, own pcommon.Map) {
	for _, kv := range strings.Fields(s) {
		k, v, ok := strings.Cut(kv, "=")
		require.True(t, ok, "%q", kv)
		to := own
		if k[0] == '@' {
			k, to = k[1:], resource
		}
		if n, err := fmt.Sscanf(v, "%d", new(int64)); n == 1 && err == nil && !strings.ContainsAny(v, ".:") {
			var i int64
			fmt.Sscan(v, &i)
			to.PutInt(k, i)
			continue
		}
		to.PutStr(k, v)
	}
}

func showLogs(b *strings.Builder, ld plog.Logs) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				fmt.Fprintf(b, "log %s%s", lr.EventName(), showMap(lr.Attributes()))
				if t := lr.Body().Type(); t == pcommon.ValueTypeStr {
					fmt.Fprintf(b, " | %s", lr.Body().Str())
				} else if t == pcommon.ValueTypeBytes {
					fmt.Fprintf(b, " | %s", lr.Body().Bytes().AsRaw())
				} else if t != pcommon.ValueTypeEmpty {
					fmt.Fprintf(b, " | (%s)", t)
				}
				b.WriteByte('\n')
			}
		}
	}
}

func showTraces(b *strings.Builder, td ptrace.Traces) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				fmt.Fprintf(b, "span%s\n", showMap(s.Attributes()))
			}
		}
	}
}

func showMap(m pcommon.Map) string {
	var parts []string
	for k, v := range m.All() {
		if k != "event.name" {
			parts = append(parts, fmt.Sprintf(" %s=%s", k, v.AsString()))
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, "")
}

// showMetrics lists the telemetry that is not zero.
func showMetrics(t *testing.T, tel *componenttest.Telemetry) string {
	var rm metricdata.ResourceMetrics
	require.NoError(t, tel.Reader.Collect(t.Context(), &rm))
	var out []string
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			var points []metricdata.DataPoint[int64]
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				points = d.DataPoints
			case metricdata.Gauge[int64]:
				points = d.DataPoints
			}
			for _, p := range points {
				out = append(out, fmt.Sprintf("%s{%s} %d\n", m.Name, p.Attributes.Encoded(attribute.DefaultEncoder()), p.Value))
			}
		}
	}
	sort.Strings(out)
	return strings.Join(out, "")
}
