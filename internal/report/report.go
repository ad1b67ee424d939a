package report

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// Num is a number that may not be known: NaN, which is null in JSON.
type Num float64

// MarshalJSON writes six digits.
func (n Num) MarshalJSON() ([]byte, error) {
	if !n.Known() {
		return []byte("null"), nil
	}
	if f := float64(n); f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendInt(nil, int64(f), 10), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', 6, 64), nil
}

// Known reports whether the number was measured.
func (n Num) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

var unknown = Num(math.NaN())

// Limits of a report. What is beyond is counted and said.
const (
	MaxFindings = 100
	MaxEntries  = 2000
	MaxServices = 30
	maxPoints   = 3600
)

// Input is what a report is made from.
type Input struct {
	From, To time.Time
	Made     time.Time
	Event    *calendar.Event // nil: none
	SLO      float64         // share of requests that must succeed
	Version  string          // of Vigie
	Store    headroom.Store
	Findings []Finding        // all that are known; Make takes those of the range
	Entries  []timeline.Entry // likewise
	Broken   int              // lines of the room's files that could not be read
	// Grafana is the base URL that links lead to; empty for none.
	Grafana string
}

// Finding is a finding as the room last heard of it.
type Finding struct {
	finding.Finding
	// Stale: it was never told to be over, and nobody speaks of it any more.
	Stale bool `json:"stale,omitempty"`
}

// Report is the record of a time.
type Report struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Made    time.Time `json:"made"`
	Version string    `json:"version"`
	Event   string    `json:"event,omitempty"`
	KickOff time.Time `json:"kick_off,omitzero"`
	SLO     float64   `json:"slo"`
	Grafana string    `json:"-"`

	Impact   Impact             `json:"impact"`
	Services []Service          `json:"services"`
	Course   []Span             `json:"-"`
	Findings []Finding          `json:"-"`
	Walls    []WallReached      `json:"-"`
	Missing  []headroom.Missing `json:"-"`
	Entries  []timeline.Entry   `json:"-"`
	Roles    []Role             `json:"roles,omitempty"`
	Fix      []Advice           `json:"-"`
	Series   Series             `json:"-"`
	Left     map[string]int     `json:"left_out,omitempty"` // by kind, what was beyond a limit
	Problems []string           `json:"problems,omitempty"` // what could not be read
}

// Impact is the event in numbers, over all services.
type Impact struct {
	Requests   Num       `json:"requests"`
	Errors     Num       `json:"errors"` // answers of 4xx and 5xx
	ErrorShare Num       `json:"error_share"`
	BudgetUsed Num       `json:"error_budget_used"` // 1: all of it
	Suspected  Num       `json:"suspected_requests"`
	PeakRate   Num       `json:"peak_rate"` // requests/s
	PeakRateAt time.Time `json:"peak_rate_at,omitzero"`
	Clients    Num       `json:"peak_clients"` // within the detector's ten seconds
	ClientsAt  time.Time `json:"peak_clients_at,omitzero"`
	WorstP99   Num       `json:"worst_p99_seconds"`
	Attack     Seconds   `json:"attack_seconds"` // attack or mixed
	Mixed      Seconds   `json:"mixed_seconds"`
	Crowd      Seconds   `json:"crowd_seconds"`
	Normal     Seconds   `json:"normal_seconds"`
	Unknown    Seconds   `json:"unknown_seconds"` // said to be unknown, or nothing was said
}

// Seconds is a length of time in whole seconds.
type Seconds int64

// Duration is the same for a person.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// Service is one service's part of it.
type Service struct {
	Name       string  `json:"name"`
	Requests   Num     `json:"requests"`
	Errors     Num     `json:"errors"`
	ErrorShare Num     `json:"error_share"`
	PeakRate   Num     `json:"peak_rate"`
	Attack     Seconds `json:"attack_seconds"` // attack or mixed
	Crowd      Seconds `json:"crowd_seconds"`
}

// Span is a stretch of one verdict over all services; an empty verdict is a gap
// without any data.
type Span struct {
	From    time.Time       `json:"from"`
	To      time.Time       `json:"to"`
	Verdict finding.Verdict `json:"verdict"`
}

// Role is who had which, at the end.
type Role struct {
	Role string `json:"role"`
	Who  string `json:"who"`
}

// Advice is one thing to mend, and what in the report says so.
type Advice struct {
	What string `json:"what"`
	Why  string `json:"why"`
	Link string `json:"-"` // an anchor of the page
}

// Make reads the store and puts the report together. What cannot be read becomes
// one of the report's Problems; the rest is reported all the same. The error is
// ctx's alone.
func Make(ctx context.Context, in Input) (*Report, error) {
	r := &Report{
		From: in.From.UTC(), To: in.To.UTC(), Made: in.Made.UTC(), Version: in.Version, SLO: in.SLO, Grafana: in.Grafana,
		Left: map[string]int{},
	}
	if in.Event != nil {
		r.Event, r.KickOff = finding.Clean(in.Event.Name), in.Event.KickOff.UTC()
	}
	a := &asker{ctx: ctx, store: in.Store, from: r.From, to: r.To}
	a.step = stepOf(r.To.Sub(r.From))
	r.takeFindings(in.Findings)
	r.takeEntries(in.Entries)
	r.measure(a)
	r.readWalls(a)
	for _, err := range a.errs {
		r.Problems = append(r.Problems, finding.Clean(err))
	}
	if in.Broken > 0 {
		r.Problems = append(r.Problems, strconv.Itoa(in.Broken)+" lines of the room's files could not be read")
	}
	r.advise()
	return r, ctx.Err()
}

// stepOf is the distance of two points: a second where the range allows it.
func stepOf(d time.Duration) time.Duration {
	for _, s := range []time.Duration{1, 2, 5, 10, 15, 30, 60, 120, 300} {
		if d/(s*time.Second) <= maxPoints {
			return s * time.Second
		}
	}
	return 10 * time.Minute
}
