package redactprocessor

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/redactionprocessor"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/names"
)

func TestNothingSecretLeavesInALogRecord(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := processortest.NewNopSettings(NewFactory().Type())
	set.TelemetrySettings = tel.NewTelemetrySettings()
	sink := new(consumertest.LogsSink)
	p, err := NewFactory().CreateLogs(t.Context(), set, &Config{Kinds: defaultConfig().Kinds, IgnoreAttributes: []string{"kept"}}, sink)
	require.NoError(t, err)

	in := plog.NewLogs()
	rl := in.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("owner", "ana@example.com")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	a := records.AppendEmpty()
	a.Body().SetStr("GET /a?token=x1 by ana@example.com")
	require.NoError(t, a.Attributes().FromRaw(map[string]any{
		"url.query": "code=7&x=1", "db.password": int64(1234), "pan": int64(4111111111111111), "size": int64(4111111111111112), "kept": "rui@example.com",
		"user": map[string]any{"cards": []any{"5555555555554444", "no"}, "secret": []any{"s1"}}, "raw": []byte("\xff rui@example.com"),
	}))
	deep := records.AppendEmpty()
	v := deep.Body()
	for range maxDepth + 1 {
		v = v.SetEmptySlice().AppendEmpty()
	}
	v.SetStr("ana@example.com")
	for _, put := range []func(plog.LogRecord){
		func(lr plog.LogRecord) { lr.SetEventName(names.EventSummary) },
		func(lr plog.LogRecord) { lr.Attributes().PutStr(names.EventName, names.EventSummary) },
	} {
		lr := records.AppendEmpty()
		put(lr)
		lr.Body().SetEmptyBytes().FromRaw([]byte("a@b.cd is a sketch"))
	}
	require.NoError(t, p.ConsumeLogs(t.Context(), in))

	got := sink.AllLogs()[0].ResourceLogs().At(0)
	require.Equal(t, map[string]any{"owner": "REDACTED-EMAIL"}, got.Resource().Attributes().AsRaw())
	out := got.ScopeLogs().At(0).LogRecords()
	require.Equal(t, "GET /a?token=REDACTED-SECRET by REDACTED-EMAIL", out.At(0).Body().Str())
	want := map[string]any{
		"url.query": "code=REDACTED-SECRET&x=1", "db.password": "REDACTED-SECRET", "pan": "REDACTED-CARD", "size": int64(4111111111111112), "kept": "rui@example.com",
		"user": map[string]any{"cards": []any{"REDACTED-CARD", "no"}, "secret": []any{"REDACTED-SECRET"}}, "raw": []byte("\xff REDACTED-EMAIL"),
	}
	if d := cmp.Diff(want, out.At(0).Attributes().AsRaw()); d != "" {
		t.Error(d)
	}
	require.NotContains(t, out.At(1).Body().AsString(), "ana@example.com")
	require.Contains(t, out.At(1).Body().AsString(), "REDACTED-DEPTH")
	for i := 2; i < 4; i++ {
		require.Equal(t, "a@b.cd is a sketch", string(out.At(i).Body().Bytes().AsRaw()), "a summary is no text")
	}
	m, err := tel.GetMetric(names.RedactReplaced)
	require.NoError(t, err)
	counted := map[string]int64{}
	for _, dp := range m.Data.(metricdata.Sum[int64]).DataPoints {
		kind, _ := dp.Attributes.Value(names.RedactKind)
		counted[kind.AsString()] += dp.Value
	}
	require.Equal(t, map[string]int64{"tokens": 3, "cards": 2, "emails": 3, "urls": 2}, counted)
}

func TestNothingSecretLeavesInASpan(t *testing.T) {
	sink := new(consumertest.TracesSink)
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(NewFactory().Type()), defaultConfig(), sink)
	require.NoError(t, err)
	in := ptrace.NewTraces()
	s := in.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName("GET /u/ana@example.com")
	s.Status().SetMessage("refused Bearer abcdefgh1")
	s.Attributes().PutStr("url.full", "https://u:p@tv.example.com/x?sig=1")
	e := s.Events().AppendEmpty()
	e.SetName("mail rui@example.com")
	e.Attributes().PutStr("exception.message", "password=p1 refused")
	s.Links().AppendEmpty().Attributes().PutStr("by", "ana@example.com")
	require.NoError(t, p.ConsumeTraces(t.Context(), in))
	got := sink.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	lines := []string{got.Name(), got.Status().Message(), got.Attributes().AsRaw()["url.full"].(string), got.Events().At(0).Name(), got.Events().At(0).Attributes().AsRaw()["exception.message"].(string), got.Links().At(0).Attributes().AsRaw()["by"].(string)}
	want := []string{"GET /u/REDACTED-EMAIL", "refused Bearer REDACTED-TOKEN", "https://REDACTED-SECRET@tv.example.com/x?sig=REDACTED-SECRET", "mail REDACTED-EMAIL", "password=REDACTED-SECRET refused", "REDACTED-EMAIL"}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
}

func TestAConfigurationThatHidesNothingIsRefused(t *testing.T) {
	require.NoError(t, defaultConfig().Validate())
	require.ErrorContains(t, (&Config{}).Validate(), "kinds is empty")
	require.ErrorContains(t, (&Config{Kinds: []string{"iban"}, IgnoreAttributes: []string{""}}).Validate(), `(got "iban")`)
}

// The same lines through contrib's redaction, with patterns for the same kinds.
func BenchmarkALine(b *testing.B) {
	contrib := redactionprocessor.NewFactory()
	theirs := contrib.CreateDefaultConfig().(*redactionprocessor.Config)
	theirs.AllowAllKeys, theirs.Summary = true, "silent"
	theirs.BlockedValues = []string{
		`eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`, `(?i)(bearer|basic) [a-z0-9._~+/=-]{8,}`, `\b(AKIA|ASIA)[A-Z0-9]{16}\b`, `(?i)(password|secret|token|api_?key)["']?[=:]\s*["']?[^\s"'&]+`,
		`\b(?:\d[ -]?){13,19}\b`, `[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`, `://[^/\s@]+@`, `(?i)[?&](token|password|code|sig|signature|key|state)=[^&\s"]+`,
	}
	for name, c := range map[string]struct {
		factory processor.Factory
		config  component.Config
	}{"vigie": {NewFactory(), defaultConfig()}, "contrib": {contrib, theirs}} {
		b.Run(name, func(b *testing.B) {
			p, err := c.factory.CreateLogs(b.Context(), processortest.NewNopSettings(c.factory.Type()), c.config, consumertest.NewNop())
			require.NoError(b, err)
			logs := plog.NewLogs()
			records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			const lines = 1000
			for range lines {
				lr := records.AppendEmpty()
				lr.Body().SetStr(`203.0.113.9 - - [14/Jun/2026:19:00:00 +0000] "GET /live/1.m3u8?quality=hd&seq=1234567890 HTTP/1.1" 200 51234 "https://tv.example.com/final" "` + strings.Repeat("Mozilla/5.0 ", 5) + `"`)
				lr.Attributes().PutStr("log.iostream", "stdout")
				lr.Attributes().PutStr("vigie.finding.id", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736")
			}
			b.ReportAllocs()
			for b.Loop() {
				_ = p.ConsumeLogs(b.Context(), logs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/line")
		})
	}
}
