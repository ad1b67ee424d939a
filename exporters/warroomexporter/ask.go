package warroomexporter

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/vigie-otel/vigie/internal/headroom"
)

var notANumber = number(math.NaN())

func isNaN(v number) bool { return math.IsNaN(float64(v)) }

// asker asks the store several things about one time and keeps the first error,
// so that one check at the end tells whether the answers are whole.
type asker struct {
	ctx   context.Context
	store headroom.Store
	at    time.Time
	err   error
}

type labelled struct {
	label  string
	labels labels.Labels
	value  number
}

// one is a single value; NaN where there is none.
func (a *asker) one(expr string) number {
	if rows := a.by("", expr); len(rows) > 0 {
		return rows[0].value
	}
	return notANumber
}

// by is a value for each value of a label.
func (a *asker) by(label, expr string) []labelled {
	res, err := a.store.Query(a.ctx, expr, a.at)
	if err != nil {
		a.fail(err)
		return nil
	}
	v, err := res.Vector()
	if err != nil {
		a.fail(err)
		return nil
	}
	out := make([]labelled, len(v))
	for i, s := range v {
		out[i] = labelled{cut(s.Metric.Get(label), 128), s.Metric, number(s.F)}
	}
	return out
}

// rangeOf is a single series of n whole steps up to the asker's time; NaN where
// there is no value.
func (a *asker) rangeOf(expr string, n int, step time.Duration) []float32 {
	return a.rangeTo(expr, a.at.Truncate(step), n, step)
}

// rangeTo is a single series of n steps that ends at end.
func (a *asker) rangeTo(expr string, end time.Time, n int, step time.Duration) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(math.NaN())
	}
	start := end.Add(-time.Duration(n-1) * step)
	res, err := a.store.QueryRange(a.ctx, expr, start, end, step)
	if err != nil {
		a.fail(err)
		return out
	}
	m, err := res.Matrix()
	if err != nil {
		a.fail(err)
		return out
	}
	if len(m) > 0 {
		for _, p := range m[0].Floats {
			if i := int((p.T - start.UnixMilli()) / step.Milliseconds()); i >= 0 && i < n {
				out[i] = float32(p.F)
			}
		}
	}
	return out
}

func (a *asker) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}
