package replay

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Truth is what a run contained: the sidecar of the labels, in JSON.
type Truth struct {
	Scenario string    `json:"scenario"`
	Site     string    `json:"site"`
	Expect   string    `json:"expect,omitempty"`
	Seed     uint64    `json:"seed"`
	Scale    float64   `json:"scale"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Lines    int64     `json:"lines"`
	// SessionsDropped counts visits beyond the limit of visits at one time.
	SessionsDropped int64         `json:"sessions_dropped,omitempty"`
	Attacks         []AttackTruth `json:"attacks"`
	Crowds          []CrowdTruth  `json:"crowds"`
	// Seconds is how many lines each second has, in order: it gives a line's time
	// to whoever has only its number.
	Seconds Counts `json:"lines_per_second"`
}

// AttackTruth is one attack. Times are event times; lines are 1-based; the firsts
// and lasts are of its requests and zero when it made none.
type AttackTruth struct {
	ID           string    `json:"id"`
	Class        string    `json:"class"`
	Style        Style     `json:"style"`
	Clients      int       `json:"clients"`
	Requests     int64     `json:"requests"`
	Intensity    float64   `json:"intensity"` // mean rate over the background's just before
	Start        time.Time `json:"start"`
	End          time.Time `json:"end"`
	FirstRequest time.Time `json:"first_request"`
	LastRequest  time.Time `json:"last_request"`
	FirstLine    int64     `json:"first_line"`
	LastLine     int64     `json:"last_line"`
}

// Style is how an attack was carried out.
type Style struct {
	Target    string `json:"target"`
	Agents    string `json:"agents"`
	Addresses string `json:"addresses"`
	Timing    string `json:"timing"`
	Response  string `json:"response"`
}

// CrowdTruth is people who came for a reason: when they began to come, and when
// the last of them did.
type CrowdTruth struct {
	Class string    `json:"class"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Counts is written as one string, "751 748 …": a day has 86,400 of them.
type Counts []int64

// MarshalJSON writes the numbers with a space between each two.
func (c Counts) MarshalJSON() ([]byte, error) {
	b := []byte{'"'}
	for i, n := range c {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return append(b, '"'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Counts) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	*c = nil
	for field := range strings.FieldsSeq(text) {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return fmt.Errorf("read counts: %w", err)
		}
		*c = append(*c, n)
	}
	return nil
}

// SecondOf is the second since the start in which the line (from 1) was written.
func (t *Truth) SecondOf(line int64) int {
	for i, n := range t.Seconds {
		if line <= n {
			return i
		}
		line -= n
	}
	return len(t.Seconds)
}
