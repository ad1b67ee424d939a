package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// value formats v in one of Grafana's units, as Grafana would.
func value(v float64, unit string, decimals *int) string {
	if math.IsNaN(v) {
		return "–"
	}
	if math.Abs(v) < 1e-12 {
		v = 0 // no -0
	}
	digits := -1
	if decimals != nil {
		digits = *decimals
	}
	switch unit {
	case "percentunit":
		return number(v*100, digits) + " %"
	case "percent":
		return number(v, digits) + " %"
	case "bytes":
		return scaled(v, 1024, digits, []string{" B", " KiB", " MiB", " GiB", " TiB"})
	case "Bps":
		return scaled(v, 1000, digits, []string{" B/s", " kB/s", " MB/s", " GB/s"})
	case "s":
		return seconds(v, digits)
	case "dtdurations":
		return duration(v)
	case "reqps":
		return scaled(v, 1000, digits, []string{" req/s", " K req/s", " M req/s"})
	case "pps":
		return scaled(v, 1000, digits, []string{" p/s", " kp/s", " Mp/s"})
	case "cps":
		return scaled(v, 1000, digits, []string{" c/s", " Kc/s", " Mc/s"})
	case "ops":
		return scaled(v, 1000, digits, []string{" ops/s", " K ops/s", " M ops/s"})
	}
	return scaled(v, 1000, digits, []string{"", " K", " Mil", " Bil"})
}

func scaled(v, base float64, digits int, names []string) string {
	i := 0
	for i < len(names)-1 && math.Abs(v) >= base {
		v /= base
		i++
	}
	if i > 0 && digits == 0 {
		digits = -1
	}
	return number(v, digits) + names[i]
}

// number has three significant digits unless it is told how many to have.
func number(v float64, digits int) string {
	if digits >= 0 {
		return strconv.FormatFloat(v, 'f', digits, 64)
	}
	a := math.Abs(v)
	d := 0
	switch {
	case a == 0:
	case a < 0.01:
		d = 4
	case a < 1:
		d = 3
	case a < 10:
		d = 2
	case a < 100:
		d = 1
	}
	s := strconv.FormatFloat(v, 'f', d, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func seconds(v float64, digits int) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0 s"
	case a < 0.001:
		return number(v*1e6, digits) + " µs"
	case a < 1:
		return number(v*1e3, digits) + " ms"
	case a < 120:
		return number(v, digits) + " s"
	case a < 7200:
		return number(v/60, digits) + " min"
	case a < 2*86400:
		return number(v/3600, digits) + " h"
	}
	return number(v/86400, digits) + " d"
}

func duration(v float64) string {
	s := int(math.Round(v))
	switch {
	case s >= 86400:
		return fmt.Sprintf("%d d %d h", s/86400, s%86400/3600)
	case s >= 3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d s", s)
}

// ticks are about n round numbers from lo to hi.
func ticks(lo, hi float64, n int, base2 bool) []float64 {
	if hi <= lo {
		return []float64{lo}
	}
	raw := (hi - lo) / float64(n)
	var step float64
	if base2 {
		step = math.Pow(2, math.Ceil(math.Log2(raw)))
	} else {
		mag := math.Pow(10, math.Floor(math.Log10(raw)))
		for _, m := range []float64{1, 2, 2.5, 5, 10} {
			if step = m * mag; step >= raw*0.999 {
				break
			}
		}
	}
	var out []float64
	for v := math.Ceil(lo/step-1e-9) * step; v <= hi+step*1e-6; v += step {
		out = append(out, v)
	}
	return out
}
