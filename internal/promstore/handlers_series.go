package promstore

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/annotations"
)

// ctxEvery is after how many series a cancelled request is noticed.
const ctxEvery = 128

func (s *Store) series(r *http.Request) answer {
	p := &params{r: r}
	limit := p.limit()
	start, end := p.span()
	sets := p.matchers(s)
	if p.err == nil && len(sets) == 0 {
		p.err = &paramError{errors.New("no match[] parameter provided")}
	}
	if p.err != nil {
		return fail(p.err)
	}
	hints := &storage.SelectHints{
		Start: timestamp.FromTime(start), End: timestamp.FromTime(end),
		Func:  "series", // tsdb then reads no chunks
		Limit: hint(limit),
	}
	out := []labels.Labels{}
	var notes annotations.Annotations
	err := s.slotted(r.Context(), func(ctx context.Context, db *tsdb.DB) error {
		q, err := db.Querier(hints.Start, hints.End)
		if err != nil {
			return err
		}
		defer q.Close()
		set := selectAll(ctx, q, hints, sets)
		for set.Next() {
			if len(out)%ctxEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if limit > 0 && len(out) == limit {
				notes.Add(errTruncated)
				break
			}
			out = append(out, set.At().Labels())
		}
		notes.Merge(set.Warnings())
		return set.Err()
	})
	return answer{data: out, err: err, notes: notes}
}

// selectAll merges the series of each set of matchers; merging needs them sorted.
func selectAll(ctx context.Context, q storage.Querier, hints *storage.SelectHints, sets [][]*labels.Matcher) storage.SeriesSet {
	if len(sets) == 1 {
		return q.Select(ctx, false, hints, sets[0]...)
	}
	all := make([]storage.SeriesSet, 0, len(sets))
	for _, set := range sets {
		all = append(all, q.Select(ctx, true, hints, set...))
	}
	return storage.NewMergeSeriesSet(all, 0, storage.ChainedSeriesMerge)
}

func (s *Store) labelNames(r *http.Request) answer {
	return s.strings(r, func(ctx context.Context, q storage.LabelQuerier, h *storage.LabelHints, ms []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelNames(ctx, h, ms...)
	})
}

func (s *Store) labelValues(r *http.Request) answer {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !validation.IsValidLabelName(name) {
		return fail(&paramError{errors.New("invalid label name: " + strconv.Quote(name))})
	}
	return s.strings(r, func(ctx context.Context, q storage.LabelQuerier, h *storage.LabelHints, ms []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelValues(ctx, name, h, ms...)
	})
}

type lookUp func(context.Context, storage.LabelQuerier, *storage.LabelHints, []*labels.Matcher) ([]string, annotations.Annotations, error)

// strings answers with the sorted union of what each set of matchers gives.
func (s *Store) strings(r *http.Request, get lookUp) answer {
	p := &params{r: r}
	limit := p.limit()
	start, end := p.span()
	sets := p.matchers(s)
	if p.err != nil {
		return fail(p.err)
	}
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	out := []string{}
	var notes annotations.Annotations
	err := s.slotted(r.Context(), func(ctx context.Context, db *tsdb.DB) error {
		q, err := db.Querier(timestamp.FromTime(start), timestamp.FromTime(end))
		if err != nil {
			return err
		}
		defer q.Close()
		for _, set := range sets {
			found, ws, err := get(ctx, q, &storage.LabelHints{Limit: hint(limit)}, set)
			notes.Merge(ws)
			if err != nil {
				return err
			}
			for _, f := range found {
				out = append(out, strings.Clone(f)) // a block's strings live in its mapped file
			}
		}
		return nil
	})
	slices.Sort(out)
	out = slices.Compact(out)
	if limit > 0 && len(out) > limit {
		out = out[:limit]
		notes.Add(errTruncated)
	}
	return answer{data: out, err: err, notes: notes}
}

// hint asks storage for one more than is returned, to know whether there is more.
func hint(limit int) int {
	if limit > 0 && limit < 1<<31 {
		return limit + 1
	}
	return 0
}

func (s *Store) metricMetadata(r *http.Request) answer {
	limit := -1
	if text := r.Form.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil {
			return fail(&paramError{errors.New("limit must be a number")})
		}
	}
	// One entry a metric is kept, so limit_per_metric cuts nothing; it must be a
	// number all the same.
	if text := r.Form.Get("limit_per_metric"); text != "" {
		if _, err := strconv.Atoi(text); err != nil {
			return fail(&paramError{errors.New("limit_per_metric must be a number")})
		}
	}
	return answer{data: s.meta.get(r.Form.Get("metric"), limit)}
}
