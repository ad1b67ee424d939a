package names

// Metrics of whose telemetry it is, by this node's pods.
const (
	PodAttributesResources = "vigie.pod_attributes.resources" // {resource}, monotonic, by outcome
	PodAttributesOutcome   = "vigie.pod_attributes.outcome"   // attribute: known, unknown (says a pod that is not here), none (says none)
)
