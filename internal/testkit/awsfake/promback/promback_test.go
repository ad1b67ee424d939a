package promback

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
)

func TestBothKindsKeepWhatRemoteWriteBrings(t *testing.T) {
	for _, p := range []*Prometheus{Start(t, time.Minute), StartEmbedded(t, time.Minute)} {
		t.Run(p.Kind, func(t *testing.T) {
			now := time.Now()
			write := func(at time.Time) int {
				in := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
					Labels:  []prompb.Label{{Name: "__name__", Value: "load"}},
					Samples: []prompb.Sample{{Value: 1, Timestamp: at.UnixMilli()}},
				}}}
				raw, err := in.Marshal()
				require.NoError(t, err)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.WriteURL(), bytes.NewReader(snappy.Encode(nil, raw)))
				require.NoError(t, err)
				req.Header.Set("Content-Encoding", "snappy")
				req.Header.Set("Content-Type", "application/x-protobuf")
				res, err := http.DefaultClient.Do(req)
				require.NoError(t, err)
				defer res.Body.Close()
				return res.StatusCode
			}
			for _, c := range []struct {
				age  time.Duration
				want int
			}{{0, 204}, {30 * time.Second, 204}, {2 * time.Minute, 400}} {
				got := write(now.Add(-c.age))
				if got == http.StatusInternalServerError && p.Kind == "prometheus" {
					got = http.StatusBadRequest // up to 2.44 a sample before the window is taken for a fault of its own
				}
				if got != c.want {
					t.Errorf("a sample %s old: %d, want %d", c.age, got, c.want)
				}
			}
			n, err := p.Value(t.Context(), "sum(count_over_time(load[10m]))", now.Add(time.Second))
			require.NoError(t, err)
			if n != 2 {
				t.Errorf("%g samples, want 2", n)
			}
			if n, err = p.Value(t.Context(), "nosuch", now); n != 0 || err != nil {
				t.Errorf("%g %v", n, err)
			}
			if _, err = p.Value(t.Context(), "not(", now); err == nil {
				t.Error("a wrong expression is no error")
			}
		})
	}
}
