package rules

// The dashboards that alerts point to.
const (
	uidAttack       = "vigie-attack"
	uidConntrack    = "vigie-conntrack"
	uidNodes        = "vigie-nodes"
	uidWorkloads    = "vigie-workloads"
	uidServices     = "vigie-services"
	uidControlPlane = "vigie-control-plane"
	uidLogs         = "vigie-telemetry"
	uidSelf         = "vigie-self"
)
