package promstore

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/stats"
)

// maxSteps is Prometheus' own limit of points per series in a range query.
const maxSteps = 11000

var (
	errTooManySteps = &paramError{errors.New("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")}
	errTruncated    = errors.New("results truncated due to limit")
)

// queryData is the data of an answer to a query.
type queryData struct {
	value parser.Value
	stats stats.QueryStats // nil unless asked for
}

func (s *Store) query(r *http.Request) answer {
	p := &params{r: r}
	limit, at := p.limit(), p.time("time", s.hooks.now())
	return s.run(p, limit, func(ctx context.Context, db storage.Queryable, opts promql.QueryOpts, expr string) (promql.Query, error) {
		return s.engine.NewInstantQuery(ctx, db, opts, expr, at)
	})
}

func (s *Store) queryRange(r *http.Request) answer {
	p := &params{r: r}
	limit, start, end := p.limit(), p.needTime("start"), p.needTime("end")
	step := p.duration("step", true)
	switch {
	case p.err != nil:
	case end.Before(start):
		p.err = badParam("end", "end timestamp must not be before start time")
	case step < time.Millisecond:
		p.err = badParam("step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
	case end.Sub(start)/step > maxSteps:
		p.err = errTooManySteps
	}
	return s.run(p, limit, func(ctx context.Context, db storage.Queryable, opts promql.QueryOpts, expr string) (promql.Query, error) {
		return s.engine.NewRangeQuery(ctx, db, opts, expr, start, end, step)
	})
}

type newQuery func(context.Context, storage.Queryable, promql.QueryOpts, string) (promql.Query, error)

// run evaluates the request's expression as its common parameters say.
func (s *Store) run(p *params, limit int, make newQuery) answer {
	var (
		lookback = p.duration("lookback_delta", false)
		timeout  = p.duration("timeout", false)
		wantStat = p.r.Form.Get("stats")
		expr     = p.r.Form.Get("query")
	)
	if p.err != nil {
		return fail(p.err)
	}
	ctx, done := s.queryContext(p.r.Context())
	defer done()
	if p.r.Form.Has("timeout") {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	opts := promql.NewPrometheusQueryOpts(wantStat == "all", lookback)
	var q promql.Query
	res, err := s.eval(ctx, expr, func(db storage.Queryable) (promql.Query, error) {
		return make(ctx, db, opts, expr)
	}, &q)
	a := answer{err: err, expr: expr}
	if q != nil {
		a.done = q.Close
	}
	if err != nil {
		return a
	}
	a.notes = res.Warnings
	data := queryData{value: res.Value}
	if limit > 0 {
		var cut bool
		if data.value, cut = truncate(res.Value, limit); cut {
			a.notes = a.notes.Add(errTruncated)
		}
	}
	if wantStat != "" {
		data.stats = stats.NewQueryStats(q.Stats())
	}
	a.data = data
	return a
}

// truncate keeps the first limit series.
func truncate(v parser.Value, limit int) (parser.Value, bool) {
	switch v := v.(type) {
	case promql.Matrix:
		if len(v) > limit {
			return v[:limit], true
		}
	case promql.Vector:
		if len(v) > limit {
			return v[:limit], true
		}
	}
	return v, false
}

func (s *Store) queryExemplars(r *http.Request) answer {
	p := &params{r: r}
	start, end := p.span()
	if p.err == nil && end.Before(start) {
		p.err = &paramError{errors.New("end timestamp must not be before start timestamp")}
	}
	if p.err != nil {
		return fail(p.err)
	}
	expr, err := s.parse(r.Form.Get("query"))
	if err != nil {
		return fail(err)
	}
	selectors := parser.ExtractSelectors(expr)
	out := []exemplar.QueryResult{}
	if len(selectors) == 0 {
		return answer{data: out}
	}
	err = s.slotted(r.Context(), func(ctx context.Context, db *tsdb.DB) error {
		eq, err := db.ExemplarQuerier(ctx)
		if err != nil {
			return err
		}
		res, err := eq.Select(timestamp.FromTime(start), timestamp.FromTime(end), selectors...)
		out = append(out, res...)
		return err
	})
	return answer{data: out, err: err}
}

func (s *Store) formatQuery(r *http.Request) answer {
	expr, err := s.parse(r.Form.Get("query"))
	if err != nil {
		return fail(err)
	}
	return answer{data: expr.Pretty(0)}
}

func (s *Store) parse(text string) (parser.Expr, error) {
	if err := checkSize(text); err != nil {
		return nil, err
	}
	expr, err := s.parser.ParseExpr(text)
	if err != nil {
		return nil, badParam("query", "%w", err)
	}
	return expr, nil
}

// slotted runs fn with the database under the same limits as a query.
func (s *Store) slotted(ctx context.Context, fn func(context.Context, *tsdb.DB) error) error {
	ctx, done := s.queryContext(ctx)
	defer done()
	if _, err := s.slots.Insert(ctx, ""); err != nil {
		return s.whose(err)
	}
	defer s.slots.Delete(0)
	return s.whose(s.read(func(db *tsdb.DB) error { return fn(ctx, db) }))
}
