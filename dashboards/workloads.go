package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// Workloads is pods and what scales them.
func Workloads() p.Dashboard {
	return page("vigie-workloads", "Workloads",
		"Which deployment can't keep up: autoscalers at their maximum, throttled processors, restarts, memory near its limit.",
		[]p.Row{
			{Panels: []p.Panel{podsToMax(7, 7), throttledNow(7, 7), restartsNow(10, 7)}},
			{Title: "Replicas", Panels: []p.Panel{hpaReplicas(12, 8), deployments(12, 8), keda(12, 6), hpaLimited(12, 6)}},
			{Title: "Processor", Panels: []p.Panel{podCPU(8, 8), throttling(8, 8), cpuOfRequest(8, 8)}},
			{Title: "Memory", Panels: []p.Panel{podMemory(8, 8), memoryOfLimit(8, 8), ooms(8, 8)}},
			{Title: "Network and restarts", Panels: []p.Panel{podNetwork(8, 7), podDrops(8, 7), restarts(8, 7)}},
		}, namespace())
}

const (
	pods  = "namespace, pod"
	named = `container!~"|POD"` // neither the pod's own cgroup nor its pause container
)

func throttledShare() string {
	return share(sum(pods, rate(metrics.ContainerThrottledPeriods, ofNamespace, named)), sum(pods, rate(metrics.ContainerPeriods, ofNamespace, named)))
}

func throttledNow(w, h int) p.Panel {
	return bar("Throttled most", "Share of the scheduler's 100 ms periods in which a pod was stopped by its CPU limit. Over 25 % it answers late however idle the node is: raise or drop the limit.", "percentunit", w, h, bad(0.1, 0.25),
		top(8, throttledShare()), "{{pod}}")
}

func restartsNow(w, h int) p.Panel {
	return p.Panel{Kind: p.Table, Title: "Restarted within the hour", W: w, H: h, Decimals: p.P(0), NoValue: "none",
		Description: "Containers that were restarted within the hour. Read the log before the restart (kubectl logs --previous); OOMKilled below means its memory limit.",
		Columns:     map[string]string{"namespace": "Namespace", "pod": "Pod", "container": "Container", "Value": "Restarts"},
		Queries: []p.Query{when(now("round("+sum("namespace, pod, container", increase("1h", metrics.PodRestarts, ofNamespace))+") > 0", ""),
			"none while nothing restarts")}}
}

func hpaReplicas(w, h int) p.Panel {
	by := "horizontalpodautoscaler"
	return p.Panel{Kind: p.Series, Title: "Autoscalers: replicas, wanted, maximum", W: w, H: h, Unit: "short",
		Description: "Replicas that are there, that the autoscaler wants, and the most that it may make. Wanted above current for minutes: pods can't start. Current at the maximum: raise maxReplicas.",
		Queries: []p.Query{
			ask(over("max", by, sel(metrics.HPACurrent, ofNamespace)), "{{horizontalpodautoscaler}}"),
			ask(over("max", by, sel(metrics.HPADesired, ofNamespace)), "{{horizontalpodautoscaler}} wanted"),
			ask(over("max", by, sel(metrics.HPAMax, ofNamespace)), "{{horizontalpodautoscaler}} maximum"),
		},
		Styles: []p.Style{{Match: ".* (wanted|maximum)", Dashed: true}}}
}

func deployments(w, h int) p.Panel {
	return line("Replicas that are missing", "Replicas that a deployment asks for and that are not available. A short hump is a rollout; a plateau is a rollout that hangs.", "short", w, h,
		ask(top(10, sum("namespace, deployment", sel(metrics.DeploymentUnavailable, ofNamespace))), "{{namespace}}/{{deployment}}"))
}

func keda(w, h int) p.Panel {
	return line("What KEDA scales by", "The value of each of KEDA's triggers. Flat while demand rises: the trigger reads the wrong thing.", "short", w, h,
		when(ask(over("max", "scaledObject, scaler", sel(metrics.KEDAValue, ofNamespace)), "{{scaledObject}} {{scaler}}"), noKEDA))
}

func hpaLimited(w, h int) p.Panel {
	return p.Panel{Kind: p.Timeline, Title: "Autoscalers that are held back", W: w, H: h, Thresholds: []p.Threshold{{Color: p.Green}, {From: 1, Color: p.Orange}},
		Mappings:    []p.Mapping{{Value: "0", Text: "free", Color: p.Green}, {Value: "1", Text: "held back", Color: p.Orange}},
		Description: "When an autoscaler would have gone further than its limits let it (ScalingLimited). Orange at the maximum during an event is the thing to fix.",
		Queries:     []p.Query{ask(over("max", "horizontalpodautoscaler", sel(metrics.HPACondition, ofNamespace, is("condition", "ScalingLimited"), is("status", "true"))), "{{horizontalpodautoscaler}}")}}
}

func podCPU(w, h int) p.Panel {
	return line("Processors by pod", "Cores that the ten busiest pods use.", "short", w, h,
		ask(top(10, sum(pods, rate(metrics.ContainerCPU, ofNamespace, named))), "{{pod}}"))
}

func throttling(w, h int) p.Panel {
	return line("Throttled", "Share of the scheduler's periods in which a pod was stopped by its CPU limit: the ten that are worst.", "percentunit", w, h,
		ask(top(10, throttledShare()), "{{pod}}"))
}

func cpuOfRequest(w, h int) p.Panel {
	return line("Processor, of what was requested", "What a pod uses of what it reserved. Far above 1: it lives on its neighbours' share, and is slow when they need it. The autoscaler's target is a share of this.", "percentunit", w, h,
		ask(top(10, sum(pods, rate(metrics.ContainerCPU, ofNamespace, named))+" / "+sum(pods, sel(metrics.PodRequests, ofNamespace, is("resource", "cpu")))), "{{pod}}"))
}

func podMemory(w, h int) p.Panel {
	return line("Memory by pod", "Working set of the ten largest pods. It is what the kernel counts before it kills.", "bytes", w, h,
		ask(top(10, sum(pods, sel(metrics.ContainerMemory, ofNamespace, named))), "{{pod}}"))
}

func memoryOfLimit(w, h int) p.Panel {
	q := line("Memory, of the limit", "Working set of what a pod may have. At 100 % the kernel kills it.", "percentunit", w, h,
		ask(top(10, sum(pods, sel(metrics.ContainerMemory, ofNamespace, named))+" / "+sum(pods, sel(metrics.PodLimits, ofNamespace, is("resource", "memory")))), "{{pod}}"))
	q.Min, q.Lines, q.Thresholds = p.P(0.0), true, bad(0.8, 0.95)
	return q
}

func ooms(w, h int) p.Panel {
	return line("Killed for memory", "Containers that the kernel killed for memory, in five minutes. Raise the limit, or find the leak.", "short", w, h,
		ask(sum("namespace", increase("5m", metrics.ContainerOOM, ofNamespace, isnt("container", ""))), "{{namespace}}"))
}

func podNetwork(w, h int) p.Panel {
	return line("Network by pod", "Bytes a second that the ten busiest pods receive and send.", "Bps", w, h,
		ask(top(5, sum(pods, rate(metrics.ContainerReceive, ofNamespace))), "{{pod}} receives"),
		ask(top(5, sum(pods, rate(metrics.ContainerTransmit, ofNamespace))), "{{pod}} sends"))
}

func podDrops(w, h int) p.Panel {
	return line("Packets dropped by pod", "Packets that a pod's interface dropped. Its program reads too slowly, or it is throttled.", "pps", w, h,
		ask(top(5, sum(pods, rate(metrics.ContainerReceiveDropped, ofNamespace))), "{{pod}} receiving"),
		ask(top(5, sum(pods, rate(metrics.ContainerTransmitDropped, ofNamespace))), "{{pod}} sending"))
}

func restarts(w, h int) p.Panel {
	return line("Restarts in 5 min", "Containers that were restarted within five minutes, by namespace.", "short", w, h,
		ask(sum("namespace", increase("5m", metrics.PodRestarts, ofNamespace)), "{{namespace}}"))
}
