package ready

import (
	"slices"
	"time"
)

// Check is what a finding looks at; the names are stable.
type Check string

// The checks, in the order in which they are told.
const (
	CheckCalendar   Check = "calendar"
	CheckMetrics    Check = "metrics"
	CheckDemand     Check = "demand"      // what the audience asks of a service, and how much a replica carries
	CheckHPAMax     Check = "hpa_max"     // may it grow as far as it must?
	CheckHPAMin     Check = "hpa_min"     // is enough there before the surge?
	CheckHPAHealth  Check = "hpa_health"  // does the autoscaler work at all?
	CheckReplicas   Check = "replicas"    // of a service without an autoscaler
	CheckPods       Check = "pods"        // pending, not ready
	CheckPDB        Check = "pdb"         // disruption budgets
	CheckQuota      Check = "quota"       // ResourceQuota
	CheckNodes      Check = "nodes"       // room on the nodes that are there
	CheckAutoscaler Check = "autoscaler"  // room in Karpenter's or the Cluster Autoscaler's limits
	CheckAddresses  Check = "addresses"   // for pods, in subnets
	CheckConntrack  Check = "conntrack"   // the kernel's table, by node
	CheckENA        Check = "ena"         // the instance's allowances, by node
	CheckWalls      Check = "walls"       // any other limit that is near already
	CheckCoreDNS    Check = "coredns"     // replicas
	CheckDNSLatency Check = "dns_latency" // CoreDNS' 99th percentile
	CheckRules      Check = "service_rules"
)

// Checks lists them all, in the order in which they are told.
func Checks() []Check {
	return []Check{
		CheckCalendar, CheckMetrics, CheckDemand, CheckHPAMax, CheckHPAMin, CheckHPAHealth, CheckReplicas, CheckPods,
		CheckPDB, CheckQuota, CheckNodes, CheckAutoscaler, CheckAddresses, CheckConntrack, CheckENA, CheckWalls,
		CheckCoreDNS, CheckDNSLatency, CheckRules,
	}
}

// Finding is one answer.
type Finding struct {
	Check    Check   `json:"check"`
	Status   Status  `json:"status"`
	Subject  string  `json:"subject"` // whose: namespace/workload, a node, "cluster"
	Number   *Number `json:"number"`  // null where it is not known
	Limit    *Number `json:"limit"`   // null where there is none, or it is not known
	Why      string  `json:"why"`
	Do       string  `json:"do"`                 // "" where there is nothing to do
	Accepted bool    `json:"accepted,omitempty"` // unknown, and the user said that it may be
}

// Need is what the event asks of one service. Numbers are null where they are not
// known.
type Need struct {
	Service    string  `json:"service"`
	Namespace  string  `json:"namespace"`
	Kind       string  `json:"kind"`
	Workload   string  `json:"workload"`
	Now        *Number `json:"now"`         // {request}/s
	Usual      *Number `json:"usual"`       // {request}/s at the event's hour without one
	Peak       *Number `json:"peak"`        // {request}/s
	PerReplica *Number `json:"per_replica"` // {request}/s at the autoscaler's target
	Replicas   *Number `json:"replicas"`    // there now
	Needed     *Number `json:"needed"`      // {replica} at the peak
	Min        *int    `json:"min"`         // the autoscaler's; null without one
	Max        *int    `json:"max"`
	Status     Status  `json:"status"` // the worst of its findings

	growth float64 // peak over now; 0 where one is not known
	push   string  // what the peak is a push notification of
}

// Event is the event that was judged.
type Event struct {
	Name             string    `json:"name"`
	KickOff          time.Time `json:"kick_off"`
	FullTime         time.Time `json:"full_time"`
	ExpectedAudience int64     `json:"expected_audience"` // 0: not said
	UsualAudience    int64     `json:"usual_audience"`
	Push             []Push    `json:"push_notifications"`
	ApplyBefore      time.Time `json:"apply_before"` // when a prescaling should be done
	UndoAfter        time.Time `json:"undo_after"`
}

// Push is a planned push notification.
type Push struct {
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	Factor float64   `json:"factor"`
}

// Counts are findings by status; accepted ones count as their status.
type Counts struct {
	OK      int `json:"ok"`
	Warn    int `json:"warn"`
	Unknown int `json:"unknown"`
	Fail    int `json:"fail"`
}

// Result is the whole answer. Its JSON is stable: fields are added, and a change
// of meaning raises Format.
type Result struct {
	Format   int       `json:"format"` // 1
	At       time.Time `json:"at"`
	Status   Status    `json:"status"` // the worst, without what was accepted
	Ready    bool      `json:"ready"`  // nothing failed and nothing is unknown
	Event    *Event    `json:"event"`
	Findings []Finding `json:"findings"`
	Services []Need    `json:"services"`
	Patches  []Patch   `json:"patches"`
	Counts   Counts    `json:"counts"`
	Hidden   int       `json:"hidden"` // services beyond MaxServices, none of them judged
}

// Accept marks what is unknown of these checks as accepted: it does not stand in
// the way of Ready any more.
func (r *Result) Accept(checks ...Check) {
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status == Unknown && slices.Contains(checks, f.Check) {
			f.Accepted = true
		}
	}
	r.settle()
}

// settle orders and counts the findings.
func (r *Result) settle() {
	order := Checks()
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return slices.Index(order, a.Check) - slices.Index(order, b.Check)
	})
	r.Status, r.Counts = OK, Counts{}
	if len(r.Findings) == 0 {
		r.Status = Unknown
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		switch f.Status {
		case OK:
			r.Counts.OK++
		case Warn:
			r.Counts.Warn++
		case Unknown:
			r.Counts.Unknown++
		case Fail:
			r.Counts.Fail++
		}
		if !f.Accepted {
			r.Status = worse(r.Status, f.Status)
		}
	}
	r.Ready = r.Status == OK || r.Status == Warn
}
