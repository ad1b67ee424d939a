package promstore

import (
	"context"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/multierr"
)

// translation is the prometheusremotewrite exporter's default, field by field:
// what the store holds is named as AMP would have it.
var translation = prometheusremotewrite.Settings{AddMetricSuffixes: true}

// AppendMetrics stores md under the names and labels that the
// prometheusremotewrite exporter would send. md is not changed.
//
// dropped is how many samples were refused for their own sake (counted by
// reason); the rest of the batch is stored. An error means that the batch, or
// the end of it, was not stored at all; Retryable tells whether to try again.
// Samples that were stored before are then no error, they are the same.
func (s *Store) AppendMetrics(ctx context.Context, md pmetric.Metrics) (dropped int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	md, cut := s.prune(md)
	s.meta.fromOTLP(md, s.tel.metadata)
	series, terr := prometheusremotewrite.FromMetrics(md, translation)
	untranslatable := len(multierr.Errors(terr))
	s.tel.drop(reasonUntranslatable, untranslatable)

	n, first, err := s.append(ctx, func(a *appender) {
		for _, ts := range series {
			a.timeSeries(ts)
		}
	})
	if err != nil {
		lost := count(series)
		s.tel.drop(reasonOf(err), lost)
		return lost, fmt.Errorf("append metrics: %w", err)
	}
	if first != nil || terr != nil {
		s.log.Debug("samples refused", "dropped", n, "untranslatable", untranslatable, "first", first, "translation", terr)
	}
	return n + cut + untranslatable, nil
}

// timeSeries appends a series of the translator's.
func (a *appender) timeSeries(ts *prompb.TimeSeries) {
	c, err := a.series(ts.Labels, false)
	if err != nil {
		a.drop(len(ts.Samples)+len(ts.Histograms), err)
		return
	}
	byTime(ts.Samples)
	for _, p := range ts.Samples {
		a.sample(c, p.Timestamp, p.Value)
	}
	for i := range ts.Histograms {
		a.histogram(c, &ts.Histograms[i])
	}
	for i := range ts.Exemplars {
		a.exemplar(c, &ts.Exemplars[i])
	}
}

func count(series map[string]*prompb.TimeSeries) (n int) {
	for _, ts := range series {
		n += len(ts.Samples) + len(ts.Histograms)
	}
	return n
}
