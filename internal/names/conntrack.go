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

// Metrics of connection tracking that have no name elsewhere. An owner is a
// local, pod or service address, never a client.
const (
	ConntrackHalfOpen        = "vigie.conntrack.half_open.entries"         // {entry} by target
	ConntrackHalfOpenSources = "vigie.conntrack.half_open.source_prefixes" // {prefix} distinct /24 and /64 behind them
	ConntrackOwnerEntries    = "vigie.conntrack.owner.entries"             // {entry} by owner, the rest as "other"
	ConntrackCreated         = "vigie.conntrack.entry.created"             // {entry}, monotonic: NEW events
	ConntrackEventsLost      = "vigie.conntrack.events.lost"               // {loss}, monotonic: ENOBUFS
	ConntrackReadCPU         = "vigie.conntrack.read.cpu_time"             // s, monotonic, by tier
	ConntrackReadEntries     = "vigie.conntrack.read.entries"              // {entry}, monotonic, by tier
	ConntrackRecordsDropped  = "vigie.conntrack.records.dropped"           // {record}, monotonic: over max_records

	ConntrackOwner = "vigie.conntrack.owner" // address, or address:port of a target, or "other"
	ConntrackTier  = "vigie.conntrack.tier"  // stats, half_open, full, events
)

// Attributes of a flow record; internal/flow/record.go says what each holds.
const (
	SourceAddress      = "source.address"
	SourcePort         = "source.port"
	DestinationAddress = "destination.address"
	DestinationPort    = "destination.port"
	NATSourceAddress   = "vigie.nat.source.address" // the client as the backend sees it
	NATSourcePort      = "vigie.nat.source.port"
	FlowHalfOpen       = "vigie.flow.half_open"
	FlowAssured        = "vigie.flow.assured"
	FlowStatus         = "vigie.flow.status"
	FlowTimeout        = "vigie.flow.timeout" // s
	FlowZone           = "vigie.flow.zone"
	FlowMark           = "vigie.flow.mark"
	FlowID             = "vigie.flow.id"
	FlowStart          = "vigie.flow.start" // ns since the epoch
	FlowICMP           = "vigie.flow.icmp"
	FlowOrigPackets    = "vigie.flow.orig.packets"
	FlowOrigBytes      = "vigie.flow.orig.bytes"
	FlowReplyPackets   = "vigie.flow.reply.packets"
	FlowReplyBytes     = "vigie.flow.reply.bytes"
)

// Attributes of the ENA driver's allowances.
const (
	NetworkInterfaceName = "network.interface.name"
	ENAAllowance         = "aws.ena.allowance" // bw_in, bw_out, pps, conntrack, linklocal
)

// What the conntrack processor derives beside .utilization and
// .time_to_exhaustion, which it gives for each wall.
const (
	ConntrackGrowth      = "vigie.conntrack.growth"       // {entry}/s, by wall; absent when not growing
	ConntrackWallNearest = "vigie.conntrack.wall.nearest" // 1 on the wall that is hit first, else 0
	ConntrackWall        = "vigie.conntrack.wall"         // attribute: kernel, ena
	NetworkIODirection   = "network.io.direction"         // of an owner: receive is a target
)
