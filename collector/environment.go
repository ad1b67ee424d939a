package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/vigie-otel/vigie/internal/memlimit"
)

// exportEnvironment fills in what the embedded configurations read through
// ${env:…}: a flag wins over the environment, and both over what is derived.
func (o *options) exportEnvironment() error {
	dir := o.dataDir
	if dir == "" {
		dir = os.Getenv("VIGIE_DATA_DIR")
	}
	if dir == "" {
		dir = "data"
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("resolve --data-dir %q: %w", dir, err)
	}
	derived := map[string]string{}
	if host, err := os.Hostname(); err == nil {
		derived["VIGIE_HOST_NAME"] = host
		if node := os.Getenv("VIGIE_NODE_NAME"); node != "" {
			derived["VIGIE_HOST_NAME"] = node
		}
	}
	if listen := os.Getenv("VIGIE_LISTEN"); listen != "" {
		for name, port := range map[string]string{
			"VIGIE_OTLP_GRPC_ENDPOINT": "4317", "VIGIE_OTLP_HTTP_ENDPOINT": "4318",
			"VIGIE_AGENTS_ENDPOINT": "4319", "VIGIE_HEALTH_ENDPOINT": "13133",
		} {
			derived[name] = net.JoinHostPort(strings.Trim(listen, "[]"), port)
		}
	}
	// IMDSv1 answers to whoever can be made to send a GET.
	derived["AWS_EC2_METADATA_V1_DISABLED"] = "true"
	derived["VIGIE_TELEMETRY_ENDPOINT"] = telemetryEndpoint(cmp.Or(os.Getenv("VIGIE_OTLP_HTTP_ENDPOINT"), derived["VIGIE_OTLP_HTTP_ENDPOINT"], "127.0.0.1:4318"))
	// The exporter that spreads spans over the gateways takes the two apart.
	if host, port, err := net.SplitHostPort(os.Getenv("VIGIE_GATEWAY_ENDPOINT")); err == nil {
		derived["VIGIE_GATEWAY_HOST"], derived["VIGIE_GATEWAY_PORT"] = host, port
	}
	if ip := strings.Trim(strings.TrimSpace(os.Getenv("VIGIE_NODE_IP")), "[]"); ip != "" {
		derived["VIGIE_KUBELET_ENDPOINT"] = net.JoinHostPort(ip, "10250")
	}
	// A cluster that signs its kubelets' certificates does so as its own authority.
	if insecure, err := strconv.ParseBool(os.Getenv("VIGIE_KUBELET_INSECURE")); err == nil && !insecure {
		derived["VIGIE_KUBELET_CA"] = cmp.Or(os.Getenv("VIGIE_SERVICE_ACCOUNT"), "/var/run/secrets/kubernetes.io/serviceaccount") + "/ca.crt"
	}
	// Where /proc can't be read the configurations' own defaults hold.
	if b, err := memlimit.Derive("/"); err == nil {
		derived["VIGIE_MEMORY_LIMIT_MIB"] = strconv.FormatUint(b.LimitMiB(), 10)
		derived["VIGIE_MEMORY_SPIKE_MIB"] = strconv.FormatUint(b.SpikeMiB(), 10)
	}
	for name, value := range derived {
		if os.Getenv(name) == "" {
			if err := os.Setenv(name, value); err != nil {
				return err
			}
		}
	}
	return os.Setenv("VIGIE_DATA_DIR", abs)
}

// telemetryEndpoint is where Vigie's own telemetry goes: its own OTLP/HTTP
// receiver, by an address that can be dialled.
func telemetryEndpoint(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// limitMemory sets GOMEMLIMIT from the cgroup or the machine, unless the person
// who started Vigie has. The memory_limiter of the embedded configurations works
// from the same budget.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if b, err := memlimit.Derive("/"); err == nil {
		debug.SetMemoryLimit(b.GoMemLimit())
	}
}

// beFrugal collects garbage when the heap has grown by half rather than doubled,
// unless the person who started Vigie has said otherwise: a node's memory is its
// pods', and an agent uses a few hundredths of a core.
func beFrugal() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
