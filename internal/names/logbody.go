package names

// Attributes of log records that say what an application wrote.
const (
	LogMessage   = "message" // where the body stays the line
	HTTPReferer  = "http.request.header.referer"
	EnduserID    = "enduser.id"
	TLSClientJA4 = "tls.client.ja4"
)

// Annotations of a pod that say how its logs are read; followed by "." and a
// container's name they are of that container only.
const (
	PodLogs      = "vigie.dev/logs"      // off: not at all
	PodFormat    = "vigie.dev/format"    // auto, json, logfmt, text, raw, access, nginx, …
	PodMultiline = "vigie.dev/multiline" // auto, on, off, or a language
)

// Metrics of what is understood of log lines, and of what is given up.
const (
	LogsBodies     = "vigie.logs.bodies"         // {record}, monotonic, by kind: plain, fields, access, broken
	LogsFieldsOut  = "vigie.logs.fields.dropped" // {field}, monotonic, by reason: too_many, long_key, reserved
	LogsSacrificed = "vigie.logs.sacrificed"     // {record}, monotonic, by namespace, class and reason
	LogsPassedOver = "vigie.logs.passed_over"    // By, monotonic, by namespace: of pods that are not to be read
	LogsKind       = "vigie.logs.kind"
	LogsClass      = "vigie.logs.class" // debug, info, unknown, warn, error, access
)
