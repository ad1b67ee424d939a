package rules

import (
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// attackFile: somebody means harm, or we can't tell.
func attackFile() File {
	return File{Name: "attack", Groups: []Group{{
		Name: "vigie-attack", Interval: quick,
		Alerts: []Alert{attackOpen(), attackVerdictHeld(), retryStorm(), verdictUnknown()},
	}}}
}

// attackOpen has no For: the detector has its own hysteresis (3 of 5 seconds,
// two independent kinds of evidence), and a second look would only add half a
// minute to a five-minute attack. The window of a minute catches a finding that
// opened and closed between two evaluations. It keeps firing for two minutes, so
// that waves a few seconds apart are one incident.
func attackOpen() Alert {
	return Alert{
		Name:     "AttackOpen",
		Expr:     by("max", over("max", sel(attackFindings, unlike(attackClass, harmless())), time.Minute), serviceName, attackClass) + " > 0",
		Keep:     2 * time.Minute,
		Severity: Critical, Kind: KindAttack,
		Summary:     "{{ $labels.service_name }} is under attack: {{ $labels.vigie_attack_class }}",
		Description: "{{ $value }} finding(s) of class {{ $labels.vigie_attack_class }} open for {{ $labels.service_name }}. The war room has the evidence, who, and a proposed rule with its estimated hit on real viewers.",
		Dashboard:   uidAttack,
	}
}

// harmless are the classes of findings that nobody means: they have alerts of
// their own, and must not inhibit the symptoms that they are.
func harmless() string {
	var names []string
	for _, c := range finding.Classes() {
		if !c.Attack() {
			names = append(names, string(c))
		}
	}
	return strings.Join(names, "|")
}

// retryStorm: clients that repeat what failed. It ends with its cause, mostly a
// service that fails, so nobody is woken twice; a minute of it is no hiccup.
func retryStorm() Alert {
	return Alert{
		Name:     "RetryStorm",
		Expr:     by("max", sel(attackFindings, is(attackClass, string(finding.RetryStorm))), serviceName) + " > 0",
		For:      time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "Clients of {{ $labels.service_name }} repeat what failed",
		Description: "{{ $value }} finding(s): the clients of {{ $labels.service_name }} retry failed requests faster than it recovers. No attack, and no rule against clients ends it.",
		Dashboard:   uidServices,
	}
}

// attackVerdictHeld is for an attack without a finding of a class, such as a
// mixture that no single class explains. It must have
// held for a whole minute without a break, which keeps out a verdict that flips
// while a surge is being judged; For is one evaluation more, so that the first
// sample of a new service is not enough.
func attackVerdictHeld() Alert {
	return Alert{
		Name:     "AttackVerdict",
		Expr:     by("min", over("min", sel(attackVerdict, like(verdictState, "attack|mixed")), time.Minute), serviceName, verdictState) + " == 1",
		For:      quick,
		Keep:     2 * time.Minute,
		Severity: Critical, Kind: KindAttack,
		Summary:     "The traffic of {{ $labels.service_name }} is judged {{ $labels.vigie_attack_verdict_state }}",
		Description: "The verdict on {{ $labels.service_name }} has been {{ $labels.vigie_attack_verdict_state }} for over a minute. mixed means that the crowd is there as well: a rule by volume alone would hit it.",
		Dashboard:   uidAttack,
	}
}

// verdictUnknown: a service that had traffic and of which nothing is heard. At
// one request a second over the last hour (3,600) it is no service that sleeps
// at night. Five minutes are a rolling restart of the ingress.
func verdictUnknown() Alert {
	return Alert{
		Name: "VerdictUnknown",
		Expr: lines(
			by("max", sel(attackVerdict, is(verdictState, "unknown")), serviceName)+" == 1",
			"and",
			by("sum", "increase("+trafficRequests+"[1h])", serviceName)+" > 3600",
		),
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "No verdict on {{ $labels.service_name }}: its requests no longer arrive",
		Description: "{{ $labels.service_name }} had traffic in the last hour and has been unknown for 5 minutes. Either it serves nobody, or its logs and spans do not reach the detector. Until then an attack on it is not seen.",
		Dashboard:   uidAttack,
	}
}
