package warroomexporter

import (
	"math"
	"strconv"
)

// How much of the past the page has at once: 15 minutes by the second, 6 hours by
// the minute. One history takes 40 kB, whatever comes.
const (
	historySeconds = 15 * 60
	historyMinutes = 6 * 60
)

// moment is one row of the past. NaN is what was not told.
type moment struct {
	rate, expected, clients, errors, suspected, score float32
	verdict                                           int8 // gravity; -1: nothing known
}

var nothing = func() moment {
	nan := float32(math.NaN())
	return moment{nan, nan, nan, nan, nan, nan, -1}
}()

// history is a service's past. Owned by who ticks; not safe for concurrent use.
type history struct {
	seconds [historySeconds]moment
	minutes [historyMinutes]moment
	newest  int64 // Unix second of the newest row; 0: empty
}

func newHistory() *history {
	h := &history{}
	for i := range h.seconds {
		h.seconds[i] = nothing
	}
	for i := range h.minutes {
		h.minutes[i] = nothing
	}
	return h
}

func momentOf(r *verdictRow) moment {
	return moment{
		rate: float32(r.Rate), expected: float32(r.Expected), clients: float32(r.Clients),
		errors: float32(r.Errors), suspected: float32(r.Suspected), score: float32(r.Score),
		verdict: int8(gravity(r.Verdict)),
	}
}

// put sets the row of a second. Seconds that were skipped (a machine that slept)
// become gaps; one that is past changes nothing.
func (h *history) put(second int64, m moment) {
	if h.newest != 0 && second <= h.newest {
		return
	}
	if h.newest != 0 {
		from := max(h.newest+1, second-historySeconds+1)
		for s := from; s < second; s++ {
			h.seconds[s%historySeconds] = nothing
		}
		for min := max(h.newest/60+1, second/60-historyMinutes+1); min < second/60; min++ {
			h.minutes[min%historyMinutes] = nothing
		}
	}
	h.seconds[second%historySeconds] = m
	fresh := h.newest == 0 || second/60 != h.newest/60
	h.newest = second
	h.minute(second, fresh)
}

// minute makes the row of the minute that second is in out of its seconds: means,
// and the gravest verdict, so that an attack of ten seconds is seen from afar.
func (h *history) minute(second int64, fresh bool) {
	if !fresh && second%60 != 59 && second%5 != 0 {
		return // the minute under way is refreshed each five seconds
	}
	var sum [6]float64
	var n [6]int
	out := nothing
	for s := second / 60 * 60; s <= second; s++ {
		m := &h.seconds[s%historySeconds]
		for i, v := range m.columns() {
			if !math.IsNaN(float64(*v)) {
				sum[i] += float64(*v)
				n[i]++
			}
		}
		out.verdict = max(out.verdict, m.verdict)
	}
	for i, v := range out.columns() {
		if n[i] > 0 {
			*v = float32(sum[i] / float64(n[i]))
		}
	}
	h.minutes[second/60%historyMinutes] = out
}

func (m *moment) columns() [6]*float32 {
	return [6]*float32{&m.rate, &m.expected, &m.clients, &m.errors, &m.suspected, &m.score}
}

// column is a list of values that JSON can carry, three digits of each.
type column []float32

func (c column) MarshalJSON() ([]byte, error) {
	b := make([]byte, 1, 2+6*len(c))
	b[0] = '['
	for i, v := range c {
		if i > 0 {
			b = append(b, ',')
		}
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			b = append(b, "null"...)
		} else {
			b = appendShort(b, f)
		}
	}
	return append(b, ']'), nil
}

// appendShort writes v with four digits: enough for a pixel.
func appendShort(b []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	return strconv.AppendFloat(b, v, 'g', 4, 64)
}

// past is a history as the page gets it, by column: the last value of each is of
// End. verdict holds gravities (0 normal, 1 unknown, 2 crowd, 3 mixed, 4 attack,
// -1 nothing known).
type past struct {
	End       int64  `json:"end"` // Unix second
	Step      int64  `json:"step"`
	Rate      column `json:"rate"`
	Expected  column `json:"expected"`
	Clients   column `json:"clients"`
	Errors    column `json:"errors"`
	Suspected column `json:"suspected"`
	Score     column `json:"score"`
	Verdict   []int8 `json:"verdict"`
}

func (p *past) add(m *moment) {
	p.Rate = append(p.Rate, m.rate)
	p.Expected = append(p.Expected, m.expected)
	p.Clients = append(p.Clients, m.clients)
	p.Errors = append(p.Errors, m.errors)
	p.Suspected = append(p.Suspected, m.suspected)
	p.Score = append(p.Score, m.score)
	p.Verdict = append(p.Verdict, m.verdict)
}

// bySecond and byMinute give the past, the oldest first, without the emptiness
// before the first row.
func (h *history) bySecond() past {
	p := past{End: h.newest, Step: 1, Verdict: []int8{}} // never null: the page appends to it
	for s := h.newest - historySeconds + 1; h.newest > 0 && s <= h.newest; s++ {
		if m := &h.seconds[s%historySeconds]; m.verdict >= 0 || len(p.Verdict) > 0 {
			p.add(m)
		}
	}
	return p
}

func (h *history) byMinute() past {
	p := past{End: h.newest / 60 * 60, Step: 60, Verdict: []int8{}}
	for s := h.newest/60 - historyMinutes + 1; h.newest > 0 && s <= h.newest/60; s++ {
		if m := &h.minutes[s%historyMinutes]; m.verdict >= 0 || len(p.Verdict) > 0 {
			p.add(m)
		}
	}
	return p
}
