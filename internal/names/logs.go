package names

// Attributes of a container's log record.
const (
	K8sNamespaceName         = "k8s.namespace.name"
	K8sPodName               = "k8s.pod.name"
	K8sPodUID                = "k8s.pod.uid"
	K8sContainerName         = "k8s.container.name"
	K8sContainerRestartCount = "k8s.container.restart_count"
	LogIostream              = "log.iostream"           // stdout, stderr
	LogFilePath              = "log.file.path"          // of the resource
	LogTruncated             = "vigie.log.truncated"    // true: the line was longer than the limit
	LogIncomplete            = "vigie.log.unterminated" // true: the file ended without a newline
)

// Metrics of the reader of container logs. Those by namespace have the attribute
// k8s.namespace.name, "" for files that are no container's.
const (
	LogsLag         = "vigie.logs.lag"             // By, by namespace: written and not accepted yet
	LogsLagTime     = "vigie.logs.lag.time"        // s, by namespace: age of the oldest line that is not accepted
	LogsLines       = "vigie.logs.lines"           // {line}, monotonic, by namespace
	LogsBytes       = "vigie.logs.bytes"           // By, monotonic, by namespace
	LogsRecords     = "vigie.logs.records"         // {record}, monotonic, by outcome
	LogsDropped     = "vigie.logs.dropped"         // {record}, monotonic, by reason
	LogsRetries     = "vigie.logs.retries"         // {batch}, monotonic
	LogsMalformed   = "vigie.logs.lines.malformed" // {line}, monotonic: not in the file's format
	LogsCut         = "vigie.logs.lines.cut"       // By, monotonic: over the limit of a line
	LogsUnreadable  = "vigie.logs.unreadable"      // By, monotonic: truncated or deleted before it was read
	LogsRecovered   = "vigie.logs.recovered"       // By, monotonic: truncated, and read from the copy
	LogsFilesOpen   = "vigie.logs.files.open"      // {file}
	LogsFilesKnown  = "vigie.logs.files.known"     // {file}
	LogsFileEvents  = "vigie.logs.files.events"    // {event}, monotonic, by event
	LogsCheckpoints = "vigie.logs.checkpoints"     // {write}, monotonic, by outcome
	LogsEvent       = "vigie.logs.event"           // rotated, truncated, lost, compressed, too_many, no_open, no_watch
	LogsReason      = "vigie.logs.reason"          // permanent, shutdown, gave_up
	LogsOutcome     = "vigie.logs.outcome"         // read, accepted; ok, failed
)
