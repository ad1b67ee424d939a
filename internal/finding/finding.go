package finding

import "time"

// Status is where a finding stands in its life. Its ID never changes on the
// way.
type Status string

// A finding opens once, may be updated any number of times and closes once.
const (
	Open   Status = "open"
	Update Status = "update"
	Closed Status = "closed"
)

// Valid reports whether s is one of the statuses above.
func (s Status) Valid() bool { return s == Open || s == Update || s == Closed }

// Points is the side that a piece of evidence takes.
type Points string

// Evidence against an attack is told too: a reader must see what was weighed.
const (
	For     Points = "for"
	Against Points = "against"
)

// Finding is one attack or one wall that is coming nearer. All times are event
// time in UTC. The JSON form is one line of vigie detect.
type Finding struct {
	ID         string     `json:"id"` // NewID; stable over the finding's life
	Class      Class      `json:"class"`
	Service    string     `json:"service"` // service.name, or the target or node where no service is known
	Status     Status     `json:"status"`
	Confidence float64    `json:"confidence"`          // 0–1
	StartedAt  time.Time  `json:"started_at"`          // the first event that belongs to it
	DetectedAt time.Time  `json:"detected_at"`         // when it opened
	UpdatedAt  time.Time  `json:"updated_at,omitzero"` // the last event that belongs to it, so far
	ClosedAt   time.Time  `json:"closed_at,omitzero"`  // zero while it is open
	Requests   uint64     `json:"requests"`            // requests (or connections) counted towards it so far
	Evidence   []Evidence `json:"evidence"`
	Actors     []Actor    `json:"actors"`
	Rules      []Rule     `json:"rules"`
	Mitigation Mitigation `json:"mitigation,omitzero"` // what the rules do together
}

// Evidence is one dimension that was measured, what it is normally, and which
// way it points.
type Evidence struct {
	Dimension string  `json:"dimension"` // "requests_per_second", "new_client_share", …
	Value     float64 `json:"value"`
	Normal    float64 `json:"normal"`         // 0 where there is none, or none yet
	Unit      string  `json:"unit,omitempty"` // UCUM; empty for a ratio
	Points    Points  `json:"points"`
	Note      string  `json:"note,omitempty"` // a sentence for a person
}

// The kinds of actor. A detector may add kinds of its own.
const (
	KindPrefix    = "prefix" // CIDR
	KindUserAgent = "user_agent"
	KindPath      = "path" // template
	KindQuery     = "query"
	KindAccount   = "account"
	KindJA4       = "ja4"
	KindTarget    = "target" // address:port that is attacked
	KindOwner     = "owner"  // who holds the entries of a full table
)

// Actor is something that the attack's traffic has in common.
type Actor struct {
	Kind      string    `json:"kind"`
	Value     string    `json:"value"`
	Share     float64   `json:"share"`          // of the attack's traffic, 0–1
	Lift      float64   `json:"lift,omitempty"` // its share now over its share in the baseline
	Errors    float64   `json:"errors"`         // share of its requests answered with 4xx or 5xx, 0–1
	FirstSeen time.Time `json:"first_seen,omitzero"`
}

// What a proposed rule does with what it matches.
const (
	ActionBlock     = "block"
	ActionChallenge = "challenge"
	ActionRateLimit = "rate_limit"
	ActionCount     = "count"
)

// Rule is a mitigation that is proposed, never applied.
type Rule struct {
	Kind   string      `json:"kind"`   // ip_set, user_agent, path, query, rate, composite, sysctl, …
	Match  []Condition `json:"match"`  // all must hold
	Action string      `json:"action"` // block, challenge, rate_limit, count, or what the kind says
	// Coverage is the estimated share of the attack that the rule stops, 0–1.
	Coverage float64 `json:"coverage"`
	// LegitimateHit is the estimated share of legitimate requests that it would
	// stop too, 0–1.
	LegitimateHit float64 `json:"legitimate_hit"`
}

// The operators of a condition.
const (
	OpEquals   = "equals"
	OpPrefix   = "prefix"
	OpContains = "contains"
	OpIn       = "in" // one of the values; CIDRs where the field is an address
	OpAbove    = "above"
	OpPresent  = "present" // the field is there and not empty; no values
	OpAbsent   = "absent"  // the field is missing or empty; no values
)

// Condition is one test on a request: the field holds one of the values.
type Condition struct {
	Field  string   `json:"field"` // attribute name, as in internal/names
	Op     string   `json:"op"`
	Values []string `json:"values"`
	More   int      `json:"more,omitempty"` // values that were left out to keep the record small
}

// Mitigation says what the proposed rules do together: what each does alone
// overlaps. Challenges and counts are no part of it.
type Mitigation struct {
	// Coverage is the estimated share of the attack that the rules stop, 0–1.
	Coverage float64 `json:"coverage"`
	// LegitimateHit is the estimated share of legitimate requests that they
	// would stop too, 0–1.
	LegitimateHit float64 `json:"legitimate_hit"`
	// Note says why they stop no more, where that needs a word.
	Note string `json:"note,omitempty"`
}
