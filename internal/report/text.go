package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// What is not known.
const none = "not measured"

// count writes a number for a person: 36,000,000 and 0.25.
func count(n Num) string {
	v := float64(n)
	switch {
	case !n.Known():
		return none
	case v != 0 && math.Abs(v) < 100 && v != math.Trunc(v):
		return fmt.Sprintf("%.2g", v)
	}
	digits := fmt.Sprintf("%.0f", math.Abs(v))
	var b strings.Builder
	if v < 0 {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// brief is count for an axis: 12k, 3.4M.
func brief(v float64) string {
	for _, u := range []struct {
		from float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if v >= u.from {
			return fmt.Sprintf("%.3g%s", v/map[string]float64{"G": 1e9, "M": 1e6, "k": 1e3}[u.name], u.name)
		}
	}
	return fmt.Sprintf("%.4g", v)
}

func percent(n Num) string {
	if !n.Known() {
		return none
	}
	return percentOf(float64(n))
}

func percentOf(v float64) string {
	switch p := 100 * v; {
	case p != 0 && math.Abs(p) < 0.01:
		return "below 0.01 %"
	case p != 0 && math.Abs(p) < 10:
		return fmt.Sprintf("%.2g %%", p)
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

// clock is the time of day in UTC.
func clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format(time.TimeOnly)
}

// short writes 5m rather than 5m0s.
func short(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// plain writes a value of evidence.
func plain(v float64) string {
	if math.Abs(v) >= 1000 {
		return count(Num(v))
	}
	return fmt.Sprintf("%.3g", v)
}
