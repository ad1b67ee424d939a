package proof

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards/lint"
	"github.com/vigie-otel/vigie/internal/promstore"
)

// Proof is a store that holds an event, and when that was.
type Proof struct {
	Store      *promstore.Store
	Start, End time.Time

	emitted map[string]*emitted // by OpenTelemetry name
}

// step is the distance of a range query's points.
const step = 5 * time.Second

// Run plays the event and fills a store with it. It takes some seconds of CPU;
// the store is closed when the test ends.
func Run(t *testing.T) *Proof {
	t.Helper()
	rec := play(t)
	s, err := promstore.Open(promstore.Config{Dir: t.TempDir(), MinFreeBytes: -1}, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	end := time.Now().Truncate(time.Second)
	by := end.Sub(rec.end)
	seen := map[string]*emitted{}
	for _, md := range rec.batches {
		note(seen, md)
		shift(md, by)
		_, err := s.AppendMetrics(t.Context(), md)
		require.NoError(t, err)
	}
	for i := range rec.pages {
		rec.pages[i].Samples[0].Timestamp += by.Milliseconds()
	}
	handler := s.Handler()
	for pages := rec.pages; len(pages) > 0; {
		n := min(len(pages), 10000)
		write(t, handler, pages[:n])
		pages = pages[n:]
	}
	// In fake time nothing takes time, so a connector that is woken may tell the
	// same instant twice.
	dropped := s.Status().Dropped
	require.Less(t, dropped["duplicate_timestamp"], s.Status().SamplesAppended/1000)
	delete(dropped, "duplicate_timestamp")
	require.Empty(t, dropped, "the store refused samples")
	return &Proof{s, end.Add(-length), end, seen}
}

// write sends scraped series by remote write, the way in for what is Prometheus'
// already.
func write(t *testing.T, h http.Handler, series []prompb.TimeSeries) {
	raw, err := (&prompb.WriteRequest{Timeseries: series}).Marshal()
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/write", bytes.NewReader(snappy.Encode(nil, raw)))
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Less(t, w.Code, 300, w.Body.String())
}

// Ask runs a query with Grafana's variables substituted: at the end, or over all
// of the event.
func (p *Proof) Ask(ctx context.Context, expr string, instant bool) (*promql.Result, error) {
	expr = lint.Substitute(expr)
	if instant {
		return p.Store.Query(ctx, expr, p.End)
	}
	return p.Store.QueryRange(ctx, expr, p.Start.Truncate(step), p.End, step)
}

// Values counts the numbers of a result that can be drawn: NaN and infinity can't.
func Values(r *promql.Result) (n int) {
	drawn := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			n++
		}
	}
	switch v := r.Value.(type) {
	case promql.Vector:
		for _, s := range v {
			drawn(s.F)
		}
	case promql.Matrix:
		for _, s := range v {
			for _, f := range s.Floats {
				drawn(f.F)
			}
		}
	case promql.Scalar:
		drawn(v.V)
	}
	return n
}
