package rules

import (
	"fmt"
	"time"
)

// controlPlaneFile: what everything else waits for. On EKS the API server is
// AWS's; its metrics are served all the same.
func controlPlaneFile() File {
	return File{Name: "control-plane", Groups: []Group{{
		Name: "vigie-control-plane", Interval: steady,
		Alerts: []Alert{dnsErrors(), dnsSlow(), apiErrors(), apiSlow()},
	}}}
}

// dnsErrors: SERVFAIL means that CoreDNS could not ask or did not get an answer,
// never that a name is wrong (NXDOMAIN). 3 % over 5 minutes; ten answers a
// second is a cluster that does something.
func dnsErrors() Alert {
	all := sumRate(coreDNSResponses, 5*time.Minute)
	return Alert{
		Name:     "CoreDNSErrors",
		Expr:     lines(sumRate(sel(coreDNSResponses, is("rcode", "SERVFAIL")), 5*time.Minute)+" / "+all+" > 0.03", "and", all+" > 10"),
		For:      5 * time.Minute,
		Severity: Critical, Kind: KindFault,
		Summary:     "CoreDNS answers {{ $value | humanizePercentage }} with SERVFAIL",
		Description: "{{ $value | humanizePercentage }} of CoreDNS' answers are SERVFAIL: its upstream does not answer (1,024 packets a second an interface at the VPC's resolver), or it is overloaded. New connections between services fail.",
		Dashboard:   uidControlPlane,
	}
}

// dnsSlow: half a second at the 99th percentile; a cached answer takes less than
// a millisecond, and clients ask five names for one.
func dnsSlow() Alert {
	return Alert{
		Name:     "CoreDNSSlow",
		Expr:     fmt.Sprintf("histogram_quantile(0.99, %s) > 0.5", sumRate(coreDNSDuration, 5*time.Minute, "le")),
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "CoreDNS takes {{ $value | humanizeDuration }} at the 99th percentile",
		Description: "One look-up in a hundred takes {{ $value | humanizeDuration }} or more; with search domains a connection waits for up to five of them.",
		Dashboard:   uidControlPlane,
	}
}

// apiErrors: 3 % of the API server's answers over 5 minutes. During an upgrade
// of the control plane single requests fail; clients retry those.
func apiErrors() Alert {
	return Alert{
		Name: "APIServerErrors",
		Expr: sumRate(sel(apiServerRequests, like("code", "5..")), 5*time.Minute) + " / " +
			sumRate(apiServerRequests, 5*time.Minute) + " > 0.03",
		For:      5 * time.Minute,
		Severity: Critical, Kind: KindFault,
		Summary:     "The API server fails {{ $value | humanizePercentage }} of its requests",
		Description: "{{ $value | humanizePercentage }} of the API server's answers are 5xx. What runs goes on; nothing scales, is scheduled or is replaced.",
		Dashboard:   uidControlPlane,
	}
}

// apiSlow: one second is the API server's own objective for single objects (SIG
// scalability); lists may take longer, watches and execs last by design. Ten
// minutes outlast a controller that starts and lists everything.
func apiSlow() Alert {
	verbs := unlike("verb", "LIST|WATCH|WATCHLIST|CONNECT|PROXY|APPLY")
	return Alert{
		Name:     "APIServerSlow",
		Expr:     fmt.Sprintf("histogram_quantile(0.99, %s) > 1", sumRate(sel(apiServerDuration, verbs), 5*time.Minute, "le")),
		For:      10 * time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "The API server takes {{ $value | humanizeDuration }} at the 99th percentile",
		Description: "Single-object requests take {{ $value | humanizeDuration }} at the 99th percentile: scaling and scheduling lag by as much, several times over.",
		Dashboard:   uidControlPlane,
	}
}
