package promstore

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// paramError is a request that cannot be understood: bad_data.
type paramError struct{ err error }

func (e *paramError) Error() string { return e.err.Error() }
func (e *paramError) Unwrap() error { return e.err }

// badParam words a problem with one parameter as Prometheus does.
func badParam(name, format string, args ...any) error {
	return &paramError{fmt.Errorf("invalid parameter %q: %w", name, fmt.Errorf(format, args...))}
}

// The widest times that the API accepts, as Prometheus sends them: Grafana and
// promtool pass them on as text of more than four-digit years.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()

	minTimeText = minTime.Format(time.RFC3339Nano)
	maxTimeText = maxTime.Format(time.RFC3339Nano)
)

// parseTime reads seconds since the epoch, with a fraction, or RFC 3339.
func parseTime(text string) (time.Time, error) {
	if sec, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(sec) || sec < float64(minTime.Unix()) || sec > float64(maxTime.Unix()) {
			return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
		}
		whole, frac := math.Modf(sec)
		return time.Unix(int64(whole), int64(math.Round(frac*1000))*int64(time.Millisecond)).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	switch text {
	case minTimeText:
		return minTime, nil
	case maxTimeText:
		return maxTime, nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
}

// parseDuration reads seconds or Prometheus' own notation (1h30m).
func parseDuration(text string) (time.Duration, error) {
	if sec, err := strconv.ParseFloat(text, 64); err == nil {
		ns := sec * float64(time.Second)
		// The conversion of 2^63 itself would wrap around.
		if math.IsNaN(ns) || ns >= math.MaxInt64 || ns <= math.MinInt64 {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", text)
		}
		return time.Duration(ns), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", text)
}

// params reads a request's parameters and keeps the first problem.
type params struct {
	r   *http.Request
	err error
}

func (p *params) time(name string, def time.Time) time.Time {
	text := p.r.Form.Get(name)
	if text == "" {
		return def
	}
	t, err := parseTime(text)
	if err != nil && p.err == nil {
		p.err = badParam(name, "invalid time value for '%s': %w", name, err)
	}
	return t
}

// needTime is time for a parameter that has no default.
func (p *params) needTime(name string) time.Time {
	t, err := parseTime(p.r.Form.Get(name))
	if err != nil && p.err == nil {
		p.err = badParam(name, "%w", err)
	}
	return t
}

func (p *params) duration(name string, required bool) time.Duration {
	text := p.r.Form.Get(name)
	if text == "" && !required {
		return 0
	}
	d, err := parseDuration(text)
	if err != nil && p.err == nil {
		p.err = badParam(name, "%w", err)
	}
	return d
}

// limit reads how many results to return; 0 is no limit.
func (p *params) limit() int {
	text := p.r.Form.Get("limit")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err == nil && n < 0 {
		err = errors.New("limit must be non-negative")
	}
	if err != nil && p.err == nil {
		p.err = badParam("limit", "%w", err)
	}
	return n
}

// span reads start and end, by default all of time.
func (p *params) span() (start, end time.Time) {
	return p.time("start", minTime), p.time("end", maxTime)
}

// matchers reads match[]: each set must select something in particular.
func (p *params) matchers(s *Store) [][]*labels.Matcher {
	texts := p.r.Form["match[]"]
	if p.err != nil || len(texts) == 0 {
		return nil
	}
	for _, t := range texts {
		if p.err = checkSize(t); p.err != nil {
			return nil
		}
	}
	sets, err := s.parser.ParseMetricSelectors(texts)
	if err != nil {
		p.err = badParam("match[]", "%w", err)
		return nil
	}
	for _, set := range sets {
		if !selects(set) {
			p.err = badParam("match[]", "match[] must contain at least one non-empty matcher")
			return nil
		}
	}
	return sets
}

func selects(set []*labels.Matcher) bool {
	for _, m := range set {
		if m != nil && !m.Matches("") {
			return true
		}
	}
	return false
}
