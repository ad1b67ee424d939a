package promstore

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"
)

// tape is a sink that writes down what it gets.
type tape struct{ lines []string }

func (p *tape) series(ls []prompb.Label, _ bool) (*cached, error) {
	line := "series"
	for _, l := range ls { // not with %q: prompb keeps unknown fields in the label
		line += fmt.Sprintf(" %q=%q", l.Name, l.Value)
	}
	p.lines = append(p.lines, line)
	return &cached{}, nil
}
func (p *tape) sample(_ *cached, t int64, v float64) {
	p.lines = append(p.lines, fmt.Sprintf("sample %d %x", t, math.Float64bits(v)))
}
func (p *tape) histogram(_ *cached, h *prompb.Histogram) {
	p.lines = append(p.lines, fmt.Sprintf("histogram %s", h))
}
func (p *tape) exemplar(_ *cached, e *prompb.Exemplar) {
	p.lines = append(p.lines, fmt.Sprintf("exemplar %d %x %d labels", e.Timestamp, math.Float64bits(e.Value), len(e.Labels)))
}
func (p *tape) drop(n int, err error) { p.lines = append(p.lines, fmt.Sprintf("drop %d %v", n, err)) }

// Where the generated decoder and ours both take a body they must read the same.
func FuzzRemoteWriteBody(f *testing.F) {
	ts := series([]prompb.Sample{{Timestamp: 1, Value: 2}, {}}, "__name__", "x", "a", "1")
	ts.Exemplars = []prompb.Exemplar{{Labels: []prompb.Label{{Name: "trace_id", Value: "1"}}, Value: 1, Timestamp: 3}}
	ts.Histograms = []prompb.Histogram{prompb.FromIntHistogram(1, &histogram.Histogram{Count: 1, PositiveSpans: []histogram.Span{{Length: 1}}, PositiveBuckets: []int64{1}})}
	body, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{ts, ts}, Metadata: []prompb.MetricMetadata{{MetricFamilyName: "x", Type: 1}}}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{0x0a, 0x02, 0x0a, 0x00})
	f.Add([]byte{0x0a, 0x02, 0x12, 0x00})
	f.Fuzz(func(t *testing.T, body []byte) {
		var ref prompb.WriteRequest
		refErr := ref.Unmarshal(body)
		samples, err := checkWriteRequest(body)
		if err != nil {
			return
		}
		var got tape
		d := writeDecoder{maxHistogram: 1 << 20}
		for rest := body; len(rest) > 0; {
			rest = d.next(rest, &got)
		}
		if refErr != nil {
			return // it also looks into what we skip
		}
		want, n := read(&ref)
		if n != samples {
			t.Fatalf("%d samples instead of %d", samples, n)
		}
		if !slices.Equal(got.lines, want) {
			t.Fatalf("read\n%q\ninstead of\n%q", got.lines, want)
		}
	})
}

func read(req *prompb.WriteRequest) (lines []string, samples int) {
	var p tape
	for _, ts := range req.Timeseries {
		n := len(ts.Samples) + len(ts.Histograms)
		samples += n
		if n == 0 {
			continue
		}
		_, _ = p.series(ts.Labels, false)
		for _, s := range ts.Samples {
			p.sample(nil, s.Timestamp, s.Value)
		}
		for i := range ts.Histograms {
			p.histogram(nil, &ts.Histograms[i])
		}
		for i := range ts.Exemplars {
			p.exemplar(nil, &ts.Exemplars[i])
		}
	}
	return p.lines, samples
}

// Whatever the parameters hold, the answer is one of the API's.
func FuzzQueryParameters(f *testing.F) {
	s := openTest(f, Config{QueryTimeout: time.Second, QueryMaxSamples: 1000})
	h := s.Handler()
	f.Add("queue_depth", "1435781451.781", "0", "5", "1", "15s", `{a="b"}`, "1s")
	f.Add("rate(x[5m] offset 1h @ end())", "2015-07-01T20:10:51.781Z", minTimeText, maxTimeText, "-1", "1h30m", "x", "0")
	f.Add("", "NaN", "-Inf", "9e99", "x", "-1", "{}", "Inf")
	f.Fuzz(func(t *testing.T, query, at, start, end, limit, step, match, timeout string) {
		form := url.Values{"query": {query}, "time": {at}, "start": {start}, "end": {end}, "limit": {limit}, "step": {step}, "match[]": {match}, "timeout": {timeout}, "lookback_delta": {step}}
		for _, path := range []string{"query", "query_range", "series", "labels", "label/__name__/values", "query_exemplars", "format_query", "metadata"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/"+path+"?"+form.Encode(), nil)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch w.Code {
			case 200, 400, 422, 503:
			default:
				t.Fatalf("%s %v: %d %s", path, form, w.Code, w.Body)
			}
		}
	})
}
