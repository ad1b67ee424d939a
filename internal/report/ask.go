package report

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/vigie-otel/vigie/internal/headroom"
)

// asker asks the store about one range and keeps what goes wrong.
type asker struct {
	ctx      context.Context
	store    headroom.Store
	from, to time.Time
	step     time.Duration
	errs     []string
}

func (a *asker) fail(what string, err error) {
	const enough = 20
	if len(a.errs) < enough {
		a.errs = append(a.errs, what+": "+err.Error())
	}
}

// points is how many steps the range has, both ends included.
func (a *asker) points() int { return int(a.to.Sub(a.from)/a.step) + 1 }

// window is how far back a value of a second may be taken from, as PromQL writes
// it: the store would repeat a last value for five minutes.
func (a *asker) window() string { return fmt.Sprintf("%ds", int(max(a.step, 5*time.Second).Seconds())) }

// rates is the window of a rate.
func (a *asker) rates() string {
	return fmt.Sprintf("%ds", int(max(2*a.step, 10*time.Second).Seconds()))
}

// whole is the range as PromQL writes it.
func (a *asker) whole() string { return fmt.Sprintf("%ds", max(1, int(a.to.Sub(a.from).Seconds()))) }

// rangeBy gives a row for each value of a label, NaN where there is no value.
func (a *asker) rangeBy(label, expr string) map[string][]float32 {
	res, err := a.store.QueryRange(a.ctx, expr, a.from, a.to, a.step)
	if err != nil {
		a.fail(expr, err)
		return nil
	}
	m, err := res.Matrix()
	if err != nil {
		a.fail(expr, err)
		return nil
	}
	out := make(map[string][]float32, len(m))
	for _, s := range m {
		row := empty(a.points())
		for _, p := range s.Floats {
			if i := int((p.T - a.from.UnixMilli()) / a.step.Milliseconds()); i >= 0 && i < len(row) {
				row[i] = float32(p.F)
			}
		}
		out[s.Metric.Get(label)] = row
	}
	return out
}

// rangeOf is the one row of an expression without labels.
func (a *asker) rangeOf(expr string) []float32 {
	if row, ok := a.rangeBy("", expr)[""]; ok {
		return row
	}
	return empty(a.points())
}

func empty(n int) []float32 {
	row := make([]float32, n)
	for i := range row {
		row[i] = float32(math.NaN())
	}
	return row
}

// lastBy is a value at the range's end for each value of a label.
func (a *asker) lastBy(label, expr string) map[string]Num {
	res, err := a.store.Query(a.ctx, expr, a.to)
	if err != nil {
		a.fail(expr, err)
		return nil
	}
	v, err := res.Vector()
	if err != nil {
		a.fail(expr, err)
		return nil
	}
	out := make(map[string]Num, len(v))
	for _, s := range v {
		out[s.Metric.Get(label)] = Num(s.F)
	}
	return out
}
