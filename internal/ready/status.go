package ready

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Status is how one thing stands.
type Status string

// The statuses, best first but for Unknown, which stands between Warn and Fail:
// a failure is certain, and what nobody knows is worse than what is tight.
const (
	OK      Status = "ok"
	Warn    Status = "warn"
	Unknown Status = "unknown"
	Fail    Status = "fail"
)

func (s Status) rank() int {
	switch s {
	case OK:
		return 0
	case Warn:
		return 1
	case Unknown:
		return 2
	}
	return 3
}

func worse(a, b Status) Status {
	if a.rank() > b.rank() {
		return a
	}
	return b
}

// Basis is what a number rests on.
type Basis string

// The bases, firmest first.
const (
	Read     Basis = "read"     // from an object of the cluster or of AWS
	Given    Basis = "given"    // by the user: calendar, expectations file, flags
	Measured Basis = "measured" // from metrics
	Assumed  Basis = "assumed"  // a rule of thumb; the source says which
)

func (b Basis) rank() int {
	switch b {
	case Read:
		return 0
	case Given:
		return 1
	case Measured:
		return 2
	}
	return 3
}

// weaker is what a number rests on that is made of two.
func weaker(a, b Basis) Basis {
	if a.rank() > b.rank() {
		return a
	}
	return b
}

// Number is a figure and where it is from.
type Number struct {
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"` // UCUM: {replica}, {request}/s, {core}, By
	Basis  Basis   `json:"basis"`
	Source string  `json:"source"` // a phrase for a person
}

func number(v float64, unit string, b Basis, format string, args ...any) *Number {
	return &Number{Value: v, Unit: unit, Basis: b, Source: fmt.Sprintf(format, args...)}
}

// String is the figure with its unit, for a sentence.
func (n *Number) String() string {
	if n == nil {
		return "unknown"
	}
	switch n.Unit {
	case "{request}/s":
		return short(n.Value) + "/s"
	case "{core}":
		return short(n.Value) + plural(n.Value, " core")
	case "By":
		return size(n.Value)
	case "s":
		return seconds(n.Value)
	case "1":
		return short(n.Value)
	}
	return short(n.Value) + plural(n.Value, " "+strings.Trim(n.Unit, "{}"))
}

// assumed makes of a status what it may be at most, and at least, where it rests
// on an assumption: a warning.
func assumed(s Status, rests ...*Number) Status {
	for _, n := range rests {
		if n != nil && n.Basis == Assumed && (s == OK || s == Fail) {
			return Warn
		}
	}
	return s
}

// short writes v with commas, and digits behind the point only where they matter.
func short(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "unknown"
	}
	if a := math.Abs(v); a < 10 && a != math.Trunc(a) {
		return strconv.FormatFloat(v, 'g', 2, 64)
	} else if a < 100 && a != math.Trunc(a) {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	s := strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size writes bytes in binary units.
func size(v float64) string {
	for _, u := range []string{"B", "KiB", "MiB", "GiB"} {
		if math.Abs(v) < 1024 {
			return short(v) + " " + u
		}
		v /= 1024
	}
	return short(v) + " TiB"
}

func seconds(v float64) string {
	if v < 1 {
		return short(math.Round(v*1e6)/1e3) + " ms"
	}
	return short(v) + " s"
}

// plural ends a noun with s unless there is just one; its own beginning counts,
// such as a space.
func plural(n float64, noun string) string {
	if n == 1 {
		return noun
	}
	if strings.HasSuffix(noun, "ss") {
		return noun + "es"
	}
	if stem, ok := strings.CutSuffix(noun, "ry"); ok {
		return stem + "ries"
	}
	return noun + "s"
}

func some(n int, noun string) string { return short(float64(n)) + plural(float64(n), " "+noun) }
