package metrics

import "github.com/vigie-otel/vigie/internal/names"

// Labels of the detector's metrics.
var (
	ServiceName  = Label(names.ServiceName)
	VerdictState = Label(names.AttackVerdictState) // normal, crowd, attack, mixed, unknown
	AttackClass  = Label(names.AttackClass)

	CalendarEvent = Label(names.CalendarEvent)
	CalendarPhase = Label(names.CalendarPhase)
)

// Crowd or attack, by service. These have neither job nor instance: a service is
// not a process.
var (
	TrafficRequests = otel(AttackMetrics, names.TrafficRequests, "{request}", Counter, names.ServiceName)
	TrafficErrors   = otel(AttackMetrics, names.TrafficErrors, "{request}", Counter, names.ServiceName)
	TrafficClients  = otel(AttackMetrics, names.TrafficClients, "{client}", UpDown, names.ServiceName)
	TrafficRate     = otel(AttackMetrics, names.TrafficRate, "{request}/s", Gauge, names.ServiceName)
	TrafficExpected = otel(AttackMetrics, names.TrafficExpected, "{request}/s", Gauge, names.ServiceName)
	AttackVerdict   = otel(AttackMetrics, names.AttackVerdict, "{state}", Gauge, names.ServiceName, names.AttackVerdictState)
	AttackScore     = otel(AttackMetrics, names.AttackScore, "1", Gauge, names.ServiceName)
	AttackSuspected = otel(AttackMetrics, names.AttackSuspected, "{request}", Counter, names.ServiceName)
	AttackFindings  = otel(AttackMetrics, names.AttackFindings, "{finding}", UpDown, names.ServiceName, names.AttackClass)
	CalendarActive  = otel(AttackMetrics, names.CalendarActive, "{event}", Gauge, names.ServiceName, names.CalendarEvent, names.CalendarPhase)
)
