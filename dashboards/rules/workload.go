package rules

import (
	"fmt"
	"time"
)

// workloadFile: pods, and what scales them.
func workloadFile() File {
	return File{Name: "workload", Groups: []Group{{
		Name: "vigie-workload", Interval: steady,
		Alerts: []Alert{crashLoop(), outOfMemory(), throttled(), podsPending(), hpaAtMax(), hpaCannotScale()},
	}}}
}

// crashLoop: three restarts within twenty minutes, and the back-off seen within
// the last five. The back-off alone shows after a single crash; restarts alone
// are also a person's. It stops at five minutes between tries, so a loop that
// has long settled still makes three in twenty. increase extrapolates, hence the
// half.
func crashLoop() Alert {
	labels := []string{namespace, pod, container}
	return Alert{
		Name: "PodCrashLooping",
		Expr: lines(
			by("max", fmt.Sprintf("increase(%s[20m])", kubePodRestarts), labels...)+" > 2.5",
			"and",
			by("max", over("max", sel(kubePodWaiting, is("reason", "CrashLoopBackOff")), 5*time.Minute), labels...)+" == 1",
		),
		Severity: Warning, Kind: KindFault,
		Summary:     "{{ $labels.namespace }}/{{ $labels.pod }} crashes again and again",
		Description: "Container {{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} is in CrashLoopBackOff: {{ $value | humanize }} restarts in 20 minutes.",
		Dashboard:   uidWorkloads,
	}
}

// outOfMemory: at least one restart in ten minutes whose reason was the kernel's
// killer. One is enough: the limit is wrong, and the next surge brings the next.
func outOfMemory() Alert {
	labels := []string{namespace, pod, container}
	return Alert{
		Name: "ContainerOOMKilled",
		Expr: lines(
			by("max", fmt.Sprintf("increase(%s[10m])", kubePodRestarts), labels...)+" > 0",
			"and",
			by("max", sel(kubePodTerminated, is("reason", "OOMKilled")), labels...)+" == 1",
		),
		Severity: Warning, Kind: KindSymptom,
		Summary:     "{{ $labels.namespace }}/{{ $labels.pod }} was killed for its memory",
		Description: "Container {{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} went over its memory limit: {{ $value | humanize }} restart(s) in 10 minutes.",
		Dashboard:   uidWorkloads,
	}
}

// throttled: a quarter of all 100 ms periods over ten minutes. Start-ups are
// throttled to the brim for a minute or two and need no page.
func throttled() Alert {
	labels := []string{namespace, pod, container}
	share := sumRate(sel(cfsThrottled, isNot(container, "")), 5*time.Minute, labels...) + " / " +
		sumRate(sel(cfsPeriods, isNot(container, "")), 5*time.Minute, labels...)
	return Alert{
		Name:     "ContainerThrottled",
		Expr:     share + " > 0.25",
		For:      10 * time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "{{ $labels.namespace }}/{{ $labels.pod }} is throttled {{ $value | humanizePercentage }} of the time",
		Description: "Container {{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} hits its CPU limit in {{ $value | humanizePercentage }} of its periods: latency grows in steps of 100 ms while the node may be idle.",
		Dashboard:   uidWorkloads,
	}
}

// podsPending: a new node takes two to four minutes to be ready, so pods that
// wait for six do not wait for one that comes.
func podsPending() Alert {
	return Alert{
		Name:     "PodsPending",
		Expr:     by("sum", sel(kubePodPhase, is("phase", "Pending")), namespace) + " > 0",
		For:      6 * time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "{{ $value }} pod(s) of {{ $labels.namespace }} find no place",
		Description: "{{ $value }} pod(s) of {{ $labels.namespace }} have been pending for 6 minutes: no room and no node that comes, no address in the subnet, an image that is not pulled, or a volume.",
		Dashboard:   uidWorkloads,
	}
}

// hpaAtMax: what is wanted equals what is allowed. One of a maximum of one is no
// autoscaler. Five minutes, so that the wish is not the peak of one sample.
func hpaAtMax() Alert {
	labels := []string{namespace, hpa}
	limit := by("max", kubeHPAMax, labels...)
	return Alert{
		Name: "HPAAtMax",
		Expr: lines(
			by("max", kubeHPADesired, labels...)+" >= "+limit,
			"and",
			limit+" > 1",
		),
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} is at its maximum of {{ $value }}",
		Description: "{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} has wanted all of its {{ $value }} replicas for 5 minutes. More load is shared by the same pods.",
		Dashboard:   uidWorkloads,
	}
}

// hpaCannotScale: its metrics do not come, or its target cannot be changed. A
// target that somebody scaled to zero says ScalingActive=false on purpose. Five
// minutes: a metrics server that restarts is back within two.
func hpaCannotScale() Alert {
	labels := []string{namespace, hpa}
	return Alert{
		Name: "HPACannotScale",
		Expr: lines(
			by("max", sel(kubeHPACondition, like("condition", "ScalingActive|AbleToScale"), is("status", "false")), append(labels, "condition")...)+" == 1",
			fmt.Sprintf("and on (%s, %s, %s)", cluster, namespace, hpa),
			by("max", kubeHPACurrent, labels...)+" > 0",
		),
		For:      5 * time.Minute,
		Severity: Critical, Kind: KindFault,
		Summary:     "{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} cannot scale: {{ $labels.condition }} is false",
		Description: "{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} has said {{ $labels.condition }}=false for 5 minutes. The crowd that comes finds as many pods as there are now.",
		Dashboard:   uidWorkloads,
	}
}
