package warroomexporter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
)

// payload is the JSON of an event.
func payload(event []byte) []byte {
	_, data, _ := bytes.Cut(event, []byte("\ndata: "))
	return bytes.TrimSpace(data)
}

// follower reads a stream event by event.
type follower struct {
	res *http.Response
	in  *bufio.Reader
}

func follow(t testing.TB, base string) *follower {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/warroom/stream", http.NoBody)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, http.StatusOK, res.StatusCode)
	return &follower{res, bufio.NewReaderSize(res.Body, 1<<20)}
}

// next is the next event's name and view.
func (f *follower) next() (name string, v map[string]any, err error) {
	for {
		line, err := f.in.ReadString('\n')
		if err != nil {
			return "", nil, err
		}
		switch {
		case strings.HasPrefix(line, "event: "):
			name = strings.TrimSpace(line[7:])
		case strings.HasPrefix(line, "data: "):
			err := json.Unmarshal([]byte(line[6:]), &v)
			return name, v, err
		}
	}
}

func TestAViewerGetsASnapshotAndThenOnlyWhatChanges(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now()
	require.NoError(t, w.consumeLogs(t.Context(), record(flood(finding.Open, time.Second))))
	f := follow(t, base)
	name, v, err := f.next()
	require.NoError(t, err)
	require.Equal(t, "snapshot", name)
	require.Contains(t, v, "seconds")
	seq := v["seq"].(float64)
	for range 2 {
		name, v, err = f.next()
		require.NoError(t, err)
		require.Equal(t, "delta", name)
		require.Equal(t, seq+1, v["seq"])
		seq++
		require.NotContains(t, v, "seconds")
	}
	require.NoError(t, w.consumeMetrics(t.Context(), detector(now, said{service: "player", verdict: finding.Attack, score: 0.9, rate: 100})))
	postNote(t, base, `{"kind":"note","text":"seen by all"}`, http.StatusCreated)
	for note, attack := false, false; !note || !attack; {
		_, v, err = f.next()
		require.NoError(t, err)
		note = note || strings.Contains(fmt.Sprint(v["timeline"]), "seen by all")
		attack = attack || v["whole"].(map[string]any)["verdict"] == "attack"
	}
}

func TestAStreamOutlivesTheServersWriteTimeout(t *testing.T) {
	cfg := testConfig(t)
	cfg.WriteTimeout = 500 * time.Millisecond
	_, base := roomOf(t, cfg)
	f := follow(t, base)
	for range 3 {
		_, _, err := f.next()
		require.NoError(t, err)
	}
}

func TestAViewerWhoFallsBehindStartsAgainWithASnapshot(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	still(w)
	r := &recorder{header: http.Header{}}
	v := w.room.viewers.join()
	s := streamer{rw: r, control: http.NewResponseController(r), room: w.room}
	require.NoError(t, s.resync())
	for range viewerQueue + 5 { // nobody reads
		w.room.tick(time.Now())
	}
	require.Len(t, v.queue, viewerQueue)
	r.body.Reset()
	for len(v.queue) > 0 {
		require.NoError(t, s.next(v, <-v.queue))
	}
	require.Equal(t, 1, strings.Count(r.body.String(), "event: snapshot"))
	require.Zero(t, strings.Count(r.body.String(), "event: delta"), "what is older than the snapshot is left out")
	require.EqualValues(t, 1, w.room.viewers.resyncs.Load())
	w.room.tick(time.Now())
	for len(v.queue) > 0 {
		require.NoError(t, s.next(v, <-v.queue))
	}
	require.Positive(t, strings.Count(r.body.String(), "event: delta"))
}

// recorder is a response that supports what a stream needs.
type recorder struct {
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header              { return r.header }
func (r *recorder) WriteHeader(int)                  {}
func (r *recorder) Write(b []byte) (int, error)      { return r.body.Write(b) }
func (r *recorder) Flush()                           {}
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }

func TestTwoHundredViewersSeeTheSameSecondEncodedOnce(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	require.NoError(t, w.consumeMetrics(t.Context(), detector(time.Now(), said{service: "player", verdict: finding.Crowd, rate: 100})))
	const n = 200
	var wg sync.WaitGroup
	var mu sync.Mutex
	bySeq := map[float64]int{}
	followers := make([]*follower, n)
	for i := range followers {
		followers[i] = follow(t, base)
	}
	for _, f := range followers {
		wg.Go(func() {
			for {
				name, v, err := f.next()
				if err != nil {
					return
				}
				if name == "delta" && v["status"].(map[string]any)["viewers"] == float64(n) {
					mu.Lock()
					bySeq[v["seq"].(float64)]++
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, c := range bySeq {
		sum += c
	}
	require.Equal(t, n, sum, "%v", bySeq)
	require.LessOrEqual(t, len(bySeq), 3, "all at about the same second: %v", bySeq)
	require.Zero(t, w.room.viewers.resyncs.Load())
}

func TestOneViewerTooManyIsToldToComeBack(t *testing.T) {
	cfg := testConfig(t)
	cfg.Room.Viewers = 1
	_, base := roomOf(t, cfg)
	f := follow(t, base)
	_, _, err := f.next()
	require.NoError(t, err)
	code, _, header := fetch(t, request(t, http.MethodGet, base+"/api/warroom/stream"))
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.NotEmpty(t, header.Get("Retry-After"))
}

func TestShutdownEndsAllStreamsAtOnce(t *testing.T) {
	w := newWarroom(exportertest.NewNopSettings(metadata.Type), testConfig(t))
	require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()))
	f := follow(t, "http://"+w.addr.String())
	_, _, err := f.next()
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- w.Shutdown(context.Background()) }()
	for err == nil {
		_, _, err = f.next()
	}
	require.Equal(t, io.EOF, err, "cut after the server's grace of two seconds, rather than ended")
	require.NoError(t, <-done)
	require.Zero(t, w.room.viewers.count())
}

func BenchmarkTickWithViewers(b *testing.B) {
	for _, n := range []int{1, 50, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cfg := createDefaultConfig()
			cfg.NetAddr.Endpoint, cfg.Store.Directory = "127.0.0.1:0", b.TempDir()
			w := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
			require.NoError(b, w.Start(b.Context(), componenttest.NewNopHost()))
			defer func() { require.NoError(b, w.Shutdown(context.Background())) }()
			var services []said
			for i := range 10 {
				services = append(services, said{service: fmt.Sprint("service-", i), verdict: finding.Crowd, rate: 100, expected: 90, clients: 50})
			}
			require.NoError(b, w.consumeMetrics(b.Context(), detector(time.Now(), services...)))
			rs := make([]*recorder, n)
			vs := make([]*viewer, n)
			ss := make([]streamer, n)
			for i := range rs {
				rs[i] = &recorder{header: http.Header{}}
				vs[i] = w.room.viewers.join()
				ss[i] = streamer{rw: rs[i], control: http.NewResponseController(rs[i]), room: w.room}
			}
			b.ReportAllocs()
			for b.Loop() {
				w.room.tick(time.Now())
				for i := range vs {
					for len(vs[i].queue) > 0 {
						require.NoError(b, ss[i].next(vs[i], <-vs[i].queue))
					}
					rs[i].body.Reset()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/viewer")
		})
	}
}
