package remotewriteexporter

import (
	"slices"
	"strings"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// request is a part of a batch that is sent as one.
type request struct {
	series []prompb.TimeSeries
	bytes  int // before compression
}

// split puts the series into requests of at most limit bytes. A series that is
// larger is a request of its own. Their order is the labels', so that a batch is
// split the same way each time it is sent.
func split(series map[string]*prompb.TimeSeries, limit int) []request {
	all := make([]prompb.TimeSeries, 0, len(series))
	for _, s := range series {
		all = append(all, *s)
	}
	slices.SortFunc(all, byLabels)
	var out []request
	begin, bytes := 0, 0
	for i := range all {
		n := all[i].Size()
		n += 1 + varintLen(n) // its tag and its length
		if bytes+n > limit && i > begin {
			out = append(out, request{all[begin:i:i], bytes})
			begin, bytes = i, 0
		}
		bytes += n
	}
	if begin < len(all) {
		out = append(out, request{all[begin:], bytes})
	}
	return out
}

func byLabels(a, b prompb.TimeSeries) int {
	return slices.CompareFunc(a.Labels, b.Labels, func(x, y prompb.Label) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return strings.Compare(x.Value, y.Value)
	})
}

// varintLen is how many bytes protobuf writes a length in.
func varintLen(n int) int {
	l := 1
	for ; n >= 0x80; n >>= 7 {
		l++
	}
	return l
}

// halves splits a request in two; false when it is one series.
func (r request) halves() (first, second request, ok bool) {
	if len(r.series) < 2 {
		return r, request{}, false
	}
	m := len(r.series) / 2
	return request{r.series[:m:m], 0}, request{r.series[m:], 0}, true
}

// samples counts what the request holds, a histogram as one.
func (r request) samples() int64 {
	n := 0
	for i := range r.series {
		n += len(r.series[i].Samples) + len(r.series[i].Histograms)
	}
	return int64(n)
}

// buffer is reused from request to request.
type buffer struct{ plain, packed []byte }

// encode returns the request's body, which lives in b.
func (b *buffer) encode(r request) ([]byte, error) {
	w := prompb.WriteRequest{Timeseries: r.series}
	n := w.Size()
	b.plain = slices.Grow(b.plain[:0], n)[:n]
	n, err := w.MarshalToSizedBuffer(b.plain)
	if err != nil {
		return nil, err
	}
	b.plain = b.plain[:n]
	n = snappy.MaxEncodedLen(len(b.plain))
	b.packed = slices.Grow(b.packed[:0], n)[:n]
	return snappy.Encode(b.packed, b.plain), nil
}
