package rules_test

import "time"

// example is one alert under given series: it fires with these labels, or it
// stays silent.
type example struct {
	alert  string
	when   string // a sentence, told where it fails
	series []string
	at     time.Duration
	step   time.Duration // of the series; 30 s where zero
	// labels that the firing alert has beside severity and kind, as in a
	// selector; of a silent one, those of the rule that it is about.
	labels string
	silent bool // all the time until at
	ended  bool // silent at at, whatever was before
}

func fires(alert, when string, at time.Duration, labels string, series ...string) example {
	return example{alert: alert, when: when, at: at, labels: labels, series: series}
}

func silent(alert, when string, at time.Duration, series ...string) example {
	return example{alert: alert, when: when, at: at, series: series, silent: true}
}

// of narrows a silent example to one rule of the alert.
func (e example) of(labels string) example { e.labels = labels; return e }

// over makes a silent example one of an alert that has ended: it fired before.
func (e example) over() example { e.ended = true; return e }

// each sets the step between the samples of the series.
func (e example) each(step time.Duration) example { e.step = step; return e }

// examples has for each alert at least one that fires and one that does not.
// Series are in promtool's notation; metric names are spelled out on purpose, so
// that a name that changes by accident shows here.
func examples() []example {
	var all []example
	all = append(all, attackExamples()...)
	all = append(all, conntrackExamples()...)
	all = append(all, serviceExamples()...)
	all = append(all, nodeExamples()...)
	all = append(all, workloadExamples()...)
	all = append(all, controlPlaneExamples()...)
	all = append(all, vigieExamples()...)
	return all
}

func attackExamples() []example {
	const flood = `vigie_attack_findings{service_name="shop", vigie_attack_class="http_flood"}`
	const open = `service_name="shop", vigie_attack_class="http_flood"`
	const mixed = `vigie_attack_verdict{service_name="shop", vigie_attack_verdict_state="mixed"}`
	const unknown = `vigie_attack_verdict{service_name="shop", vigie_attack_verdict_state="unknown"}`
	return []example{
		fires("AttackOpen", "a finding is open", time.Minute, open, flood+" 0 1+0x10"),
		fires("AttackOpen", "the cluster's label is kept", time.Minute, `cluster="live", `+open,
			`vigie_attack_findings{cluster="live", service_name="shop", vigie_attack_class="http_flood"} 0 1+0x10`),
		fires("AttackOpen", "the finding closed a minute ago: waves are one incident", 4*time.Minute, open, flood+" 1+0x4 0+0x20"),
		silent("AttackOpen", "the finding closed long ago", 8*time.Minute, flood+" 1+0x4 0+0x20").over(),
		silent("AttackOpen", "no finding is open", 5*time.Minute, flood+" 0+0x20"),

		silent("AttackOpen", "clients retry, which nobody means", 5*time.Minute, `vigie_attack_findings{service_name="shop", vigie_attack_class="retry_storm"} 1+0x20`),

		fires("RetryStorm", "clients retry", 3*time.Minute, `service_name="shop"`, `vigie_attack_findings{service_name="shop", vigie_attack_class="retry_storm"} 1+0x20`),
		silent("RetryStorm", "it is a flood", 3*time.Minute, flood+" 1+0x20"),
		silent("RetryStorm", "they retried for half a minute", 5*time.Minute, `vigie_attack_findings{service_name="shop", vigie_attack_class="retry_storm"} 0 0 1 1 0+0x20`),

		fires("AttackVerdict", "mixed has held for two minutes", 2*time.Minute, `service_name="shop", vigie_attack_verdict_state="mixed"`, mixed+" 1+0x10"),
		silent("AttackVerdict", "the verdict flips while a surge is judged", 6*time.Minute, mixed+" 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1"),
		silent("AttackVerdict", "it is a crowd", 6*time.Minute, mixed+" 0+0x20",
			`vigie_attack_verdict{service_name="shop", vigie_attack_verdict_state="crowd"} 1+0x20`),

		fires("VerdictUnknown", "a service that served thirteen requests a second is not heard of", 12*time.Minute, `service_name="shop"`,
			unknown+" 0+0x10 1+0x30", `vigie_traffic_requests_total{service_name="shop"} 0+400x10 4000+0x30`),
		silent("VerdictUnknown", "a service sleeps at night", 12*time.Minute,
			unknown+" 0+0x10 1+0x30", `vigie_traffic_requests_total{service_name="shop"} 0+3x10 30+0x30`),
		silent("VerdictUnknown", "the ingress restarts for three minutes", 12*time.Minute,
			unknown+" 0+0x10 1+0x6 0+0x30", `vigie_traffic_requests_total{service_name="shop"} 0+300x40`),
	}
}

func conntrackExamples() []example {
	const node = `instance="n1"`
	const left = `system_network_conntrack_time_to_exhaustion_seconds{instance="n1", vigie_conntrack_wall=`
	const used = `system_network_conntrack_utilization_ratio{instance="n1"} `
	const available = `aws_ena_conntrack_allowance_available{instance="n1", network_interface_name="eth0"} `
	const ena = `aws_ena_allowance_exceeded_total{instance="n1", network_interface_name="eth0", aws_ena_allowance=`
	const halfOpen = `vigie_conntrack_half_open_entries{instance="n1", vigie_conntrack_owner="10.0.0.9:443", network_io_direction=`
	const table = `system_network_conntrack_usage{instance="n1"} `
	const kernelWall, enaWall = node + `, vigie_conntrack_wall="kernel"`, node + `, vigie_conntrack_wall="ena"`
	return []example{
		fires("ConntrackWallNear", "the kernel's table is 70 % full and full in 13 minutes", 3*time.Minute, kernelWall,
			left+`"kernel"} 800+0x20`, used+"0.7+0x20"),
		fires("ConntrackWallNear", "the allowance has lost more than half", 8*time.Minute, enaWall,
			left+`"ena"} 800+0x20`, available+"100000-4000x20"),
		fires("ConntrackWallNear", "a wall is four minutes away, however empty the table", 3*time.Minute, kernelWall,
			left+`"kernel"} 240+0x20`, used+"0.1+0x20"),
		silent("ConntrackWallNear", "a table that is 40 % full climbs at kick-off", 5*time.Minute,
			left+`"kernel"} 800+0x20`, used+"0.4+0x20"),
		silent("ConntrackWallNear", "the allowance has hardly moved", 8*time.Minute,
			left+`"ena"} 800+0x20`, available+"100000-1000x20"),
		silent("ConntrackWallNear", "the allowance is half gone and the wall an hour away", 8*time.Minute,
			left+`"ena"} 3600+0x20`, available+"100000-4000x20"),
		silent("ConntrackWallNear", "the table is 70 % full and the wall an hour away", 5*time.Minute,
			left+`"kernel"} 3600+0x20`, used+"0.7+0x20"),

		fires("ConntrackDropping", "two packets a second are dropped", 4*time.Minute, node,
			`system_network_conntrack_packet_dropped_total{instance="n1"} 0+60x20`),
		fires("ConntrackDropping", "entries are evicted early", 4*time.Minute, node,
			`system_network_conntrack_entry_early_dropped_total{instance="n1"} 0+300x20`),
		silent("ConntrackDropping", "the odd packet is dropped", 4*time.Minute,
			`system_network_conntrack_packet_dropped_total{instance="n1"} 0+10x20`,
			`system_network_conntrack_entry_early_dropped_total{instance="n1"} 0+10x20`),

		fires("ConntrackInsertFailed", "two inserts a second fail for a quarter of an hour", 16*time.Minute, node,
			`system_network_conntrack_insert_failed_total{instance="n1"} 0+60x60`),
		silent("ConntrackInsertFailed", "look-ups race now and then", 16*time.Minute,
			`system_network_conntrack_insert_failed_total{instance="n1"} 0+10x60`),

		fires("ENAConntrackExceeded", "packets exceed the tracking allowance", 4*time.Minute, node+`, network_interface_name="eth0"`,
			ena+`"conntrack"} 0+3x20`),
		silent("ENAConntrackExceeded", "they did before the event", 4*time.Minute, ena+`"conntrack"} 700+0x20`),

		fires("ENAAllowanceExceeded", "bandwidth is exceeded for ten minutes", 12*time.Minute, node+`, network_interface_name="eth0", aws_ena_allowance="bw_in"`,
			ena+`"bw_in"} 0+60x40`),
		silent("ENAAllowanceExceeded", "one burst exceeds it", 12*time.Minute, ena+`"bw_in"} 0+0x10 3000+0x30`),

		fires("SYNFlood", "40,000 of 100,000 entries wait half-open for one target", 3*time.Minute, node+`, vigie_conntrack_owner="10.0.0.9:443"`,
			halfOpen+`"receive"} 40000+0x20`, table+"100000+0x20"),
		silent("SYNFlood", "a kick-off's handshakes wait", 3*time.Minute, halfOpen+`"receive"} 1500+0x20`, table+"100000+0x20"),
		silent("SYNFlood", "the node itself opens them", 3*time.Minute, halfOpen+`"transmit"} 40000+0x20`, table+"100000+0x20"),
		silent("SYNFlood", "a dead backend on a quiet node", 3*time.Minute, halfOpen+`"receive"} 300+0x20`, table+"1000+0x20"),
	}
}

func serviceExamples() []example {
	const requests = `vigie_traffic_requests_total{service_name="shop"} `
	const errors = `vigie_traffic_errors_total{service_name="shop"} `
	const calls = `traces_span_metrics_calls_total{service_name="shop", span_kind="SPAN_KIND_SERVER", status_code=`
	const traffic, spans = `service_name="shop", sli="traffic", window=`, `service_name="shop", sli="spans", window=`
	minute := time.Minute
	return []example{
		fires("MatchBudget", "a fifth of 100 requests a second fails", 7*minute, traffic+`"5m"`, requests+"0+3000x60", errors+"0+600x60"),
		fires("MatchBudget", "ten in a hundred fail for a while", 20*minute, traffic+`"15m"`, requests+"0+3000x60", errors+"0+300x60"),
		fires("MatchBudget", "one span in a hundred fails", 7*minute, spans+`"5m"`, calls+`"STATUS_CODE_UNSET"} 0+2970x60`, calls+`"STATUS_CODE_ERROR"} 0+30x60`),
		fires("MatchBudget", "five spans in a thousand fail for a while", 20*minute, spans+`"15m"`, calls+`"STATUS_CODE_UNSET"} 0+2985x60`, calls+`"STATUS_CODE_ERROR"} 0+15x60`),
		silent("MatchBudget", "half of five requests a second fail: too few for an event", 10*minute, requests+"0+150x60", errors+"0+75x60"),
		silent("MatchBudget", "a kick-off's usual 404s", 20*minute, requests+"0+3000x20 60000+16800x40", errors+"0+60x20 1200+336x40"),
		silent("MatchBudget", "spans without a single error", 20*minute, calls+`"STATUS_CODE_UNSET"} 0+3000x60`),
		silent("MatchBudget", "it failed for three minutes", 35*minute, requests+"0+3000x110", errors+"0+0x40 0+600x6 3600+0x60"),

		silent("MatchBudget", "it failed and is over, though five minutes hold it", 13*minute, requests+"0+3000x60", errors+"0+1200x20 24000+0x40").of(`window="5m", sli="traffic"`).over(),
		silent("MatchBudget", "it failed and is over, though a quarter of an hour holds it", 16*minute, requests+"0+3000x60", errors+"0+1200x20 24000+0x40").of(`window="15m", sli="traffic"`).over(),
		silent("MatchBudget", "a hiccup of a minute", 20*minute, requests+"0+3000x60", errors+"0+0x20 0+600x2 1200+0x40"),

		fires("ErrorBudgetFast", "40 % of five requests a second fail", 15*minute, traffic+`"1h"`, requests+"0+150x60", errors+"0+60x60"),
		fires("ErrorBudgetFast", "15 % fail for longer", 15*minute, traffic+`"6h"`, requests+"0+150x60", errors+"0+22x60"),
		fires("ErrorBudgetFast", "2 % of the spans fail", 15*minute, spans+`"1h"`, calls+`"STATUS_CODE_UNSET"} 0+147x60`, calls+`"STATUS_CODE_ERROR"} 0+3x60`),
		fires("ErrorBudgetFast", "0.7 % of the spans fail", 15*minute, spans+`"6h"`, calls+`"STATUS_CODE_UNSET"} 0+1490x60`, calls+`"STATUS_CODE_ERROR"} 0+11x60`),
		silent("ErrorBudgetFast", "a twentieth fails", 25*minute, requests+"0+150x60", errors+"0+7x60"),
		silent("ErrorBudgetFast", "one request a minute, and it fails", 25*minute, requests+"0+0.5x60", errors+"0+0.5x60"),
		silent("ErrorBudgetFast", "it began a minute and a half ago", 90*time.Second, requests+"0+150x60", errors+"0+60x60"),
		silent("ErrorBudgetFast", "seven bad minutes after a good hour's beginning", 27*minute, requests+"0+150x80", errors+"0+0x40 0+60x40").of(`window="1h", sli="traffic"`),
		silent("ErrorBudgetFast", "it is over, though the hour holds it", 17*minute, requests+"0+150x60", errors+"0+90x20 1800+0x40").of(`window="1h", sli="traffic"`).over(),
		silent("ErrorBudgetFast", "a restart that failed for a minute", 60*minute, requests+"0+150x130", errors+"0+0x60 0+150x2 300+0x60"),

		fires("ErrorBudgetSlow", "8 % fail for hours", 2*time.Hour, traffic+`"1d"`, requests+"0+300x240", errors+"0+24x240").each(minute),
		fires("ErrorBudgetSlow", "3 % fail for hours", 2*time.Hour, traffic+`"3d"`, requests+"0+300x240", errors+"0+9x240").each(minute),
		fires("ErrorBudgetSlow", "0.4 % of the spans fail for hours", 2*time.Hour, spans+`"1d"`, calls+`"STATUS_CODE_UNSET"} 0+996x240`, calls+`"STATUS_CODE_ERROR"} 0+4x240`).each(minute),
		fires("ErrorBudgetSlow", "0.2 % of the spans fail for hours", 2*time.Hour, spans+`"3d"`, calls+`"STATUS_CODE_UNSET"} 0+998x240`, calls+`"STATUS_CODE_ERROR"} 0+2x240`).each(minute),
		silent("ErrorBudgetSlow", "it began fifty minutes ago", 50*minute, requests+"0+300x240", errors+"0+24x240").each(minute),
		silent("ErrorBudgetSlow", "one request in two seconds", 3*time.Hour, requests+"0+30x240", errors+"0+15x240").each(minute),
		silent("ErrorBudgetSlow", "a bad hour and a half in a good day", 400*minute, requests+"0+300x400", errors+"0+0x300 0+24x100").each(minute).of(`window="1d", sli="traffic"`),
		silent("ErrorBudgetSlow", "it is over, though the day holds it", 220*minute, requests+"0+300x240", errors+"0+150x90 13500+0x150").each(minute).of(`window="1d", sli="traffic"`).over(),
		silent("ErrorBudgetSlow", "the 404s of every day", 3*time.Hour, requests+"0+300x240", errors+"0+4x240").each(minute),
	}
}

func nodeExamples() []example {
	const cpu = `system_cpu_time_seconds_total{instance="n1", cpu="cpu0", state=`
	const available = `system_linux_memory_available_bytes{instance="n1"} `
	const limit = `system_memory_limit_bytes{instance="n1"} 8e9+0x60`
	const share = `system_filesystem_utilization_ratio{instance="n1", mountpoint="/"} `
	const free = `system_filesystem_usage_bytes{instance="n1", mountpoint="/", state="free"} `
	const ready = `kube_node_status_condition{node="n1", condition="Ready", status="true"} `
	const pressure = `kube_node_status_condition{node="n1", condition="MemoryPressure", status="true"} `
	minute := time.Minute
	return []example{
		fires("NodeCPUHigh", "95 % are used for half an hour", 30*minute, `instance="n1"`, cpu+`"user"} 0+57x60`, cpu+`"idle"} 0+3x60`).each(minute),
		silent("NodeCPUHigh", "it waits for its disk", 30*minute, cpu+`"user"} 0+8x60`, cpu+`"wait"} 0+50x60`, cpu+`"idle"} 0+2x60`).each(minute),
		silent("NodeCPUHigh", "a kick-off takes it to the brim for ten minutes", 30*minute,
			cpu+`"user"} 0+20x10 200+59x10 790+20x20`, cpu+`"idle"} 0+40x10 400+1x10 410+40x20`).each(minute),

		fires("NodeMemoryLow", "500 MB of 8 GB are left", 10*minute, `instance="n1"`, available+"5e8+0x60", limit),
		silent("NodeMemoryLow", "1 GB of 8 GB is left", 10*minute, available+"1e9+0x60", limit),

		fires("NodeDiskFull", "95 % are used", 10*minute, `instance="n1", mountpoint="/"`, share+"0.95+0x60"),
		silent("NodeDiskFull", "90 % are used", 10*minute, share+"0.9+0x60"),

		fires("NodeDiskFillsSoon", "300 MB a minute of 50 GB", 30*minute, `instance="n1", mountpoint="/"`, free+"50e9-300e6x60", share+"0.7+0x60").each(minute),
		silent("NodeDiskFillsSoon", "a new node pulls its images", 30*minute, free+"50e9-300e6x60", share+"0.3+0x60").each(minute),
		silent("NodeDiskFillsSoon", "it will be full in a day", 30*minute, free+"50e9-30e6x60", share+"0.7+0x60").each(minute),

		fires("NodeLimitNear", "nine tenths of the descriptors are open", 5*minute, `instance="n1", limit="file descriptors"`,
			`system_linux_file_descriptor_usage{instance="n1"} 90000+0x20`, `system_linux_file_descriptor_limit{instance="n1"} 100000+0x20`),
		fires("NodeLimitNear", "nine tenths of the threads run", 5*minute, `instance="n1", limit="threads"`,
			`system_threads_count{instance="n1"} 28000+0x20`, `system_threads_limit{instance="n1"} 31000+0x20`),
		silent("NodeLimitNear", "half are open", 5*minute,
			`system_linux_file_descriptor_usage{instance="n1"} 50000+0x20`, `system_linux_file_descriptor_limit{instance="n1"} 100000+0x20`,
			`system_threads_count{instance="n1"} 1500+0x20`, `system_threads_limit{instance="n1"} 31000+0x20`),

		fires("NodeNotReady", "five minutes not ready", 8*minute, `node="n1"`, ready+"1+0x4 0+0x40"),
		silent("NodeNotReady", "a minute not ready", 8*minute, ready+"1+0x4 0+0x1 1+0x40"),
		silent("NodeNotReady", "the autoscaler took it away", 12*minute, ready+"1+0x4 0+0x2 stale _x40"),

		fires("NodePressure", "the kubelet says so for three minutes", 5*minute, `node="n1", condition="MemoryPressure"`, pressure+"1+0x40"),
		silent("NodePressure", "it does not", 5*minute, pressure+"0+0x40"),
	}
}

func workloadExamples() []example {
	const of = `{namespace="shop", pod="web-1", container="web"`
	const where = `namespace="shop", pod="web-1", container="web"`
	const autoscaler = `{namespace="shop", horizontalpodautoscaler="web"`
	const scaler = `namespace="shop", horizontalpodautoscaler="web"`
	minute := time.Minute
	return []example{
		fires("PodCrashLooping", "four restarts in twelve minutes", 12*minute, where,
			`kube_pod_container_status_restarts_total`+of+`} 0 0 0 1 1 2 2 2 3 3 3 4 4 4`,
			`kube_pod_container_status_waiting_reason`+of+`, reason="CrashLoopBackOff"} _ _ _ 1 _ 1 1 _ 1 1 _ 1 1 1`).each(minute),
		silent("PodCrashLooping", "one crash", 12*minute,
			`kube_pod_container_status_restarts_total`+of+`} 0 0 0 0 0 0 0 0 0 1 1 1 1 1`,
			`kube_pod_container_status_waiting_reason`+of+`, reason="CrashLoopBackOff"} _ _ _ _ _ _ _ _ _ 1 _ _ _ _`).each(minute),

		fires("ContainerOOMKilled", "the last restart was for its memory", 8*minute, where,
			`kube_pod_container_status_restarts_total`+of+`} 0+0x4 1+0x20`,
			`kube_pod_container_status_last_terminated_reason`+of+`, reason="OOMKilled"} _x5 1+0x20`).each(minute),
		silent("ContainerOOMKilled", "the last restart was an error", 8*minute,
			`kube_pod_container_status_restarts_total`+of+`} 0+0x4 1+0x20`,
			`kube_pod_container_status_last_terminated_reason`+of+`, reason="Error"} _x5 1+0x20`).each(minute),
		silent("ContainerOOMKilled", "it was killed yesterday", 8*minute,
			`kube_pod_container_status_restarts_total`+of+`} 7+0x20`,
			`kube_pod_container_status_last_terminated_reason`+of+`, reason="OOMKilled"} 1+0x20`).each(minute),

		fires("ContainerThrottled", "half of its periods", 20*minute, where,
			`container_cpu_cfs_periods_total`+of+`} 0+600x40`, `container_cpu_cfs_throttled_periods_total`+of+`} 0+300x40`).each(minute),
		silent("ContainerThrottled", "three minutes of start-up", 20*minute,
			`container_cpu_cfs_periods_total`+of+`} 0+600x40`, `container_cpu_cfs_throttled_periods_total`+of+`} 0+600x3 1800+10x40`).each(minute),
		silent("ContainerThrottled", "a tenth of its periods", 20*minute,
			`container_cpu_cfs_periods_total`+of+`} 0+600x40`, `container_cpu_cfs_throttled_periods_total`+of+`} 0+60x40`).each(minute),

		fires("PodsPending", "ten minutes without a place", 10*minute, `namespace="shop"`, `kube_pod_status_phase{namespace="shop", pod="web-9", phase="Pending"} 1+0x40`),
		silent("PodsPending", "four minutes until the node is there", 10*minute, `kube_pod_status_phase{namespace="shop", pod="web-9", phase="Pending"} 0+0x4 1+0x7 0+0x40`),

		fires("HPAAtMax", "60 of 60 replicas", 8*minute, scaler,
			`kube_horizontalpodautoscaler_status_desired_replicas`+autoscaler+`} 60+0x40`, `kube_horizontalpodautoscaler_spec_max_replicas`+autoscaler+`} 60+0x40`),
		silent("HPAAtMax", "60 of 60 for two minutes", 10*minute,
			`kube_horizontalpodautoscaler_status_desired_replicas`+autoscaler+`} 50+0x4 60+0x3 50+0x40`, `kube_horizontalpodautoscaler_spec_max_replicas`+autoscaler+`} 60+0x50`),
		silent("HPAAtMax", "59 of 60", 8*minute,
			`kube_horizontalpodautoscaler_status_desired_replicas`+autoscaler+`} 59+0x40`, `kube_horizontalpodautoscaler_spec_max_replicas`+autoscaler+`} 60+0x40`),
		silent("HPAAtMax", "one of one", 8*minute,
			`kube_horizontalpodautoscaler_status_desired_replicas`+autoscaler+`} 1+0x40`, `kube_horizontalpodautoscaler_spec_max_replicas`+autoscaler+`} 1+0x40`),

		fires("HPACannotScale", "it gets no metrics", 8*minute, scaler+`, condition="ScalingActive"`,
			`kube_horizontalpodautoscaler_status_condition`+autoscaler+`, condition="ScalingActive", status="false"} 1+0x40`,
			`kube_horizontalpodautoscaler_status_current_replicas`+autoscaler+`} 3+0x40`),
		silent("HPACannotScale", "somebody scaled it to zero", 8*minute,
			`kube_horizontalpodautoscaler_status_condition`+autoscaler+`, condition="ScalingActive", status="false"} 1+0x40`,
			`kube_horizontalpodautoscaler_status_current_replicas`+autoscaler+`} 0+0x40`),
		silent("HPACannotScale", "the metrics server restarts", 8*minute,
			`kube_horizontalpodautoscaler_status_condition`+autoscaler+`, condition="ScalingActive", status="false"} 0+0x4 1+0x3 0+0x40`,
			`kube_horizontalpodautoscaler_status_current_replicas`+autoscaler+`} 3+0x40`),
	}
}

func controlPlaneExamples() []example {
	const dns = `coredns_dns_responses_total{rcode=`
	const look = `coredns_dns_request_duration_seconds_bucket{le=`
	const api = `apiserver_request_total{verb="GET", code=`
	const get, list = `apiserver_request_duration_seconds_bucket{verb="GET", le=`, `apiserver_request_duration_seconds_bucket{verb="LIST", le=`
	minute := time.Minute
	return []example{
		fires("CoreDNSErrors", "one answer in twenty is SERVFAIL", 12*minute, "", dns+`"SERVFAIL"} 0+60x40`, dns+`"NOERROR"} 0+1140x40`).each(minute),
		silent("CoreDNSErrors", "names that do not exist", 12*minute, dns+`"SERVFAIL"} 0+0x40`, dns+`"NXDOMAIN"} 0+1140x40`).each(minute),
		silent("CoreDNSErrors", "a cluster that asks nothing", 12*minute, dns+`"SERVFAIL"} 0+6x40`, dns+`"NOERROR"} 0+10x40`).each(minute),

		fires("CoreDNSSlow", "a tenth takes a second", 12*minute, "", look+`"0.25"} 0+900x40`, look+`"1"} 0+1000x40`, look+`"+Inf"} 0+1000x40`).each(minute),
		silent("CoreDNSSlow", "all take less than a quarter", 12*minute, look+`"0.25"} 0+1000x40`, look+`"1"} 0+1000x40`, look+`"+Inf"} 0+1000x40`).each(minute),

		fires("APIServerErrors", "one answer in twenty is 500", 12*minute, "", api+`"500"} 0+60x40`, api+`"200"} 0+1140x40`).each(minute),
		silent("APIServerErrors", "clients are told to slow down", 12*minute, api+`"500"} 0+0x40`, api+`"429"} 0+120x40`, api+`"200"} 0+1140x40`).each(minute),

		fires("APIServerSlow", "a tenth takes two seconds", 20*minute, "", get+`"1"} 0+900x40`, get+`"2"} 0+1000x40`, get+`"+Inf"} 0+1000x40`).each(minute),
		silent("APIServerSlow", "lists take long", 20*minute, get+`"1"} 0+1000x40`, get+`"2"} 0+1000x40`, get+`"+Inf"} 0+1000x40`,
			list+`"1"} 0+100x40`, list+`"2"} 0+100x40`, list+`"30"} 0+1000x40`, list+`"+Inf"} 0+1000x40`).each(minute),
	}
}
