//go:build cgo

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
)

const (
	total    = 100_000
	chunkLen = 1000 // records
)

// line is the i-th record's text: any bytes, so that it isn't always UTF-8, or as
// lines are.
func line(i int) string {
	rng := rand.New(rand.NewPCG(uint64(i), 7))
	if i%2 == 0 {
		return fmt.Sprintf("2026-06-14T19:00:00Z player %d: buffer %d ms, ⚽ %x", i, rng.IntN(4000), rng.Uint64())
	}
	b := make([]byte, rng.IntN(200))
	for k := range b {
		b[k] = byte(rng.Uint32())
	}
	return string(b)
}

func moment(i int) time.Time { return time.Unix(1_781_463_600+int64(i/1000), int64(i%1000)*1_000_003) }

// chunkOf is what Fluent Bit hands over: odd chunks in the encoding before 2.1.
func chunkOf(from, to int, older bool) []byte {
	var b []byte
	for i := from; i < to; i++ {
		at := moment(i)
		b = msgp.AppendArrayHeader(b, 2)
		if !older {
			b = msgp.AppendArrayHeader(b, 2)
		}
		b = append(b, 0xd7, 0x00)
		b = binary.BigEndian.AppendUint32(b, uint32(at.Unix()))
		b = binary.BigEndian.AppendUint32(b, uint32(at.Nanosecond()))
		if !older {
			b = msgp.AppendMapHeader(b, 0)
		}
		b = msgp.AppendMapHeader(b, 4)
		b = msgp.AppendInt(msgp.AppendString(b, "i"), i)
		b = msgp.AppendString(msgp.AppendString(b, "log"), line(i))
		b = msgp.AppendBytes(msgp.AppendString(b, "raw"), []byte(line(i)))
		b = msgp.AppendMapHeader(msgp.AppendString(b, "kubernetes"), 2)
		b = msgp.AppendString(msgp.AppendString(b, "pod_name"), "pod-"+strconv.Itoa(i%7))
		b = msgp.AppendMapHeader(msgp.AppendString(b, "labels"), 1)
		b = msgp.AppendString(msgp.AppendString(b, "app.kubernetes.io/name"), "player")
	}
	return b
}

// server takes OTLP, and refuses every so many requests for now.
type server struct {
	plogotlp.UnimplementedGRPCServer
	refuse int

	mu       sync.Mutex // guards all below
	requests int
	times    map[int]int // how often each record came
	wrong    []string
}

func (s *server) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.refuse > 0 && s.requests%s.refuse == 0 {
		return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "not now")
	}
	for _, rl := range r.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				s.look(rl.Resource().Attributes(), lr)
			}
		}
	}
	return plogotlp.NewExportResponse(), nil
}

func (s *server) look(resource pcommon.Map, lr plog.LogRecord) {
	n, _ := lr.Attributes().Get("i")
	i := int(n.Int())
	s.times[i]++
	body := lr.Body().Str()
	if lr.Body().Type() == pcommon.ValueTypeBytes {
		body = string(lr.Body().Bytes().AsRaw())
	}
	raw, _ := lr.Attributes().Get("raw")
	pod, _ := resource.Get("k8s.pod.name")
	service, _ := resource.Get("service.name")
	tag, _ := lr.Attributes().Get("fluent.tag")
	switch {
	case body != line(i):
		s.wrong = append(s.wrong, fmt.Sprintf("%d: body %q, want %q", i, body, line(i)))
	case !bytes.Equal(raw.Bytes().AsRaw(), []byte(line(i))):
		s.wrong = append(s.wrong, fmt.Sprintf("%d: raw %q", i, raw.AsString()))
	case lr.Timestamp().AsTime().UnixNano() != moment(i).UnixNano():
		s.wrong = append(s.wrong, fmt.Sprintf("%d: at %s, want %s", i, lr.Timestamp().AsTime(), moment(i)))
	case pod.Str() != "pod-"+strconv.Itoa(i%7) || service.Str() != "player" || tag.Str() != "kube."+strconv.Itoa(i/chunkLen):
		s.wrong = append(s.wrong, fmt.Sprintf("%d: pod %q, service %q, tag %q", i, pod.Str(), service.Str(), tag.Str()))
	}
}

func serve(t *testing.T, refuse int) (*server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := grpc.NewServer()
	s := &server{refuse: refuse, times: map[int]int{}}
	plogotlp.RegisterGRPCServer(g, s)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	return s, l.Addr().String()
}

// build makes the plugin and the host that loads it.
func build(t *testing.T) (plugin, host string) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is missing: the plugin's C ABI is not tried out")
	}
	dir := t.TempDir()
	plugin, host = filepath.Join(dir, "out_vigie.so"), filepath.Join(dir, "host")
	out, err := exec.Command("go", "build", "-buildmode=c-shared", "-o", plugin, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(gcc, "-Wall", "-Wextra", "-Werror", "-o", host, "testdata/host.c", "-ldl", "-lpthread").CombinedOutput()
	require.NoError(t, err, string(out))
	return plugin, host
}

func TestEveryRecordArrivesOnceAndByteExactThroughTheABI(t *testing.T) {
	plugin, host := build(t)
	first, addressA := serve(t, 0)
	second, addressB := serve(t, 3)
	args := []string{
		plugin, "4",
		"-i", "Endpoint=" + addressA, "Plaintext=On", "Compression=gzip", "Max_Records=400",
		"-i", "Endpoint=" + addressB, "Plaintext=On", "Compression=none", "Max_Records=300",
	}
	for n := range total / chunkLen {
		path := filepath.Join(t.TempDir(), "chunk")
		require.NoError(t, os.WriteFile(path, chunkOf(n*chunkLen, (n+1)*chunkLen, n%2 == 1), 0o600))
		args = append(args, "-c", strconv.Itoa(n%2), "kube."+strconv.Itoa(n), path)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), host, args...)
	cmd.Stderr = &stderr
	start := time.Now()
	out, err := cmd.Output()
	require.NoError(t, err, "%s%s", out, stderr.String())
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("host: %v of CPU in %v, at most %d MiB resident, all %d chunks of it the host's\n%s",
		cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), time.Since(start), usage.Maxrss/1024, total/chunkLen, stderr.String())

	told := string(out)
	require.Contains(t, told, "registered vigie type 2 proxy 11\n")
	require.Contains(t, told, "exit 0: 1\nexit: 1\n")
	require.Equal(t, total/chunkLen, strings.Count(told, ": 1 after "), "chunks that Fluent Bit is told were accepted")
	for n := 0; n < total/chunkLen; n += 2 {
		require.Contains(t, told, fmt.Sprintf("chunk %d: 1 after 1\n", n), "the server that never refuses")
	}
	for name, s := range map[string]*server{"the server that never refuses": first, "the server that refuses every third request": second} {
		require.Empty(t, s.wrong, name)
		require.Len(t, s.times, total/2, name)
		for i, times := range s.times {
			if times != 1 {
				t.Errorf("%s has record %d %d times", name, i, times)
			}
		}
	}
}

func TestAConfigurationThatIsWrongDoesNotStart(t *testing.T) {
	plugin, host := build(t)
	cmd := exec.CommandContext(t.Context(), host, plugin, "1", "-i", "endpoint=nowhere", "compression=lzma", "max_records=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.Error(t, err)
	require.Contains(t, string(out), "init 0: 0")
	for _, want := range []string{"endpoint takes host:port", "compression takes none, gzip or zstd", "max_records takes a number"} {
		require.Contains(t, stderr.String(), want)
	}
}
