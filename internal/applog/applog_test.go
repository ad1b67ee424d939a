package applog

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// show puts a record into one line: severity, time, trace, message, fields.
func show(r *Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Kind)
	if r.Severity != 0 {
		fmt.Fprintf(&b, " sev=%d(%s)", r.Severity, r.SeverityText)
	}
	if r.Time != 0 {
		fmt.Fprintf(&b, " at=%s", time.Unix(0, r.Time).UTC().Format(time.RFC3339Nano))
	}
	if r.TraceID != [16]byte{} {
		fmt.Fprintf(&b, " trace=%s", hex.EncodeToString(r.TraceID[:]))
	}
	if r.SpanID != [8]byte{} {
		fmt.Fprintf(&b, " span=%s", hex.EncodeToString(r.SpanID[:]))
	}
	if r.Sampled {
		b.WriteString(" sampled")
	}
	if r.HasMessage {
		fmt.Fprintf(&b, " msg=%q", r.Message)
	}
	for _, f := range r.Fields {
		switch f.Type {
		case Int:
			fmt.Fprintf(&b, " %s=%d", f.Key, f.Int)
		case Float:
			fmt.Fprintf(&b, " %s=%g", f.Key, f.Float)
		case Bool:
			fmt.Fprintf(&b, " %s=%v", f.Key, f.Int == 1)
		case List:
			fmt.Fprintf(&b, " %s=list%s", f.Key, f.Str)
		case Thing:
			fmt.Fprintf(&b, " %s=json%s", f.Key, f.Str)
		default:
			fmt.Fprintf(&b, " %s=%q", f.Key, f.Str)
		}
	}
	if !r.Whole {
		b.WriteString(" …")
	}
	return b.String()
}

func TestWhatTheCommonWritersSayIsUnderstood(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"zap", `{"level":"info","ts":1752260400.123457,"caller":"a/b.go:12","msg":"ready","port":8080}`,
			`fields sev=9(info) at=2025-07-11T19:00:00.123457Z msg="ready" caller="a/b.go:12" port=8080`},
		{"slog", `{"time":"2026-07-11T21:00:00.5+02:00","level":"WARN","msg":"slow","took":1.25,"req":{"id":7,"ok":true}}`,
			`fields sev=13(WARN) at=2026-07-11T19:00:00.5Z msg="slow" took=1.25 req.id=7 req.ok=true`},
		{"pino", `{"level":50,"time":1752260400123,"pid":1,"hostname":"web-0","msg":"no seat"}`,
			`fields sev=17(50) at=2025-07-11T19:00:00.123Z msg="no seat" pid=1 hostname="web-0"`},
		{"logback", `{"@timestamp":"2026-07-11T19:00:00.000Z","@version":"1","message":"x","logger_name":"dev.vigie.A","level":"ERROR","level_value":40000,"stack_trace":"java.lang.E: x\n\tat a.b(C.java:1)"}`,
			"fields sev=17(ERROR) at=2026-07-11T19:00:00Z msg=\"x\" @version=\"1\" logger_name=\"dev.vigie.A\" level_value=40000 stack_trace=\"java.lang.E: x\\n\\tat a.b(C.java:1)\""},
		{"ecs", `{"@timestamp":"2026-07-11T19:00:00Z","log.level":"debug","log":{"logger":"a"},"trace":{"id":"0af7651916cd43dd8448eb211c80319c"},"span":{"id":"b7ad6b7169203331"},"message":"m"}`,
			`fields sev=5(debug) at=2026-07-11T19:00:00Z trace=0af7651916cd43dd8448eb211c80319c span=b7ad6b7169203331 msg="m" log.logger="a"`},
		{"structlog", `{"event":"cart emptied","level":"warning","timestamp":"2026-07-11T19:00:00.123456Z","cart":null}`,
			`fields sev=13(warning) at=2026-07-11T19:00:00.123456Z msg="cart emptied"`},
		{"an event beside a message", `{"event":"login","msg":"ok","level":"info"}`, `fields sev=9(info) msg="ok" event="login"`},
		{"powertools", `{"level":"INFO","location":"h:7","message":"x","timestamp":"2026-07-11 19:00:00,123+0000","xray_trace_id":"1-5f84c7a1-e7d1852d8c4fe7a3e2b1c9d0"}`,
			`fields sev=9(INFO) at=2026-07-11T19:00:00.123Z trace=5f84c7a1e7d1852d8c4fe7a3e2b1c9d0 msg="x" location="h:7"`},
		{"X-Ray with its segment", `{"AWS-XRAY-TRACE-ID":"1-5f84c7a1-e7d1852d8c4fe7a3e2b1c9d0@b7ad6b7169203331","message":"x"}`,
			`fields trace=5f84c7a1e7d1852d8c4fe7a3e2b1c9d0 span=b7ad6b7169203331 msg="x"`},
		{"X-Ray's header", `{"x-amzn-trace-id":"Self=1-5f84c7a1-000000000000000000000001;Root=1-5f84c7a1-e7d1852d8c4fe7a3e2b1c9d0;Parent=b7ad6b7169203331;Sampled=1"}`,
			`fields trace=5f84c7a1e7d1852d8c4fe7a3e2b1c9d0 span=b7ad6b7169203331 sampled`},
		{"W3C", `{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","severity_text":"INFO2","severity_number":10}`,
			`fields sev=10(10) trace=0af7651916cd43dd8448eb211c80319c span=b7ad6b7169203331 sampled severity_text="INFO2"`},
		{"otel's bridges", `{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":"01","body":"b"}`,
			`fields trace=0af7651916cd43dd8448eb211c80319c span=b7ad6b7169203331 sampled body="b"`},
		{"Zipkin's short IDs", `{"traceId":"b7ad6b7169203331","spanId":"b7ad6b7169203332"}`,
			`fields trace=0000000000000000b7ad6b7169203331 span=b7ad6b7169203332`},
		{"IDs that are none", `{"trace_id":"00000000000000000000000000000000","span_id":"request-7","msg":"m"}`,
			`fields msg="m" trace_id="00000000000000000000000000000000" span_id="request-7"`},
		{"a time that is a duration", `{"time":0.25,"ts":12,"level":3,"msg":"m"}`, `fields msg="m" time=0.25 ts=12 level=3`},
		{"ns and µs", `{"ts":1752260400123456789,"time":1752260400123456}`, `fields at=2025-07-11T19:00:00.123456789Z time=1752260400123456`},
		{"two times", `{"time":"2026-07-11T19:00:00Z","timestamp":"2026-07-11T19:00:01Z"}`, `fields at=2026-07-11T19:00:00Z timestamp="2026-07-11T19:00:01Z"`},
		{"escapes", `{"msg":"a\"b\\c\u00e9\ud83d\ude00\/\n","k\u0065y":"\q"}`, "fields msg=\"a\\\"b\\\\cé😀/\\n\" key=\"\\\\q\""},
		{"lists", `{"tags":["a",1,null],"rows":[{"a":1}],"empty":{},"none":[]}`, `fields tags=list["a",1,null] rows=json[{"a":1}] none=list[]`},
		{"numbers", `{"a":-12,"b":1e3,"c":12345678901234567890123,"d":9223372036854775807,"e":-0.5,"f":NaN}`,
			`fields a=-12 b=1000 c="12345678901234567890123" d=9223372036854775807 e=-0.5 f="NaN"`},
		{"too deep", `{"a":{"b":{"c":{"d":{"e":1}}}}}`, `fields a.b.c.d=json{"e":1}`},
		{"what only Vigie may say", `{"msg":"m","vigie.finding.id":"x","event.name":"vigie.summary","vigie":{"suspicion":1}}`, `fields msg="m" …`},
		{"an access log in JSON", `{"time_local":"x","remote_addr":"192.0.2.1","request":"GET / HTTP/1.1","status":200,"trace_id":"0af7651916cd43dd8448eb211c80319c"}`,
			`access trace=0af7651916cd43dd8448eb211c80319c time_local="x" remote_addr="192.0.2.1" request="GET / HTTP/1.1" status=200`},
		{"logfmt", `time=2026-07-11T19:00:00Z level=error msg="no \"seat\"" user=7 path=/live`,
			`fields sev=17(error) at=2026-07-11T19:00:00Z msg="no \"seat\"" user="7" path="/live"`},
		{"go-kit", `ts=2026-07-11T19:00:00.25Z caller=main.go:1 level=info component=head`,
			`fields sev=9(info) at=2026-07-11T19:00:00.25Z caller="main.go:1" component="head"`},
		{"an equals sign is no logfmt", `a=b c=d`, `plain`},
		{"words between pairs are no logfmt", `level=info the cache is cold`, `plain sev=9(info)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, show(New(Limits{}).Parse(Auto, c.line, 0))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTheSeverityOfPlainLinesStandsInFront(t *testing.T) {
	p := New(Limits{})
	for line, want := range map[string]string{
		"I1122 19:00:00.123456       1 main.go:7] started":               "plain sev=9(I)",
		"E1122 19:00:00.123456       1 main.go:7] broke":                 "plain sev=17(E)",
		"2026-07-11 19:00:00.123  WARN 7 --- [  main] d.v.A : x":         "plain sev=13(WARN)",
		"[2026-07-11T19:00:00Z] [ERROR] x":                               "plain sev=17(ERROR)",
		"2026/07/11 19:00:00 [crit] 29#29: *1 open() failed":             "plain sev=21(crit)",
		"19:00:00.123 [http-nio-8080-exec-1] DEBUG dev.vigie.Player - x": "plain sev=5(DEBUG)",
		"warn: Microsoft.Hosting.Lifetime[0]":                            "plain sev=13(warn)",
		"ERROR:root:it broke":                                            "plain sev=17(ERROR)",
		"error: it broke":                                                "plain sev=17(error)",
		"2026-07-11T19:00:00Z error: it broke":                           "plain sev=17(error)",
		"Error while reading":                                            "plain",
		"an error: of mine":                                              "plain",
		"the WARNING-light is on":                                        "plain",
		"nothing said":                                                   "plain",
		"":                                                               "plain",
		`msg with level="warn" inside`:                                   "plain sev=13(warn)",
		"sublevel=warn x":                                                "plain",
		strings.Repeat("x ", 60) + "ERROR":                               "plain",
		`192.0.2.1 - - [x] "GET /ERROR HTTP/1.1" 200 1 "-" "[ERROR]"`:    "access",
		"{not json at all}":                                              "broken",
		`{"a":1} trailing`:                                               "plain",
		`{"a":1}{"b":2}`:                                                 "broken",
		`{"a":tru}`:                                                      "broken",
		`{"a":"unterminated}`:                                            "broken",
		`{"a":0x10}`:                                                     "broken",
		`{}`:                                                             "fields",
		`  {"a":1}`:                                                      "plain",
	} {
		require.Equal(t, want, show(p.Parse(Auto, line, 0)), line)
	}
	require.Equal(t, int64(5), p.Stats.Kinds[Broken])
}

func TestWhatIsSaidToBeAFormatIsReadAsThatOnly(t *testing.T) {
	p := New(Limits{})
	require.Equal(t, `fields a=1`, show(p.Parse(JSON, `  {"a":1} `, 0)))
	require.Equal(t, `broken`, show(p.Parse(JSON, `level=info msg=x`, 0)))
	request := `{"status":200,"uri":"/","client_ip":"192.0.2.1"}`
	require.Equal(t, `access status=200 uri="/" client_ip="192.0.2.1"`, show(p.Parse(Auto, request, 0)))
	require.Equal(t, `fields status=200 uri="/" client_ip="192.0.2.1"`, show(p.Parse(JSON, request, 0)))
	require.True(t, p.rec.Request)
	require.Equal(t, `fields a="1" done=true`, show(p.Parse(Logfmt, `a=1 done`, 0)))
	require.Equal(t, `broken`, show(p.Parse(Logfmt, `no pair at all`, 0)))
	require.Equal(t, `broken`, show(p.Parse(Logfmt, `{"a":1}`, 0)))
	require.Equal(t, `plain sev=17(ERROR)`, show(p.Parse(Text, `ERROR {"level":"info"}`, 0)))
	require.Equal(t, `plain`, show(p.Parse(Raw, `{"level":"info"}`, 0)))
}

// A time without a zone is in UTC, or nobody knows in what: if it is far from
// when the runtime saw the line, the runtime's time stands.
func TestATimeWithoutAZoneIsBelievedIfItIsNear(t *testing.T) {
	p := New(Limits{})
	near := time.Date(2026, 7, 11, 19, 0, 1, 0, time.UTC).UnixNano()
	require.Equal(t, `fields at=2026-07-11T19:00:00Z`, show(p.Parse(Auto, `{"time":"2026-07-11 19:00:00"}`, near)))
	require.Equal(t, `fields time="2026-07-11 21:00:00"`, show(p.Parse(Auto, `{"time":"2026-07-11 21:00:00"}`, near)))
	require.Equal(t, `fields at=2026-07-11T20:00:00Z`, show(p.Parse(Auto, `{"time":"2026-07-11T20:00:00Z"}`, near)), "with its zone it is believed")
}

func TestALineIsBoundedInFieldsAndNames(t *testing.T) {
	p := New(Limits{Fields: 3, KeyBytes: 8})
	require.Equal(t, `fields msg="m" a=1 b=2 c=3 …`, show(p.Parse(Auto, `{"a":1,"b":2,"c":3,"d":4,"e":5,"msg":"m"}`, 0)))
	require.Equal(t, int64(2), p.Stats.TooMany)
	require.Equal(t, `fields a=1 …`, show(p.Parse(Auto, `{"a":1,"muchtoolong":2,"a2":{"alsolong":{"x":1}}}`, 0)))
	require.Equal(t, int64(2), p.Stats.LongKeys)
}

func TestKeysThatAreValuesDoNotGrowTheTable(t *testing.T) {
	p := New(Limits{})
	for i := range 3 * maxKeys {
		p.Parse(Auto, fmt.Sprintf(`{"user-%d":{"a":1},"msg":"m"}`, i), 0)
	}
	require.LessOrEqual(t, len(p.keys.known), maxKeys)
	require.Equal(t, `fields msg="m" u.a=1`, show(p.Parse(Auto, `{"u":{"a":1},"msg":"m"}`, 0)))
}

func TestAListThatIsTooLongStaysText(t *testing.T) {
	for n, want := range map[int]Type{maxList: List, maxList + 1: Thing} {
		list := "[" + strings.Repeat("1,", n-1) + "1]"
		f := New(Limits{}).Parse(Auto, `{"a":`+list+`}`, 0).Fields[0]
		require.Equal(t, want, f.Type)
		require.Equal(t, list, f.Str)
	}
}

func TestAListGivesItsScalars(t *testing.T) {
	var got []string
	r := New(Limits{}).Parse(Auto, `{"a":[ "x,\"y" , 2, null,true,-1.5 ]}`, 0)
	for v := range r.Fields[0].Each {
		got = append(got, fmt.Sprintf("%d|%s|%d|%g", v.Type, v.Str, v.Int, v.Float))
	}
	require.Equal(t, []string{`0|x,"y|0|0`, "1||2|0", "3||1|0", "2||0|-1.5"}, got)
}

// Whatever comes: no panic, a broken line is given back, and what encoding/json
// reads is not called broken.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"level":"info","a":[1,{"b":"\ud800"}],"c":{"d":null}}`, `{"a":`, `a=b c="d\"" level=x`, "I1122 19:00:00.123456 x", `{"time":"2026-07-11 19:00:00,1+02"}`,
		`{"x-amzn-trace-id":"Root=1-5f84c7a1-e7d1852d8c4fe7a3e2b1c9d0;"}`, `{"":1,"\"":-}`, `{"a":1e999}`,
	} {
		f.Add(s)
	}
	p := New(Limits{})
	f.Fuzz(func(t *testing.T, line string) {
		for _, format := range []Format{Auto, JSON, Logfmt, Text, Raw} {
			r := p.Parse(format, line, 1)
			if len(r.Fields) > DefaultLimits.Fields {
				t.Fatalf("%d fields", len(r.Fields))
			}
			for _, field := range r.Fields {
				for range field.Each { //nolint:revive // it must end
				}
			}
			if format == JSON && r.Kind == Broken && strings.HasPrefix(line, "{") {
				var m map[string]any
				if json.Unmarshal([]byte(line), &m) == nil {
					t.Fatalf("broken: %q", line)
				}
			}
		}
	})
}

var benchLines = map[string]string{
	"json":   `{"time":"2026-07-11T19:00:00.123Z","level":"info","msg":"segment delivered","viewer":4711,"segment":12,"bytes":98304,"edge":"fra-1"}`,
	"nested": `{"ts":1752260400.123457,"level":"warn","msg":"slow upstream","trace_id":"0af7651916cd43dd8448eb211c80319c","http":{"method":"GET","route":"/live/:id","status":200},"upstream":{"name":"origin-2","took":1.25},"error":"context \"deadline\" exceeded"}`,
	"logfmt": `time=2026-07-11T19:00:00.123Z level=info msg="segment delivered" viewer=4711 segment=12 bytes=98304 edge=fra-1`,
	"text":   `2026-07-11 19:00:00.123 INFO  [main] dev.vigie.Player - segment 4711 delivered in 12 ms`,
	"nginx":  `192.0.2.1 - - [11/Jul/2026:19:00:00 +0000] "GET /live/match-1/seg-7.m4s HTTP/1.1" 200 98304 "https://tv.example.org/match" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`,
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"json", "nested", "logfmt", "text", "nginx"} {
		b.Run(name, func(b *testing.B) {
			p := New(Limits{})
			line := benchLines[name]
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				p.Parse(Auto, line, 0)
			}
		})
	}
}

func TestReadingAKnownLineAllocatesNothing(t *testing.T) {
	p := New(Limits{})
	for _, name := range []string{"json", "logfmt", "text", "nginx"} {
		line := benchLines[name]
		require.Zero(t, testing.AllocsPerRun(100, func() { p.Parse(Auto, line, 0) }), name)
	}
}
