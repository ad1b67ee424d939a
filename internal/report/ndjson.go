package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// row is a series as the NDJSON carries it.
type row struct {
	Name  string    `json:"name"`
	Unit  string    `json:"unit"` // UCUM
	Start time.Time `json:"start"`
	Step  float64   `json:"step_seconds"`
	// Values are null where nothing was measured.
	Values []Num `json:"values"`
}

// WriteNDJSON writes the same as JSON lines, each an object {"type", "data"}: one
// report, then verdict, finding, wall, entry, advice and series lines.
func (r *Report) WriteNDJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	put := func(kind string, data any) error {
		err := enc.Encode(struct {
			Type string `json:"type"`
			Data any    `json:"data"`
		}{kind, data})
		if err != nil {
			return fmt.Errorf("write report's %s: %w", kind, err)
		}
		return nil
	}
	if err := put("report", r); err != nil {
		return err
	}
	for _, part := range []func() error{
		func() error { return each(put, "verdict", r.Course) },
		func() error { return each(put, "finding", r.Findings) },
		func() error { return each(put, "wall", r.Walls) },
		func() error { return each(put, "entry", r.Entries) },
		func() error { return each(put, "advice", r.Fix) },
		func() error { return each(put, "series", r.rows()) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func each[T any](put func(string, any) error, kind string, all []T) error {
	for i := range all {
		if err := put(kind, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) rows() []row {
	s := &r.Series
	var out []row
	for _, x := range []struct {
		name, unit string
		values     []float32
	}{
		{"requests_per_second", "{request}/s", s.Rate}, {"expected_requests_per_second", "{request}/s", s.Expected},
		{"clients", "{client}", s.Clients}, {"error_share", "1", s.Share}, {"error_budget_used", "1", s.Budget}, {"p99", "s", s.P99},
	} {
		if best, _ := peak(x.values); !best.Known() {
			continue
		}
		values := make([]Num, len(x.values))
		for i, v := range x.values {
			values[i] = Num(v)
		}
		out = append(out, row{x.name, x.unit, s.From, s.Step.Seconds(), values})
	}
	return out
}
