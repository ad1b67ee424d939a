package names

// EventFlow is a flow record: one entry of the connection-tracking table, as a
// log record from the receiver for the processor.
const EventFlow = "vigie.flow"

// Metrics of connection tracking. Sums that are not monotonic count what is in
// the table now; .limit has the unit of .usage.
const (
	ConntrackUsage            = "system.network.conntrack.usage"              // {entry}
	ConntrackLimit            = "system.network.conntrack.limit"              // {entry}
	ConntrackUtilization      = "system.network.conntrack.utilization"        // 1
	ConntrackTimeToExhaustion = "system.network.conntrack.time_to_exhaustion" // s, absent when not growing
	ConntrackEntries          = "system.network.conntrack.entries"            // {entry} by transport, type, state
	ConntrackPacketDropped    = "system.network.conntrack.packet.dropped"     // {packet}
	ConntrackEarlyDropped     = "system.network.conntrack.entry.early_dropped"
	ConntrackInsertFailed     = "system.network.conntrack.insert.failed"
	ENAAllowanceExceeded      = "aws.ena.allowance.exceeded"
	ENAConntrackAvailable     = "aws.ena.conntrack.allowance.available"
)

// Attributes of connection tracking.
const (
	NetworkTransport       = "network.transport"
	NetworkType            = "network.type"
	NetworkConnectionState = "network.connection.state"
	NATBackendAddress      = "vigie.nat.backend.address" // the real pod behind a service address
	NATBackendPort         = "vigie.nat.backend.port"
	NATServiceAddress      = "vigie.nat.service.address" // and back
	NATServicePort         = "vigie.nat.service.port"
)
