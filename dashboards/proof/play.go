package proof

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/internal/configstate"
	"github.com/vigie-otel/vigie/internal/replay"
)

// The event: a kick-off in the third minute, a flood from the eighth on, and the
// end in the middle of it, so that what is open is seen open.
const (
	scenario = "kickoff-flood"
	length   = 10 * time.Minute
	sample   = 0.03 // of the scenario's requests; scale makes up for it in the model
	agent    = "vigie-agent"
)

// record is everything that arrived at the end of a pipeline, in order.
type record struct {
	mu      sync.Mutex
	batches []pmetric.Metrics // guarded by mu
	pages   []prompb.TimeSeries
	end     time.Time // fake
}

func (r *record) consumer(t *testing.T) consumer.Metrics {
	c, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		r.add(md)
		return nil
	})
	require.NoError(t, err)
	return c
}

func (r *record) add(md pmetric.Metrics) {
	own := pmetric.NewMetrics()
	md.CopyTo(own)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, own)
}

// play runs the event in fake time.
func play(t *testing.T) *record {
	rec := &record{}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := replay.Builtin(scenario)
		require.NoError(t, err)
		begin := time.Now()
		g, err := replay.New(s, replay.Options{Seed: 7, Scale: sample, Start: begin, Duration: length})
		require.NoError(t, err)
		templates, err := pages()
		require.NoError(t, err)

		cl := newCluster()
		p := start(t, rec, cl, dir)
		src := &requests{g: g}
		seconds := int(length / time.Second)
		for s := range seconds {
			// The second's requests arrive when it is over.
			end := begin.Add(time.Duration(s+1) * time.Second)
			time.Sleep(time.Until(end.Add(200 * time.Millisecond)))
			batch := src.until(end)
			cl.step(float64(batch.people), float64(batch.attack))
			p.send(t, batch, s)
			switch s { // somebody misspells a value, and mends it
			case 120:
				p.config.Refused(errRefused)
			case 180:
				p.config.Applied(configstate.Hash{6, 5, 4, 3, 2, 1})
			}
			if s%2 == 1 { // the conntrack receiver's own pace
				p.tables(t, begin)
			}
			if s%10 == 9 {
				p.report(t, begin)
			}
			if s%15 == 14 {
				now := time.Now()
				page := func(name, job, instance string, n *node) {
					got, err := scrape(templates, name, cl.view(n), job, instance, now)
					require.NoError(t, err)
					rec.pages = append(rec.pages, got...)
				}
				page("kube-state-metrics", metrics.JobKubeState, "10.0.16.71:8080", nil)
				page("apiserver", metrics.JobAPIServer, "10.0.16.4:443", nil)
				page("coredns", metrics.JobCoreDNS, "10.0.16.75:9153", nil)
				page("karpenter", "karpenter", "10.0.32.80:8080", nil)
				page("keda", "keda", "10.0.32.81:8080", nil)
				rec.pages = append(rec.pages, cl.podsAnswer(now)...)
				for _, n := range cl.Nodes {
					if n.Up {
						page("cadvisor", metrics.JobCAdvisor, n.IP+":10250", n)
						page("kubelet", metrics.JobKubelet, n.IP+":10250", n)
						page("kube-proxy", metrics.JobKubeProxy, n.IP+":10249", n)
					}
				}
			}
			synctest.Wait()
		}
		rec.end = time.Now()
		p.stop(t)
	})
	return rec
}
