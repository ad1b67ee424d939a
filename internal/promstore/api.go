package promstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/httputil"
)

// maxFormBytes bounds a POSTed form: an expression and its parameters.
const maxFormBytes = 1 << 20

// apiVersion is what the API answers as: the Prometheus of the tsdb and promql
// in use (module v0.313.2). Grafana chooses its requests by it.
const apiVersion = "3.13.2"

// Handler serves the part of Prometheus' HTTP API that a Grafana data source,
// promtool and a remote writer use, under /api/v1/. It authenticates nobody.
func (s *Store) Handler() http.Handler {
	mux := http.NewServeMux()
	both := func(path string, fn func(*http.Request) answer) {
		h := s.wrap(fn)
		mux.Handle("GET /api/v1/"+path, h)
		mux.Handle("POST /api/v1/"+path, h)
	}
	get := func(path string, fn func(*http.Request) answer) {
		mux.Handle("GET /api/v1/"+path, s.wrap(fn))
	}
	both("query", s.query)
	both("query_range", s.queryRange)
	both("query_exemplars", s.queryExemplars)
	both("format_query", s.formatQuery)
	both("series", s.series)
	both("labels", s.labelNames)
	get("label/{name}/values", s.labelValues)
	get("metadata", s.metricMetadata)
	get("status/buildinfo", buildInfo)
	// The store evaluates no rules; a data source asks all the same.
	get("rules", func(*http.Request) answer { return answer{data: map[string]any{"groups": []any{}}} })
	get("alerts", func(*http.Request) answer { return answer{data: map[string]any{"alerts": []any{}}} })
	mux.HandleFunc("POST /api/v1/write", s.remoteWrite)
	return mux
}

// answer is what a handler has to say; done, where set, is called once it is
// written.
type answer struct {
	data  any
	err   error
	notes annotations.Annotations
	expr  string // to show positions in the notes
	done  func()
}

// wrap parses the form, runs fn, and writes its answer, compressed where asked.
func (s *Store) wrap(fn func(*http.Request) answer) http.Handler {
	return httputil.CompressionHandler{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
		if err := r.ParseForm(); err != nil {
			writeError(w, &paramError{fmt.Errorf("error parsing form values: %w", err)})
			return
		}
		a := fn(r)
		if a.done != nil {
			defer a.done()
		}
		if a.err != nil {
			writeError(w, a.err)
			return
		}
		if err := writeData(w, a); err != nil {
			s.log.Debug("write answer", "path", r.URL.Path, "err", err)
		}
	})}
}

// fail is an answer that is an error.
func fail(err error) answer { return answer{err: err} }

// Status codes and error types are those of Prometheus' web/api/v1.
const statusClientClosedRequest = 499

// classify says how Prometheus would report err.
func classify(err error) (errorType string, code int) {
	var (
		param    *paramError
		canceled promql.ErrQueryCanceled
		timeout  promql.ErrQueryTimeout
		store    promql.ErrStorage
	)
	switch {
	case errors.As(err, &param):
		return "bad_data", http.StatusBadRequest
	case errors.Is(err, ErrBusy), errors.Is(err, ErrUnavailable), errors.Is(err, ErrClosed):
		return "unavailable", http.StatusServiceUnavailable
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout", http.StatusServiceUnavailable
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return "canceled", statusClientClosedRequest
	case errors.As(err, &store):
		return "internal", http.StatusInternalServerError
	}
	return "execution", http.StatusUnprocessableEntity
}

func buildInfo(*http.Request) answer {
	return answer{data: map[string]string{
		"version": apiVersion, "revision": "", "branch": "", "buildUser": "", "buildDate": "",
		"goVersion": runtime.Version(),
	}}
}
