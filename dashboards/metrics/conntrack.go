package metrics

import "github.com/vigie-otel/vigie/internal/names"

// Labels of connection tracking.
var (
	Owner        = Label(names.ConntrackOwner)
	OwnerSide    = Label(names.NetworkIODirection) // receive: the owner is the target
	Wall         = Label(names.ConntrackWall)      // kernel, ena
	ConntrackIn  = Label(names.ConntrackTier)
	FlowState    = Label(names.NetworkConnectionState)
	Transport    = Label(names.NetworkTransport)
	Allowance    = Label(names.ENAAllowance)
	ENAInterface = Label(names.NetworkInterfaceName)
)

// The kernel's table, by node (instance).
var (
	ConntrackUsage           = otel(Conntrack, names.ConntrackUsage, "{entry}", UpDown)
	ConntrackLimit           = otel(Conntrack, names.ConntrackLimit, "{entry}", UpDown)
	ConntrackEntries         = otel(Conntrack, names.ConntrackEntries, "{entry}", UpDown, names.NetworkTransport, names.NetworkType, names.NetworkConnectionState)
	ConntrackPacketDropped   = otel(Conntrack, names.ConntrackPacketDropped, "{packet}", Counter)
	ConntrackEarlyDropped    = otel(Conntrack, names.ConntrackEarlyDropped, "{entry}", Counter)
	ConntrackInsertFailed    = otel(Conntrack, names.ConntrackInsertFailed, "{entry}", Counter)
	ConntrackHalfOpen        = otel(Conntrack, names.ConntrackHalfOpen, "{entry}", UpDown, names.ConntrackOwner, names.NetworkIODirection)
	ConntrackHalfOpenSources = otel(Conntrack, names.ConntrackHalfOpenSources, "{prefix}", UpDown, names.ConntrackOwner, names.NetworkIODirection)
	ConntrackOwnerEntries    = otel(Conntrack, names.ConntrackOwnerEntries, "{entry}", UpDown, names.ConntrackOwner, names.NetworkIODirection)
	ConntrackCreated         = otel(Conntrack, names.ConntrackCreated, "{entry}", Counter)
	ConntrackEventsLost      = otel(Conntrack, names.ConntrackEventsLost, "{loss}", Counter)
	ConntrackReadCPU         = otel(Conntrack, names.ConntrackReadCPU, "s", Counter, names.ConntrackTier)
	ConntrackReadEntries     = otel(Conntrack, names.ConntrackReadEntries, "{entry}", Counter, names.ConntrackTier)
	ConntrackRecordsDropped  = otel(Conntrack, names.ConntrackRecordsDropped, "{record}", Counter)
)

// What the processor derives. Utilization is the kernel table's; the others have
// a series for each wall, and time to exhaustion and growth none while nothing
// grows.
var (
	ConntrackUtilization      = otel(Conntrack, names.ConntrackUtilization, "1", Gauge)
	ConntrackTimeToExhaustion = otel(Conntrack, names.ConntrackTimeToExhaustion, "s", Gauge, names.ConntrackWall)
	ConntrackGrowth           = otel(Conntrack, names.ConntrackGrowth, "{entry}/s", Gauge, names.ConntrackWall)
	ConntrackWallNearest      = otel(Conntrack, names.ConntrackWallNearest, "1", Gauge, names.ConntrackWall)
)

// The EC2 instance's allowances, by node and interface; none where the network
// driver is not ENA.
var (
	ENAAllowanceExceeded  = otel(ENA, names.ENAAllowanceExceeded, "{packet}", Counter, names.NetworkInterfaceName, names.ENAAllowance)
	ENAConntrackAvailable = otel(ENA, names.ENAConntrackAvailable, "{connection}", UpDown, names.NetworkInterfaceName)
)
