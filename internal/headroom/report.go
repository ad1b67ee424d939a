package headroom

import (
	"strconv"
	"time"

	"github.com/vigie-otel/vigie/internal/forecast"
)

// Report is how far the walls are off at one time.
type Report struct {
	At      time.Time `json:"at"`
	Walls   []Wall    `json:"walls"`   // the worst first, as forecast.Sort orders them
	Missing []Missing `json:"missing"` // what could not be read
	Hidden  int       `json:"hidden"`  // walls beyond MaxWalls, all better than those listed
}

// MaxWalls bounds the walls of a report: a cluster of 1,000 nodes has 10,000.
const MaxWalls = 200

// Missing is a wall that is not seen.
type Missing struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Wall is one limit. Used, Limit and Utilization are null where nothing tells
// them: the ENA driver says only what is left.
type Wall struct {
	Name        string   `json:"name"`
	Resource    string   `json:"resource"` // whose: instance, device, process
	Unit        string   `json:"unit"`     // UCUM
	Used        *float64 `json:"used"`
	Limit       *float64 `json:"limit"`
	Left        *float64 `json:"left"` // Limit − Used
	Utilization *float64 `json:"utilization"`
	// MinutesLeft is null where nothing grows towards the limit, 0 while it is
	// hit.
	MinutesLeft *float64 `json:"minutes_left"`
	Earliest    *float64 `json:"earliest_minutes"` // 95 % band of MinutesLeft
	Latest      *float64 `json:"latest_minutes"`
	Growing     bool     `json:"growing"`
	Growth      float64  `json:"growth"` // units a second; 0 where no growth is certain
	Losing      bool     `json:"losing"`
	LossRate    float64  `json:"loss_rate"`   // units a second
	AgeSeconds  float64  `json:"age_seconds"` // of the newest reading
	Stale       bool     `json:"stale"`       // too old for a forecast
	Source      string   `json:"source"`      // the metrics that say so
	Why         string   `json:"why"`         // a sentence for a person
}

// sort orders walls as forecast.Sort does.
func sort(walls []Wall) []Wall {
	byID := make(map[string]Wall, len(walls))
	order := make([]forecast.Wall, 0, len(walls))
	for i, w := range walls {
		id := w.Resource + "\x00" + strconv.Itoa(i) // two jobs may name one instance
		byID[id] = w
		f := forecast.Wall{
			Name: w.Name, Resource: id, MinutesLeft: w.MinutesLeft,
			Losing: w.Losing, LossRate: w.LossRate,
		}
		if w.Limit != nil {
			f.Limit = *w.Limit
		}
		if w.Utilization != nil {
			f.Utilization = *w.Utilization
		}
		order = append(order, f)
	}
	forecast.Sort(order)
	out := walls[:0]
	for _, f := range order {
		out = append(out, byID[f.Resource])
	}
	return out
}
