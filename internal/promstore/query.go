package promstore

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Query evaluates expr at one instant. The result's own Err is returned as err;
// what it holds stays valid.
func (s *Store) Query(ctx context.Context, expr string, at time.Time) (*promql.Result, error) {
	ctx, done := s.queryContext(ctx)
	defer done()
	return s.eval(ctx, expr, func(db storage.Queryable) (promql.Query, error) {
		return s.engine.NewInstantQuery(ctx, db, nil, expr, at)
	}, nil)
}

// QueryRange evaluates expr at each step from start to end.
func (s *Store) QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (*promql.Result, error) {
	ctx, done := s.queryContext(ctx)
	defer done()
	return s.eval(ctx, expr, func(db storage.Queryable) (promql.Query, error) {
		return s.engine.NewRangeQuery(ctx, db, nil, expr, start, end, step)
	}, nil)
}

// eval runs a query while the database stays open. It is not closed afterwards:
// closing gives the result's memory to the next query, and only the handlers know
// when they are done with it; see keep.
func (s *Store) eval(ctx context.Context, expr string, make func(storage.Queryable) (promql.Query, error), keep *promql.Query) (res *promql.Result, err error) {
	if err := checkSize(expr); err != nil {
		return nil, err
	}
	err = s.read(func(db *tsdb.DB) error {
		q, err := make(db)
		if err != nil {
			if kind, _ := classify(err); kind != "execution" {
				return err // the wait for a slot, not the expression
			}
			return badParam("query", "%w", err)
		}
		if keep != nil {
			*keep = q
		}
		res = q.Exec(ctx)
		return res.Err
	})
	return res, s.whose(err)
}

// Querier reads the series between mint and maxt, in milliseconds. The store
// stays open until it is closed, so close it soon.
func (s *Store) Querier(mint, maxt int64) (storage.Querier, error) {
	ses, err := s.enter()
	if err != nil {
		return nil, err
	}
	q, err := ses.db.Querier(mint, maxt)
	if err != nil {
		ses.mu.RUnlock()
		return nil, err
	}
	return &holding{Querier: q, release: ses.mu.RUnlock}, nil
}

// holding is a querier that keeps the database open.
type holding struct {
	storage.Querier
	release func()
}

func (h *holding) Close() error {
	err := h.Querier.Close()
	if h.release != nil {
		h.release()
		h.release = nil
	}
	return err
}

var _ storage.Queryable = (*Store)(nil)
