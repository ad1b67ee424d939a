package containerlogreceiver

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/applog"
)

// told puts a record into words: severity, time, trace, body, attributes.
func told(lr plog.LogRecord) string {
	var b strings.Builder
	if n := lr.SeverityNumber(); n != 0 {
		fmt.Fprintf(&b, "%d(%s) ", n, lr.SeverityText())
	}
	if at := lr.Timestamp(); at != 0 {
		fmt.Fprintf(&b, "%s ", at.AsTime().Format("15:04:05.999"))
	}
	if id := lr.TraceID(); !id.IsEmpty() {
		fmt.Fprintf(&b, "%s/%s/%v ", id, lr.SpanID(), lr.Flags().IsSampled())
	}
	attributes, _ := json.Marshal(lr.Attributes().AsRaw()) // maps are sorted
	fmt.Fprintf(&b, "%q %s", lr.Body().AsString(), attributes)
	return b.String()
}

func (d *desk) wantRecords(want ...string) {
	d.t.Helper()
	var got []string
	for _, lr := range d.records(time.Second) {
		got = append(got, told(lr))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Fatal(diff)
	}
}

func TestABodyInJSONBecomesARecordOfItsOwnWords(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod,
		`stdout F {"time":"2026-07-11T18:59:59.5Z","level":"warn","msg":"seat taken","seat":{"row":7,"free":false},"tags":["a",2],"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":1}`,
		`stdout F {"level":30,"msg":"","n":1.5}`,
		`stderr F level=error msg="it broke" took=3ms`,
	)
	d.wantRecords(
		`13(warn) 18:59:59.5 0af7651916cd43dd8448eb211c80319c/b7ad6b7169203331/true "seat taken" {"log.iostream":"stdout","seat.free":false,"seat.row":7,"tags":["a",2]}`,
		`9(30) 19:00:00.123 "{\"level\":30,\"msg\":\"\",\"n\":1.5}" {"log.iostream":"stdout","msg":"","n":1.5}`,
		`17(error) 19:00:00.123 "it broke" {"log.iostream":"stderr","took":"3ms"}`,
	)
	require.Equal(t, int64(3), d.r.counts.kinds[applog.Fields].Load())
}

func TestTheBodyStaysTheLineWhereItIsAskedForOrSomethingWouldBeLost(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Parse.Body = "line" })
	d.cri(pod, `stdout F {"msg":"m","a":1}`)
	d.wantRecords(`19:00:00.123 "{\"msg\":\"m\",\"a\":1}" {"a":1,"log.iostream":"stdout","message":"m"}`)

	d = newDesk(t, func(c *Config) { c.Parse.MaxFields = 1 })
	d.cri(pod, `stdout F {"msg":"m","a":1,"b":2}`, `stdout F {"msg":"m","vigie.finding.id":"mine"}`)
	d.wantRecords(`19:00:00.123 "{\"msg\":\"m\",\"a\":1,\"b\":2}" {"a":1,"log.iostream":"stdout"}`,
		`19:00:00.123 "{\"msg\":\"m\",\"vigie.finding.id\":\"mine\"}" {"log.iostream":"stdout"}`)
	require.Equal(t, int64(1), d.r.counts.manyFields.Load())
	require.Equal(t, int64(1), d.r.counts.reserved.Load())
}

func TestBrokenJSONPassesAsItIsAndIsCounted(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, `stdout F {"msg":"m",}`)
	d.wantRecords(`19:00:00.123 "{\"msg\":\"m\",}" {"log.iostream":"stdout"}`)
	require.Equal(t, int64(1), d.r.counts.kinds[applog.Broken].Load())
}

func TestATraceHasItsSeverityOrIsAnError(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stderr F java.lang.IllegalStateException: x", "stderr F \tat a.b(C.java:1)", "stdout F {}",
		"stdout F 2026-07-11 19:00:00 WARN d.v.A", "stdout F java.io.IOException: y", "stdout F \tat a.b(C.java:1)")
	got := strings.Join(strings.Split(fmt.Sprint(func() (s []string) {
		for _, lr := range d.records(time.Second) {
			s = append(s, fmt.Sprintf("%d %q", lr.SeverityNumber(), lr.Body().Str()))
		}
		return s
	}()), "\n"), "\n")
	require.Contains(t, got, `17 "java.lang.IllegalStateException: x\n\tat a.b(C.java:1)"`)
	require.Contains(t, got, `13 "2026-07-11 19:00:00 WARN d.v.A"`)
	require.Contains(t, got, `17 "java.io.IOException: y\n\tat a.b(C.java:1)"`)
}

const (
	combined   = `192.0.2.1 - ann [11/Jul/2026:19:00:00 +0000] "GET /live/a.m3u8?q=1 HTTP/1.1" 200 512 "https://tv.example/" "curl/8"`
	jsonAccess = `{"time":"2026-07-11T19:00:01Z","remote_addr":"192.0.2.1","request":"GET / HTTP/1.1","status":503,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}`
)

func TestAccessLogsStayLinesForTheDetector(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout F "+combined, "stdout F "+jsonAccess)
	d.wantRecords(fmt.Sprintf(`19:00:00.123 %q {"log.iostream":"stdout"}`, combined),
		fmt.Sprintf(`19:00:01 0af7651916cd43dd8448eb211c80319c/b7ad6b7169203331/false %q {"log.iostream":"stdout"}`, jsonAccess))
	require.Equal(t, int64(2), d.r.counts.kinds[applog.Access].Load())
}

func TestAccessLogsBecomeHTTPAttributesIfAsked(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Parse.AccessLogs = "parsed" })
	d.cri(pod, "stdout F "+combined)
	d.wantRecords(fmt.Sprintf(`19:00:00 %q {"client.address":"192.0.2.1","enduser.id":"ann","http.request.header.referer":["https://tv.example/"],"http.request.method":"GET",`+
		`"http.response.body.size":512,"http.response.status_code":200,"log.iostream":"stdout","url.path":"/live/a.m3u8","url.query":"q=1","user_agent.original":"curl/8"}`, combined))
}

func TestAForwardedClientIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	line := combined + ` "198.51.100.7"`
	for trusted, want := range map[string]string{"192.0.2.0/24": "198.51.100.7", "203.0.113.1": "192.0.2.1"} {
		d := newDesk(t, func(c *Config) { c.Parse.AccessLogs, c.Parse.TrustedProxies = "parsed", []string{trusted} })
		d.cri(pod, "stdout F "+line)
		got := d.records(time.Second)
		require.Len(t, got, 1)
		client, _ := got[0].Attributes().Get("client.address")
		require.Equal(t, want, client.Str(), trusted)
	}
}

func TestATruncatedObjectIsNotCalledBroken(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxLineBytes = 1024 })
	d.cri(pod, `stdout F {"level":"info","msg":"`+strings.Repeat("x", 2000)+`"}`, `stdout F {}`)
	require.Len(t, d.records(time.Second), 2)
	require.Zero(t, d.r.counts.kinds[applog.Broken].Load())
}
