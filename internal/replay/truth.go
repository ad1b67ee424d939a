package replay

import "time"

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
