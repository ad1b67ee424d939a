package output

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

var kickOff = time.Date(2026, 6, 14, 19, 0, 0, 123456789, time.UTC) //nolint:gochecknoglobals // a constant

// pack writes an event; metadata nil is the older encoding.
func pack(seconds uint32, metadata, body map[string]any) string {
	b := msgp.AppendArrayHeader(nil, 2)
	if metadata != nil {
		b = msgp.AppendArrayHeader(b, 2)
	}
	b = append(b, 0xd7, 0x00)
	b = binary.BigEndian.AppendUint32(b, seconds)
	b = binary.BigEndian.AppendUint32(b, 123456789)
	var err error
	if metadata != nil {
		if b, err = msgp.AppendMapStrIntf(b, metadata); err != nil {
			panic(err)
		}
	}
	if b, err = msgp.AppendMapStrIntf(b, body); err != nil {
		panic(err)
	}
	return string(b)
}

func now(body map[string]any) string { return pack(uint32(kickOff.Unix()), nil, body) }

// open is an instance without a network, and what it sent.
func open(t testing.TB, change func(*Config), send func(plog.Logs) (int64, error)) *Instance {
	t.Helper()
	c, err := Read(func(string) string { return "" })
	require.NoError(t, err)
	c.Plaintext = true
	if change != nil {
		change(&c)
	}
	i, err := Open(c, new(bytes.Buffer))
	require.NoError(t, err)
	i.send = func(_ context.Context, l plog.Logs) (int64, error) { return send(l) }
	t.Cleanup(func() { require.NoError(t, i.Close()) })
	return i
}

// show puts records into a line each, resources by a line of their own.
func show(logs plog.Logs) []string {
	var lines []string
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			lines = append(lines, fmt.Sprint("resource ", rl.Resource().Attributes().AsRaw(), " scope ", sl.Scope().Name()))
			for _, lr := range sl.LogRecords().All() {
				lines = append(lines, fmt.Sprint(lr.Timestamp().AsTime().UnixNano()-kickOff.UnixNano(), " ", lr.SeverityNumber(), " ", lr.Body().Type(), " ", lr.Body().AsString(), " ", lr.Attributes().AsRaw()))
			}
		}
	}
	return lines
}

func TestARecordGetsTheNamesOfTheConventions(t *testing.T) {
	pod := map[string]any{
		"pod_name": "player-1", "namespace_name": "live", "pod_id": "uid-1", "host": "node-1", "pod_ip": "10.0.0.9", "container_name": "player",
		"docker_id": "0123abc", "container_image": "player:1.2", "container_hash": "sha256:1",
		"labels": map[string]any{"app.kubernetes.io/name": "player-api"}, "annotations": map[string]any{"team": "video"},
	}
	resource := "resource map[container.id:0123abc container.image.name:player:1.2 k8s.container.name:player k8s.namespace.name:live k8s.node.name:node-1 k8s.pod.annotation.team:video " +
		"k8s.pod.ip:10.0.0.9 k8s.pod.label.app.kubernetes.io/name:player-api k8s.pod.name:player-1 k8s.pod.uid:uid-1 service.name:player-api] scope " + scopeName
	nobody := "resource map[] scope " + scopeName
	for name, c := range map[string]struct {
		in   map[string]any
		want []string
	}{
		"a container's line": {
			map[string]any{"log": "goal!", "stream": "stderr", "time": "2026-06-14T19:00:00Z", "_p": "F", "level": "warn", "kubernetes": pod},
			[]string{resource, "0 Warn Str goal! map[fluent.tag:t level:warn log.iostream:stderr]"},
		},
		"a line that is not UTF-8": {map[string]any{"log": "\xff\x00"}, []string{nobody, "0 Unspecified Bytes /wA= map[fluent.tag:t]"}},
		"nested values": {
			map[string]any{"message": "m", "a": map[string]any{"b": []any{int64(1), "two", map[string]any{"c": nil}}}, "big": uint64(1 << 63), "bin": []byte{1}, "f": 1.5, "yes": true},
			[]string{nobody, "0 Unspecified Str m map[a:map[b:[1 two map[c:<nil>]]] big:9223372036854775808 bin:[1] f:1.5 fluent.tag:t yes:true]"},
		},
		"a request": {
			map[string]any{"remote": "203.0.113.9", "method": "GET", "path": "/live?token=a", "code": "200", "size": "512", "agent": "curl/8"},
			[]string{nobody, "0 Unspecified Empty  map[client.address:203.0.113.9 fluent.tag:t http.request.method:GET http.response.body.size:512 http.response.status_code:200 url.path:/live url.query:token=a user_agent.original:curl/8]"},
		},
		"both body keys": {map[string]any{"log": "l", "message": "m"}, []string{nobody, "0 Unspecified Str l map[fluent.tag:t message:m]"}},
	} {
		var got []string
		i := open(t, nil, func(l plog.Logs) (int64, error) { got = append(got, show(l)...); return 0, nil })
		require.Equal(t, OK, i.Flush(t.Context(), now(c.in), "t"), name)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestWhatTheOpenTelemetryInputKeptComesOutAgain(t *testing.T) {
	chunk := pack(1<<32-1, map[string]any{"schema": "otlp"}, map[string]any{
		"resource": map[string]any{"attributes": map[string]any{"service.name": "api"}}, "scope": map[string]any{"name": "lib", "version": "1"},
	}) + pack(uint32(kickOff.Unix()), map[string]any{"otlp": map[string]any{
		"severity_number": int64(17), "severity_text": "ERROR", "trace_id": []byte("0123456789abcdef"), "span_id": []byte("01234567"), "attributes": map[string]any{"k": "v"},
	}}, map[string]any{"log": "in"}) + pack(1<<32-2, map[string]any{}, map[string]any{}) + now(map[string]any{"log": "out"})
	var got []string
	var trace string
	i := open(t, nil, func(l plog.Logs) (int64, error) {
		got = append(got, show(l)...)
		trace = l.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).TraceID().String()
		return 0, nil
	})
	require.Equal(t, OK, i.Flush(t.Context(), chunk, "t"))
	want := []string{
		"resource map[service.name:api] scope lib", "0 Error Str in map[fluent.tag:t k:v]",
		"resource map[] scope " + scopeName, "0 Unspecified Str out map[fluent.tag:t]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	require.Equal(t, "30313233343536373839616263646566", trace)
	require.Equal(t, int64(2), i.Counts().Accepted)
}

func TestAChunkThatWasSentInPartIsNotSentTwice(t *testing.T) {
	var chunk strings.Builder
	for n := range 10 {
		chunk.WriteString(now(map[string]any{"log": fmt.Sprint(n)}))
	}
	var got []string
	calls := 0
	i := open(t, func(c *Config) { c.MaxRecords = 3 }, func(l plog.Logs) (int64, error) {
		if calls++; calls == 3 || calls == 4 {
			return 0, status.Error(codes.Unavailable, "full")
		}
		for _, lr := range l.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			got = append(got, lr.Body().Str())
		}
		return 0, nil
	})
	for _, want := range []Verdict{Retry, Retry, OK} {
		require.Equal(t, want, i.Flush(t.Context(), chunk.String(), "t"))
	}
	require.Equal(t, "0 1 2 3 4 5 6 7 8 9", strings.Join(got, " "))
	require.Equal(t, Counts{Accepted: 10, Retries: 2}, i.Counts())
	require.Empty(t, i.order)
}

func TestWhatIsRememberedOfHalfSentChunksIsBounded(t *testing.T) {
	i := open(t, nil, nil)
	for k := range uint64(3 * maxHalfSent) {
		i.remember(k, 1)
	}
	require.Len(t, i.halfSent, maxHalfSent)
	require.Len(t, i.order, maxHalfSent)
	require.Zero(t, i.resume(0), "the oldest is forgotten")
	require.Equal(t, 1, i.resume(3*maxHalfSent-1))
}

func TestTheVerdictSaysWhetherAChunkCanEverArrive(t *testing.T) {
	good, two := now(map[string]any{"log": "a"}), now(map[string]any{"log": "a"})+now(map[string]any{"log": "b"})
	for name, c := range map[string]struct {
		chunk    string
		rejected int64
		err      error
		want     Verdict
		counts   Counts
	}{
		"accepted":                {two, 0, nil, OK, Counts{Accepted: 2}},
		"nothing in it":           {"", 0, nil, OK, Counts{}},
		"a part rejected":         {two, 1, nil, OK, Counts{Accepted: 1, Rejected: 1}},
		"all rejected":            {two, 9, nil, Failed, Counts{Rejected: 2}},
		"the data is at fault":    {two, 0, status.Error(codes.InvalidArgument, "no"), Failed, Counts{Rejected: 2}},
		"a token that ended":      {two, 0, status.Error(codes.Unauthenticated, "no"), Retry, Counts{Retries: 1}},
		"an error of the network": {two, 0, errors.New("reset"), Retry, Counts{Retries: 1}},
		"much that is no event":   {strings.Repeat("\x01", 3_000_000) + good, 0, nil, OK, Counts{Accepted: 1, Malformed: 3_000_000}},
		"not an event":            {"\xa3abc" + good, 0, nil, OK, Counts{Accepted: 1, Malformed: 1}},
		"nothing but malformed":   {"\x93\x01\x02\x03", 0, nil, Failed, Counts{Malformed: 1}},
		"torn":                    {good + good[:len(good)-1], 0, nil, OK, Counts{Accepted: 1, Malformed: 1}},
		"a time of two bytes":     {"\x92\xc7\x02\x00\x01\x02\x80" + good, 0, nil, OK, Counts{Accepted: 1, Malformed: 1}},
	} {
		i := open(t, nil, func(plog.Logs) (int64, error) { return c.rejected, c.err })
		require.Equal(t, c.want, i.Flush(t.Context(), c.chunk, "t"), name)
		if d := cmp.Diff(c.counts, i.Counts()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestNoRequestIsLongerThanTheServerTakes(t *testing.T) {
	var chunk strings.Builder
	for n := range 50 {
		numbers := make([]any, 200)
		for k := range numbers {
			numbers[k] = int64(k)
		}
		chunk.WriteString(now(map[string]any{"log": fmt.Sprint(n), "numbers": numbers})) // grows fourfold as OTLP
	}
	chunk.WriteString(now(map[string]any{"log": strings.Repeat("x", 30_000)}))
	var longest, records int
	i := open(t, func(c *Config) { c.MaxBytes = 20_000 }, func(l plog.Logs) (int64, error) {
		longest = max(longest, (&plog.ProtoMarshaler{}).LogsSize(l))
		records += l.LogRecordCount()
		return 0, nil
	})
	require.Equal(t, OK, i.Flush(t.Context(), chunk.String(), "t"))
	require.LessOrEqual(t, longest, 20_000)
	require.Equal(t, 50, records)
	require.Equal(t, Counts{Accepted: 50, TooLarge: 1}, i.Counts())
}

type receiver struct {
	plogotlp.UnimplementedGRPCServer
	records int
	token   []string
}

func (r *receiver) Export(ctx context.Context, e plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	r.token = md.Get("authorization")
	r.records += e.Logs().LogRecordCount()
	return plogotlp.NewExportResponse(), nil
}

func TestEachCompressionAndTheHeadersReachTheServer(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "zstd"} {
		c, err := Read(func(k string) string {
			return map[string]string{"endpoint": "127.0.0.1:1", "plaintext": "on", "compression": compression, "headers": "Authorization=Bearer x"}[k]
		})
		require.NoError(t, err)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		c.Endpoint = l.Addr().String()
		i, err := Open(c, new(bytes.Buffer))
		require.NoError(t, err)
		g, r := grpc.NewServer(), &receiver{}
		plogotlp.RegisterGRPCServer(g, r)
		go func() { _ = g.Serve(l) }()
		for range 3 { // encoders are used again
			require.Equal(t, OK, i.Flush(t.Context(), strings.Repeat(now(map[string]any{"log": "goal"}), 500), "t"), compression)
		}
		require.NoError(t, i.Close())
		g.Stop()
		require.Equal(t, 1500, r.records, compression)
		require.Equal(t, []string{"Bearer x"}, r.token, compression)
	}
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := Read(func(k string) string {
		return map[string]string{"endpoint": "x", "plaintext": "perhaps", "compression": "lz4", "headers": "secret", "timeout": "never", "max_bytes": "7", "cert_file": "/c"}[k]
	})
	for _, want := range []string{"endpoint", "plaintext takes on or off", "compression takes", "headers takes", "timeout takes", "max_bytes takes", "go together"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "secret", "a header's value may be one")
}

// A container's line with its pod, up to where it would be sent.
func BenchmarkARecord(b *testing.B) {
	const lines = 1000
	chunk := strings.Repeat(now(map[string]any{
		"log": "goal!", "stream": "stderr", "time": "2026-06-14T19:00:00.123456789Z", "_p": "F", "level": "WARN", "order": int64(7),
		"kubernetes": map[string]any{
			"pod_name": "player-1", "namespace_name": "live", "pod_id": "uid-1", "host": "node-1", "container_name": "player", "docker_id": "0123abc", "container_image": "player:1.2",
			"labels": map[string]any{"app.kubernetes.io/name": "player-api", "tier": "edge"}, "annotations": map[string]any{"team": "video"},
		},
	}), lines)
	i := open(b, nil, func(plog.Logs) (int64, error) { return 0, nil })
	b.ReportAllocs()
	for b.Loop() {
		i.Flush(b.Context(), chunk, "t")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/record")
}

// Whatever bytes promise, a chunk of them ends, and what it held is sent or counted;
// -v says how long each takes.
func TestHostileChunksEnd(t *testing.T) {
	const size = 2 << 20
	head := "\x92\xd7\x00\x00\x00\x00\x01\x00\x00\x00\x02"
	for name, chunk := range map[string]string{
		"arrays in arrays":   strings.Repeat("\x91", size),
		"maps in a record":   head + strings.Repeat("\x81\xa1a", size/3) + "\x01",
		"numbers":            strings.Repeat("\x01", size),
		"a long array":       head + "\x81\xa1a\xdd\x00\x1f\xff\xff" + strings.Repeat("\xc0", size-1),
		"a map of many":      head + "\xdf\x00\x08\x00\x00" + strings.Repeat("\xa1a\x01", 1<<19),
		"a pod each":         strings.Repeat(head+"\x81\xaakubernetes\x81\xa8pod_name\xa1x", size/34),
		"a million promised": head + "\x81\xa1a\xdd\xff\xff\xff\xff",
	} {
		sent := 0
		i := open(t, nil, func(l plog.Logs) (int64, error) { sent += l.LogRecordCount(); return 0, nil })
		start := time.Now()
		verdict := i.Flush(t.Context(), chunk, "t")
		t.Logf("%s: told %d, %d records, %+v in %v", name, verdict, sent, i.Counts(), time.Since(start))
		if c := i.Counts(); int(c.Accepted) != sent || c.Accepted+c.Malformed+c.TooLarge == 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Whatever a chunk holds: no panic, no more records than it has bytes for, and
// each is accepted or counted.
func FuzzAChunkIsSentOrCounted(f *testing.F) {
	f.Add(now(map[string]any{"log": "a", "kubernetes": map[string]any{"pod_name": "p", "labels": map[string]any{"x": "y"}}}))
	f.Add(pack(7, map[string]any{"otlp": map[string]any{"trace_id": "x", "attributes": 1}}, map[string]any{"message": []any{1, 2.5, nil}}))
	f.Add(pack(1<<32-1, map[string]any{}, map[string]any{"resource": map[string]any{"attributes": "no"}}) + now(map[string]any{}))
	f.Add("\x92\xd7\x00\x00\x00\x00\x01\x00\x00\x00\x02\xdf\xff\xff\xff\xff")
	f.Add("\x92\x92\x01\x80" + strings.Repeat("\x81\xa1a", 200))
	f.Add("\xdd\x00\x00\x00\x02\x01\xde\x00\x01\x91\x91\xc1\xc7\x02\x00ab")
	f.Fuzz(func(t *testing.T, chunk string) {
		sent := 0
		c, err := Read(func(k string) string { return map[string]string{"max_records": "3", "max_bytes": "2000"}[k] })
		require.NoError(t, err)
		i := &Instance{config: c, seed: maphash.MakeSeed(), log: io.Discard, halfSent: map[uint64]int{}, send: func(_ context.Context, l plog.Logs) (int64, error) {
			sent += l.LogRecordCount()
			return 0, nil
		}}
		verdict := i.Flush(t.Context(), chunk, "t")
		n := i.Counts()
		if int(n.Accepted) != sent || sent > len(chunk)/2 {
			t.Fatalf("%d accepted, %d sent of %d bytes", n.Accepted, sent, len(chunk))
		}
		if verdict == Retry || (verdict == Failed) != (sent == 0 && n.Malformed+n.TooLarge > 0) {
			t.Fatalf("told %d after %+v", verdict, n)
		}
	})
}
