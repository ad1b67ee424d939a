package names

// EventKubernetes is the event name of a record made of a Kubernetes event.
const EventKubernetes = "k8s.event"

// Attributes of a Kubernetes event, on the record.
const (
	K8sEventName      = "k8s.event.name"
	K8sEventUID       = "k8s.event.uid"
	K8sEventReason    = "k8s.event.reason"
	K8sEventAction    = "k8s.event.action"
	K8sEventCount     = "k8s.event.count"      // how often it has happened, this time included
	K8sEventStartTime = "k8s.event.start_time" // RFC 3339: the first time it happened
	K8sEventReporter  = "k8s.event.reporting_controller"
)

// Attributes of what a Kubernetes event is about, on the resource.
const (
	K8sObjectKind            = "k8s.object.kind"
	K8sObjectName            = "k8s.object.name"
	K8sObjectNamespace       = "k8s.object.namespace"
	K8sObjectUID             = "k8s.object.uid"
	K8sObjectFieldPath       = "k8s.object.fieldpath"
	K8sObjectAPIVersion      = "k8s.object.api_version"
	K8sObjectResourceVersion = "k8s.object.resource_version"
)

// Metrics of the reader of Kubernetes events.
const (
	K8sEventsRecords     = "vigie.k8s_events.records"     // {record}, monotonic: accepted by the pipeline
	K8sEventsDuplicates  = "vigie.k8s_events.duplicates"  // {event}, monotonic: seen again, not told again
	K8sEventsDropped     = "vigie.k8s_events.dropped"     // {record}, monotonic, by reason
	K8sEventsRetries     = "vigie.k8s_events.retries"     // {batch}, monotonic
	K8sEventsGaps        = "vigie.k8s_events.gaps"        // {gap}, monotonic: the API server had forgotten where we were
	K8sEventsFolded      = "vigie.k8s_events.folded"      // {event}, monotonic: happenings in gaps that only a count tells of
	K8sEventsErrors      = "vigie.k8s_events.errors"      // {request}, monotonic: requests that failed
	K8sEventsWatches     = "vigie.k8s_events.watches"     // {watch}, monotonic: watches begun
	K8sEventsCheckpoints = "vigie.k8s_events.checkpoints" // {write}, monotonic, by outcome
	K8sEventsLeading     = "vigie.k8s_events.leading"     // 1: this instance reads, 0: another one does
	K8sEventsReason      = "vigie.k8s_events.reason"      // permanent, vanished, shutdown
	K8sEventsOutcome     = "vigie.k8s_events.outcome"     // ok, failed
)
