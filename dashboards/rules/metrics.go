package rules

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/internal/names"
)

// The metrics that the rules read, under short names, from the catalogue that
// the dashboards read as well: a rename there breaks the build here.
var (
	trafficRequests = metrics.TrafficRequests.Name
	trafficErrors   = metrics.TrafficErrors.Name
	attackFindings  = metrics.AttackFindings.Name
	attackVerdict   = metrics.AttackVerdict.Name
	spanCalls       = metrics.SpanCalls.Name

	conntrackUsage       = metrics.ConntrackUsage.Name
	conntrackUtilization = metrics.ConntrackUtilization.Name
	conntrackTimeLeft    = metrics.ConntrackTimeToExhaustion.Name
	conntrackDropped     = metrics.ConntrackPacketDropped.Name
	conntrackEarly       = metrics.ConntrackEarlyDropped.Name
	conntrackInsert      = metrics.ConntrackInsertFailed.Name
	conntrackHalfOpen    = metrics.ConntrackHalfOpen.Name
	enaExceeded          = metrics.ENAAllowanceExceeded.Name
	enaAvailable         = metrics.ENAConntrackAvailable.Name

	cpuTime   = metrics.CPUTime.Name
	memFree   = metrics.MemoryAvailable.Name
	memLimit  = metrics.MemoryLimit.Name
	diskUsage = metrics.FilesystemUsage.Name
	diskShare = metrics.FilesystemUtilization.Name

	kubeNodeInfo      = metrics.NodeInfo.Name
	kubeNodeCondition = metrics.NodeCondition.Name
	kubePodWaiting    = metrics.PodWaiting.Name
	kubePodRestarts   = metrics.PodRestarts.Name
	kubePodTerminated = metrics.PodTerminated.Name
	kubePodPhase      = metrics.PodPhase.Name
	kubeHPADesired    = metrics.HPADesired.Name
	kubeHPACurrent    = metrics.HPACurrent.Name
	kubeHPAMax        = metrics.HPAMax.Name
	kubeHPACondition  = metrics.HPACondition.Name
	cfsThrottled      = metrics.ContainerThrottledPeriods.Name
	cfsPeriods        = metrics.ContainerPeriods.Name

	coreDNSResponses  = metrics.DNSResponses.Name
	coreDNSDuration   = metrics.DNSDuration.Bucket()
	apiServerRequests = metrics.APIRequests.Name
	apiServerDuration = metrics.APIDuration.Bucket()

	up               = metrics.Up.Name
	uptime           = metrics.ProcessUptime.Name
	queueSize        = metrics.ExporterQueueSize.Name
	queueCapacity    = metrics.ExporterQueueCapacity.Name
	detectorLimited  = metrics.DetectionLimited.Name
	detectorRequests = metrics.DetectionRequests.Name
	findingsDropped  = metrics.ConntrackFindingsLost.Name

	configSuccessful = metrics.ConfigSuccessful.Name
	configHash       = metrics.ConfigHash.Name
	ledgerOffItems   = metrics.LedgerOff.Name
	eventsLeading    = metrics.EventsLeading.Name

	logsLagTime    = metrics.LogsLagTime.Name
	logsDropped    = metrics.LogsDropped.Name
	logsUnreadable = metrics.LogsUnreadable.Name

	storeDiskFull  = metrics.StoreDiskFull.Name
	storeDropped   = metrics.StoreSamplesDropped.Name
	storeDropLabel = "reason"
)

// The guard's, CloudWatch's and the host's limits.
var (
	guardPointsCut   = metrics.GuardPointsCut.Name
	guardMetric      = metrics.Label(names.SeriesGuardMetric)
	guardReason      = metrics.Label(names.SeriesGuardReason)
	cloudWatchEvents = metrics.CloudWatchEventsDropped.Name
	cloudWatchPoints = metrics.CloudWatchPointsDropped.Name
	cloudWatchReason = metrics.Label(names.CloudWatchReason)

	descriptors     = metrics.Descriptors.Name
	descriptorLimit = metrics.DescriptorLimit.Name
	threads         = metrics.Threads.Name
	threadLimit     = metrics.ThreadLimit.Name
)

// Labels.
var (
	serviceName   = metrics.ServiceName
	verdictState  = metrics.VerdictState
	attackClass   = metrics.AttackClass
	wall          = metrics.Wall
	owner         = metrics.Owner
	ownerSide     = metrics.OwnerSide
	allowance     = metrics.Allowance
	interfaceName = metrics.ENAInterface
	logsReason    = metrics.LogsReason
	ledgerSignal  = metrics.LedgerSignal
	ledgerTo      = metrics.LedgerTo
	namespaceAttr = metrics.Namespace
)

const (
	cluster    = metrics.Cluster // external label of the exporter to AMP
	job        = metrics.Job
	instance   = metrics.Instance
	mountpoint = "mountpoint"
	namespace  = "namespace" // of kube-state-metrics and cAdvisor
	pod        = "pod"
	container  = "container"
	hpa        = "horizontalpodautoscaler"
)

// signal is one kind of telemetry and where the collector counts its losses.
type signal struct {
	name                               string
	sendFailed, enqueueFailed, refused string
}

func signals() []signal {
	return []signal{
		{"metrics", metrics.ExporterFailedMetrics.Name, metrics.ExporterEnqueueMetrics.Name, metrics.ReceiverRefusedMetrics.Name},
		{"logs", metrics.ExporterFailedLogs.Name, metrics.ExporterEnqueueLogs.Name, metrics.ReceiverRefusedLogs.Name},
		{"traces", metrics.ExporterFailedSpans.Name, metrics.ExporterEnqueueSpans.Name, metrics.ReceiverRefusedSpans.Name},
	}
}
