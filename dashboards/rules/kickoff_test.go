package rules_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards/rules"
	"github.com/vigie-otel/vigie/internal/forecast"
)

// The kick-off: an hour of quiet, an hour in which the traffic grows to 5.6
// times, 2.7 times in the quarter before the whistle, and an hour on the plateau.
// The steepest ramp of the World Cup of 1998 was 2.5 times in a quarter of an
// hour and 5.6 times in an hour.
const (
	kickoffStep  = 30 * time.Second
	kickoffSteps = 3 * 120
	quietRate    = 500.0 // requests a second
)

// crowd is how many times the quiet rate comes at step i.
func crowd(i int) float64 {
	minutes := float64(i) / 2
	// A logistic curve from 1 to 5.6, centred nine minutes before the whistle at
	// minute 120.
	return 1 + 4.6/(1+math.Exp(-(minutes-111)/4.2))
}

func TestNothingFiresAtKickOff(t *testing.T) {
	skipShort(t)
	tool, dir := promtool(t), written(t)
	require.InDelta(t, 5.6, crowd(kickoffSteps)/crowd(0), 0.05)
	require.Greater(t, crowd(240)/crowd(210), 2.5, "the last quarter of an hour must be as steep as the steepest ramp on record")

	var file unitTests
	for _, f := range rules.Files() {
		file.RuleFiles = append(file.RuleFiles, filepath.Join(dir, f.Name+".yaml"))
	}
	file.Interval = "30s"
	end := (kickoffSteps * kickoffStep).String()
	file.Tests = []unitTest{{
		Name: "kick-off", Interval: kickoffStep.String(), Series: kickoff(t),
		Queries: []exprTest{
			{Expr: `count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[3h]))`, At: end},
			// And the rules did see it.
			{Expr: `cluster_service:vigie_requests:rate5m{sli="traffic"} > bool 2700`, At: end,
				Samples: []sample{{`{service_name="shop", sli="traffic"}`, 1}}},
			{Expr: `max_over_time(system_network_conntrack_utilization_ratio[3h]) > bool 0.5`, At: end,
				Samples: []sample{{`{instance="n1"}`, 1}}},
		},
	}}
	require.Empty(t, runPromtool(t, tool, file))
}

// kickoff is the telemetry of one node and one service through those hours.
func kickoff(t *testing.T) []inputSeries {
	var k recording
	const seconds = float64(kickoffStep / time.Second)
	k.counter(`vigie_traffic_requests_total{service_name="shop"}`, func(i int) float64 { return quietRate * seconds * crowd(i) })
	// The usual 1 % of 404s and expired sessions, and 0.03 % that the service fails.
	k.counter(`vigie_traffic_errors_total{service_name="shop"}`, func(i int) float64 { return 0.01 * quietRate * seconds * crowd(i) })
	k.counter(`traces_span_metrics_calls_total{service_name="shop", span_kind="SPAN_KIND_SERVER", status_code="STATUS_CODE_UNSET"}`,
		func(i int) float64 { return quietRate * seconds * crowd(i) })
	k.counter(`traces_span_metrics_calls_total{service_name="shop", span_kind="SPAN_KIND_SERVER", status_code="STATUS_CODE_ERROR"}`,
		func(i int) float64 { return 0.0003 * quietRate * seconds * crowd(i) })
	for state, holds := range map[string]func(i int) bool{
		"normal": func(i int) bool { return crowd(i) < 1.5 },
		"crowd":  func(i int) bool { return crowd(i) >= 1.5 },
		"attack": never, "mixed": never, "unknown": never,
	} {
		k.gauge(`vigie_attack_verdict{service_name="shop", vigie_attack_verdict_state="`+state+`"}`, func(i int) float64 {
			if holds(i) {
				return 1
			}
			return 0
		})
	}
	k.gauge(`vigie_attack_findings{service_name="shop", vigie_attack_class="http_flood"}`, func(int) float64 { return 0 })
	k.conntrack(t)
	k.node()
	k.workload()
	k.vigie()
	return k.series
}

func never(int) bool { return false }

// conntrack fills the table from 10 % to 56 % and asks Vigie's own forecast how
// long is left, each second, as the processor does.
func (k *recording) conntrack(t *testing.T) {
	const limit = 262144.0
	start := time.Date(2026, 6, 11, 18, 0, 0, 0, time.UTC)
	var track forecast.Track
	var left, used []float64
	nearest := math.Inf(1)
	for s := range kickoffSteps * int(kickoffStep/time.Second) {
		i := float64(s) / kickoffStep.Seconds()
		entries := limit * (0.1*crowd(int(i)) + 0.004*math.Sin(float64(s)/7))
		at := start.Add(time.Duration(s) * time.Second)
		track.Add(at, math.Round(entries))
		if s%int(kickoffStep.Seconds()) != 0 {
			continue
		}
		r := forecast.Resource{Name: "nf_conntrack", Used: track.Points(), Limit: limit}
		w, ok := r.Wall()
		require.True(t, ok)
		used = append(used, w.Utilization)
		if d, growing := w.Left(); growing {
			left = append(left, d.Seconds())
			nearest = min(nearest, d.Seconds())
		} else {
			left = append(left, math.NaN())
		}
	}
	// A forecast alone would have cried; the silence is the rule's own doing.
	require.Less(t, nearest, 900.0)
	require.Greater(t, nearest, 300.0)
	k.gauge(`system_network_conntrack_utilization_ratio{instance="n1"}`, func(i int) float64 { return used[i] })
	k.gauge(`system_network_conntrack_time_to_exhaustion_seconds{instance="n1", vigie_conntrack_wall="kernel"}`, func(i int) float64 { return left[i] })
	k.gauge(`system_network_conntrack_usage{instance="n1"}`, func(i int) float64 { return limit * used[i] })
	k.gauge(`aws_ena_conntrack_allowance_available{instance="n1", network_interface_name="eth0"}`, func(i int) float64 { return 600000 - limit*used[i] })
	// Handshakes of 100 ms: a tenth of a second's new connections wait.
	k.gauge(`vigie_conntrack_half_open_entries{instance="n1", vigie_conntrack_owner="10.0.0.9:443", network_io_direction="receive"}`,
		func(i int) float64 { return 0.5 * quietRate * crowd(i) })
	k.counter(`system_network_conntrack_packet_dropped_total{instance="n1"}`, func(int) float64 { return 2 })
	k.counter(`system_network_conntrack_insert_failed_total{instance="n1"}`, func(i int) float64 { return 3 * crowd(i) })
	k.counter(`aws_ena_allowance_exceeded_total{instance="n1", network_interface_name="eth0", aws_ena_allowance="conntrack"}`, func(int) float64 { return 0 })
	// A burst of packets waits at the steepest minute.
	k.counter(`aws_ena_allowance_exceeded_total{instance="n1", network_interface_name="eth0", aws_ena_allowance="pps"}`, func(i int) float64 {
		if i == 222 || i == 223 {
			return 900
		}
		return 0
	})
}

// node goes from 15 % of its CPU to 84 %, and over 90 % for the ten minutes until
// new nodes share the load.
func (k *recording) node() {
	busy := func(i int) float64 {
		if i >= 220 && i < 240 {
			return 0.94
		}
		return 0.15 * crowd(i)
	}
	const seconds = float64(kickoffStep / time.Second)
	k.counter(`system_cpu_time_seconds_total{instance="n1", cpu="cpu0", state="user"}`, func(i int) float64 { return seconds * busy(i) })
	k.counter(`system_cpu_time_seconds_total{instance="n1", cpu="cpu0", state="idle"}`, func(i int) float64 { return seconds * (1 - busy(i)) })
	k.gauge(`system_linux_memory_available_bytes{instance="n1"}`, func(i int) float64 { return 8e9 * (0.8 - 0.12*crowd(i)) })
	k.gauge(`system_memory_limit_bytes{instance="n1"}`, func(int) float64 { return 8e9 })
	// Access logs write 5.6 times as much.
	free := 60e9
	k.gauge(`system_filesystem_usage_bytes{instance="n1", mountpoint="/", state="free"}`, func(i int) float64 { free -= 5e6 * crowd(i); return free })
	k.gauge(`system_filesystem_utilization_ratio{instance="n1", mountpoint="/"}`, func(i int) float64 { return 0.4 + float64(i)*1e-4 })
	k.gauge(`kube_node_status_condition{node="n1", condition="Ready", status="true"}`, func(int) float64 { return 1 })
	k.gauge(`kube_node_status_condition{node="n1", condition="MemoryPressure", status="true"}`, func(int) float64 { return 0 })
	k.gauge(`kube_node_info{node="n1"}`, func(int) float64 { return 1 })
	// The node that comes: its agent is a minute behind it.
	k.gauge(`kube_node_info{node="n2"}`, from(224, 1))
	k.counter(`otelcol_process_uptime_seconds_total{job="vigie-agent", instance="n2"}`, from(226, seconds))
}

// from is v from step first on, and absent before.
func from(first int, v float64) func(int) float64 {
	return func(i int) float64 {
		if i < first {
			return math.NaN()
		}
		return v
	}
}

// workload scales 10 to 56 of 60 pods; some wait three minutes for their node,
// and new ones are throttled while they start.
func (k *recording) workload() {
	of := `{namespace="shop", pod="web-1", container="web"`
	scaler := `{namespace="shop", horizontalpodautoscaler="web"`
	k.gauge(`kube_horizontalpodautoscaler_status_desired_replicas`+scaler+`}`, func(i int) float64 { return math.Round(10 * crowd(i)) })
	k.gauge(`kube_horizontalpodautoscaler_status_current_replicas`+scaler+`}`, func(i int) float64 { return math.Round(10 * crowd(max(0, i-4))) })
	k.gauge(`kube_horizontalpodautoscaler_spec_max_replicas`+scaler+`}`, func(int) float64 { return 60 })
	k.gauge(`kube_horizontalpodautoscaler_status_condition`+scaler+`, condition="ScalingActive", status="false"}`, func(int) float64 { return 0 })
	k.gauge(`kube_pod_status_phase{namespace="shop", pod="web-40", phase="Pending"}`, func(i int) float64 {
		if i >= 218 && i < 225 {
			return 1
		}
		return 0
	})
	k.gauge(`kube_pod_container_status_restarts_total`+of+`}`, func(int) float64 { return 1 })
	k.counter(`container_cpu_cfs_periods_total`+of+`}`, func(int) float64 { return 300 })
	k.counter(`container_cpu_cfs_throttled_periods_total`+of+`}`, func(i int) float64 {
		if i >= 216 && i < 230 {
			return 150
		}
		return 10
	})
	k.counter(`coredns_dns_responses_total{rcode="NOERROR"}`, func(i int) float64 { return 3000 * crowd(i) })
	k.counter(`coredns_dns_responses_total{rcode="SERVFAIL"}`, func(i int) float64 { return 3 * crowd(i) })
	k.counter(`apiserver_request_total{verb="GET", code="200"}`, func(i int) float64 { return 600 * crowd(i) })
	k.counter(`apiserver_request_total{verb="GET", code="500"}`, func(int) float64 { return 1 })
}

// vigie is busy itself: its queue peaks at 70 % and its readers are half a minute
// behind while everything comes at once.
func (k *recording) vigie() {
	agent := `{job="vigie-agent", instance="n1"`
	k.counter(`otelcol_process_uptime_seconds_total`+agent+`}`, func(int) float64 { return 30 })
	k.gauge(`otelcol_exporter_queue_size`+agent+`, exporter="otlp_grpc/gateway", data_type="logs"}`, func(i int) float64 { return 130 * crowd(i) })
	k.gauge(`otelcol_exporter_queue_capacity`+agent+`, exporter="otlp_grpc/gateway", data_type="logs"}`, func(int) float64 { return 1000 })
	k.gauge(`vigie_logs_lag_time_seconds{instance="n1", k8s_namespace_name="shop"}`, func(i int) float64 { return 6 * crowd(i) })
	k.counter(`otelcol_exporter_send_failed_log_records_total`+agent+`, exporter="otlp_grpc/gateway"}`, func(int) float64 { return 0 })
	k.counter(`otelcol_receiver_refused_log_records_total`+agent+`, receiver="otlp", transport="grpc"}`, func(int) float64 { return 0 })
	k.counter(`otelcol_attack_detection_requests_total`+agent+`, source="line"}`, func(i int) float64 { return 15000 * crowd(i) })
	k.counter(`otelcol_attack_detection_limited_total`+agent+`, limit="late"}`, func(i int) float64 { return 60 * crowd(i) })
	k.gauge(`vigie_config_last_reload_successful_ratio`+agent+`}`, func(int) float64 { return 1 })
	k.gauge(`vigie_config_hash_ratio`+agent+`}`, func(int) float64 { return 7 })
	k.gauge(`vigie_ledger_off`+agent+`, vigie_ledger_signal="logs", vigie_ledger_to="otlp_grpc/gateway"}`, func(int) float64 { return 0 })
	k.gauge(`vigie_k8s_events_leading_ratio{job="vigie-gateway", instance="g1"}`, func(int) float64 { return 1 })
	k.counter(`vigie_store_samples_dropped_total{job="vigie-gateway", instance="g1", reason="out_of_order"}`, func(int) float64 { return 1 })
}

// recording collects series in promtool's notation.
type recording struct{ series []inputSeries }

// gauge writes v(i) for each step; NaN is no sample.
func (k *recording) gauge(series string, v func(i int) float64) {
	values := make([]string, kickoffSteps+1)
	for i := range values {
		x := v(min(i, kickoffSteps-1))
		values[i] = "_"
		if !math.IsNaN(x) {
			values[i] = strconv.FormatFloat(x, 'g', 10, 64)
		}
	}
	k.series = append(k.series, inputSeries{series, strings.Join(values, " ")})
}

// counter adds v(i) up.
func (k *recording) counter(series string, v func(i int) float64) {
	sum := 0.0
	k.gauge(series, func(i int) float64 {
		x := v(i)
		if !math.IsNaN(x) {
			sum += x
			return sum
		}
		return x
	})
}

func (s inputSeries) String() string { return fmt.Sprintf("%s %s", s.Series, s.Values) }
