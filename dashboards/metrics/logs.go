package metrics

import "github.com/vigie-otel/vigie/internal/names"

// Labels of the reader of container logs.
var (
	Namespace   = Label(names.K8sNamespaceName)
	LogsEvent   = Label(names.LogsEvent)
	LogsReason  = Label(names.LogsReason)
	LogsOutcome = Label(names.LogsOutcome)
	LogsKind    = Label(names.LogsKind)  // plain, fields, access, broken
	LogsClass   = Label(names.LogsClass) // debug, info, unknown, warn, error, access
)

// The reader of container logs, by node and namespace.
var (
	LogsLag         = otel(ContainerLog, names.LogsLag, "By", Gauge, names.K8sNamespaceName)
	LogsLagTime     = otel(ContainerLog, names.LogsLagTime, "s", Gauge, names.K8sNamespaceName)
	LogsLines       = otel(ContainerLog, names.LogsLines, "{line}", Counter, names.K8sNamespaceName)
	LogsBytes       = otel(ContainerLog, names.LogsBytes, "By", Counter, names.K8sNamespaceName)
	LogsRecords     = otel(ContainerLog, names.LogsRecords, "{record}", Counter, names.LogsOutcome)
	LogsDropped     = otel(ContainerLog, names.LogsDropped, "{record}", Counter, names.LogsReason)
	LogsRetries     = otel(ContainerLog, names.LogsRetries, "{batch}", Counter)
	LogsMalformed   = otel(ContainerLog, names.LogsMalformed, "{line}", Counter)
	LogsCut         = otel(ContainerLog, names.LogsCut, "By", Counter, names.LogsReason)
	LogsUnreadable  = otel(ContainerLog, names.LogsUnreadable, "By", Counter)
	LogsRecovered   = otel(ContainerLog, names.LogsRecovered, "By", Counter)
	LogsFilesOpen   = otel(ContainerLog, names.LogsFilesOpen, "{file}", UpDown)
	LogsFilesKnown  = otel(ContainerLog, names.LogsFilesKnown, "{file}", UpDown)
	LogsFileEvents  = otel(ContainerLog, names.LogsFileEvents, "{event}", Counter, names.LogsEvent)
	LogsBodies      = otel(ContainerLog, names.LogsBodies, "{record}", Counter, names.LogsKind)
	LogsFieldsOut   = otel(ContainerLog, names.LogsFieldsOut, "{field}", Counter, names.LogsReason)
	LogsSacrificed  = otel(ContainerLog, names.LogsSacrificed, "{record}", Counter, names.K8sNamespaceName, names.LogsClass, names.LogsReason)
	LogsPassedOver  = otel(ContainerLog, names.LogsPassedOver, "By", Counter, names.K8sNamespaceName)
	LogsCheckpoints = otel(ContainerLog, names.LogsCheckpoints, "{write}", Counter, names.LogsOutcome)
)
