package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"

	"github.com/vigie-otel/vigie/internal/names"
)

// node is a Kubernetes node as an agent sees it: a kubelet, pods that serve metrics,
// their logs, a service account, and an API server that only counts who comes.
type node struct {
	host, account string
	kubelet       *httptest.Server
	apiServer     net.Listener
	asked         atomic.Int64 // connections to the API server
	lists         atomic.Int64 // of pods
	scraped       atomic.Int64 // pods' metrics

	podList, summary, cadvisor, own []byte

	mu     sync.Mutex
	answer int // guarded by mu; the kubelet's: 0 as it should, -1 not before that changes, else a status
}

func (n *node) say(status int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = status
}

// deployments are how many the pods of a node belong to.
const deployments = 22

// appName is a Deployment's, podName that of a pod of it.
func appName(i int) string { return fmt.Sprintf("app%03d", i%deployments) }

func podName(i int) string { return fmt.Sprintf("%s-6d5f8c7b9d-x%04d", appName(i), i) }

// newNode makes a node of so many pods. Of five, two ask to be scraped by Prometheus'
// annotations, and serve series each; hostile ones come on top.
func newNode(t testing.TB, pods, series int) *node {
	t.Helper()
	n := &node{host: nodeRoot(t), account: t.TempDir()}
	var page strings.Builder
	fmt.Fprintf(&page, "# HELP orders_total Orders.\n# TYPE orders_total counter\n")
	for s := range series {
		fmt.Fprintf(&page, "orders_total{route=\"/route/%d\",method=\"GET\",code=\"200\"} %d\n", s, s)
	}
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.scraped.Add(1)
		_, _ = w.Write([]byte(page.String()))
	}))
	t.Cleanup(application.Close)
	port := application.Listener.Addr().(*net.TCPAddr).Port
	n.fill(t, pods, port)

	n.kubelet = httptest.NewTLSServer(http.HandlerFunc(n.serve))
	t.Cleanup(n.kubelet.Close)
	var err error
	n.apiServer, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			c, err := n.apiServer.Accept()
			if err != nil {
				return
			}
			n.asked.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = n.apiServer.Close() })
	require.NoError(t, os.WriteFile(filepath.Join(n.account, "token"), []byte("token"), 0o600))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.kubelet.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(n.account, "ca.crt"), ca, 0o600))
	return n
}

// nodeRoot is the host's file system: this machine's, with logs of the test's own.
func nodeRoot(t testing.TB) string {
	root := t.TempDir()
	for _, d := range []string{"proc", "sys", "etc"} {
		require.NoError(t, os.Symlink("/"+d, filepath.Join(root, d)))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "var/log/pods"), 0o755))
	return root
}

// env is what an agent's pod on the node has.
func (n *node) env() []string {
	return []string{
		"KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_SERVICE_PORT=" + fmt.Sprint(n.apiServer.Addr().(*net.TCPAddr).Port),
		"VIGIE_NODE_NAME=node-1", "VIGIE_NODE_IP=127.0.0.1", "VIGIE_HOST_ROOT=" + n.host, "VIGIE_SERVICE_ACCOUNT=" + n.account,
		"VIGIE_KUBELET_ENDPOINT=" + n.kubelet.Listener.Addr().String(), "VIGIE_KUBELET_AUTH=tls", "VIGIE_TRACERS=none",
	}
}

// args run an agent on it. A service account's token is read at a place that only
// pods have; so kubelet_stats shows a certificate here.
func (n *node) args(t testing.TB, more ...string) []string {
	cert, key := clientCertificate(t)
	args := []string{"--config", "embedded:agent"}
	for _, s := range append([]string{
		"receivers.kubelet_stats.ca_file=" + filepath.Join(n.account, "ca.crt"), "receivers.kubelet_stats.cert_file=" + cert, "receivers.kubelet_stats.key_file=" + key,
	}, more...) {
		args = append(args, "--set", s)
	}
	return args
}

func clientCertificate(t testing.TB) (cert, key string) {
	dir := t.TempDir()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "agent"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
	return cert, key
}

func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	for n.answer < 0 && r.Context().Err() == nil {
		n.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		n.mu.Lock()
	}
	answer := n.answer
	n.mu.Unlock()
	if answer > 0 {
		w.WriteHeader(answer)
		return
	}
	switch r.URL.Path {
	case "/pods":
		n.lists.Add(1)
		_, _ = w.Write(n.podList)
	case "/stats/summary":
		_, _ = w.Write(n.summary)
	case "/metrics/cadvisor":
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(n.cadvisor)
	case "/metrics":
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(n.own)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// fill makes what the kubelet says of so many pods, of about the size that a real
// one says: some 9 KiB a pod in the list, 170 cAdvisor lines a pod.
func (n *node) fill(t testing.TB, pods, port int) {
	type m = map[string]any
	items := make([]any, 0, pods)
	stats := make([]any, 0, pods)
	now := time.Now().UTC().Format(time.RFC3339)
	cpu, memory := m{"time": now, "usageNanoCores": 12345678, "usageCoreNanoSeconds": 987654321}, m{"time": now, "usageBytes": 1 << 26, "workingSetBytes": 1 << 25, "rssBytes": 1 << 24, "pageFaults": 1, "majorPageFaults": 0, "availableBytes": 1 << 26}
	fs := m{"time": now, "availableBytes": 1 << 34, "capacityBytes": 1 << 35, "usedBytes": 1 << 20, "inodesFree": 1 << 20, "inodes": 1 << 21, "inodesUsed": 100}
	network := m{"time": now, "name": "eth0", "rxBytes": 1, "rxErrors": 0, "txBytes": 1, "txErrors": 0}
	var cad strings.Builder
	for i := range pods {
		name, uid := podName(i), fmt.Sprintf("%08d-0000-4000-8000-%012d", i, i)
		annotations := m{"kubectl.kubernetes.io/last-applied-configuration": strings.Repeat("x", 1500)}
		switch {
		case i%5 < 2:
			annotations["prometheus.io/scrape"], annotations["prometheus.io/port"], annotations["prometheus.io/path"] = "true", fmt.Sprint(port), fmt.Sprintf("/pod/%d", i)
		case i == 3:
			annotations[names.PodLogs] = "off"
		case i == 2: // hostile
			annotations["prometheus.io/scrape"], annotations["prometheus.io/path"] = "true", "http://169.254.169.254/latest/meta-data/"
			annotations["prometheus.io/port"] = strings.Repeat("9", 1000)
		}
		items = append(items, m{
			"metadata": m{
				"name": name, "namespace": fmt.Sprintf("ns%d", i%5), "uid": uid, "annotations": annotations, "creationTimestamp": now,
				"labels":          m{"app.kubernetes.io/name": appName(i), "pod-template-hash": "6d5f8c7b9d", "team": "blue"},
				"ownerReferences": []any{m{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": appName(i) + "-6d5f8c7b9d", "controller": true}},
			},
			"spec": m{"nodeName": "node-1", "containers": []any{m{
				"name": "main", "image": "registry.example/app:1.0", "ports": []any{m{"name": "http", "containerPort": port, "protocol": "TCP"}},
				"env": []any{m{"name": "CONFIG", "value": strings.Repeat("y", 3000)}},
			}}, "schedulerName": strings.Repeat("z", 1500)},
			"status": m{"phase": "Running", "podIP": "127.0.0.1", "podIPs": []any{m{"ip": "127.0.0.1"}}, "message": strings.Repeat("c", 1500)},
		})
		stats = append(stats, m{
			"podRef": m{"name": name, "namespace": fmt.Sprintf("ns%d", i%5), "uid": uid}, "startTime": now, "cpu": cpu, "memory": memory,
			"containers": []any{m{"name": "main", "startTime": now, "cpu": cpu, "memory": memory, "rootfs": fs, "logs": fs}},
			"network":    m{"time": now, "name": "eth0", "rxBytes": 1, "txBytes": 1, "interfaces": []any{network}},
			"volume":     []any{merged(fs, m{"name": "kube-api-access"}), merged(fs, m{"name": "data"})}, "ephemeral-storage": fs,
		})
		for _, c := range [][2]string{{"main", "registry.example/app:1.0"}, {"", ""}, {"POD", "registry.example/pause:3.10"}} {
			labels := fmt.Sprintf(`container="%s",id="/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%s.slice/cri-containerd-%064d.scope",image="%s",name="%064d",namespace="ns%d",pod="%s"`,
				c[0], uid, i, c[1], i, i%5, name)
			for _, family := range cadvisorFamilies {
				for d := range family.lines {
					fmt.Fprintf(&cad, "%s{%s,device=\"/dev/nvme%dn1\"} %d %d\n", family.name, labels, d, i*100, time.Now().UnixMilli())
				}
			}
		}
	}
	marshal := func(v any) []byte {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return b
	}
	n.podList = marshal(m{"kind": "PodList", "apiVersion": "v1", "metadata": m{}, "items": items})
	n.summary = marshal(m{"node": m{"nodeName": "node-1", "startTime": now, "cpu": cpu, "memory": memory, "fs": fs, "network": merged(network, m{"interfaces": []any{network}}), "runtime": m{"imageFs": fs}}, "pods": stats})
	n.cadvisor = []byte(cad.String())
	var own strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&own, "apiserver_audit_requests_%d{verb=\"GET\",code=\"200\"} %d\n", i, i)
	}
	fmt.Fprintf(&own, "kubelet_running_pods %d\n", pods)
	n.own = []byte(own.String())
}

func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// cadvisorFamilies are a container's, with as many lines as devices, interfaces or
// failure types make of them.
var cadvisorFamilies = []struct { //nolint:gochecknoglobals // a constant table
	name  string
	lines int
}{
	{"container_cpu_usage_seconds_total", 1}, {"container_cpu_user_seconds_total", 1}, {"container_cpu_system_seconds_total", 1},
	{"container_cpu_cfs_periods_total", 1}, {"container_cpu_cfs_throttled_periods_total", 1}, {"container_cpu_cfs_throttled_seconds_total", 1},
	{"container_memory_working_set_bytes", 1}, {"container_memory_rss", 1}, {"container_memory_usage_bytes", 1}, {"container_memory_cache", 1},
	{"container_memory_failures_total", 4}, {"container_memory_mapped_file", 1}, {"container_oom_events_total", 1},
	{"container_fs_reads_bytes_total", 3}, {"container_fs_writes_bytes_total", 3}, {"container_fs_reads_total", 3}, {"container_fs_writes_total", 3},
	{"container_blkio_device_usage_total", 8}, {"container_processes", 1}, {"container_threads", 1}, {"container_sockets", 1}, {"container_file_descriptors", 1},
	{"container_spec_cpu_quota", 1}, {"container_spec_cpu_period", 1}, {"container_spec_cpu_shares", 1}, {"container_spec_memory_limit_bytes", 1},
	{"container_start_time_seconds", 1}, {"container_tasks_state", 5}, {"container_ulimits_soft", 1},
}

// nodeGateway takes what an agent sends, and remembers the newest resource of each
// metric, and the pods that logs came from.
type nodeGateway struct {
	pmetricotlp.UnimplementedGRPCServer
	addr string

	mu      sync.Mutex
	metrics map[string]map[string]any // guarded by mu; resource attributes by name
	points  map[string]map[string]any // guarded by mu; a point's attributes by name
	times   map[string]time.Time      // guarded by mu; when one came last
	logs    map[string]int            // guarded by mu; records by k8s.pod.name
	bodies  map[string]bool           // guarded by mu
}

func newNodeGateway(t testing.TB) *nodeGateway {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &nodeGateway{addr: l.Addr().String(), metrics: map[string]map[string]any{}, points: map[string]map[string]any{}, times: map[string]time.Time{}, logs: map[string]int{}, bodies: map[string]bool{}}
	srv := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	pmetricotlp.RegisterGRPCServer(srv, g)
	plogotlp.RegisterGRPCServer(srv, &nodeLogs{g: g})
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(srv.Stop)
	return g
}

func (g *nodeGateway) Export(_ context.Context, req pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, rm := range req.Metrics().ResourceMetrics().All() {
		var raw map[string]any
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if raw == nil {
					raw = rm.Resource().Attributes().AsRaw()
				}
				g.metrics[m.Name()], g.times[m.Name()] = raw, time.Now()
				var attrs pcommon.Map
				switch {
				case m.Type().String() == "Gauge" && m.Gauge().DataPoints().Len() > 0:
					attrs = m.Gauge().DataPoints().At(0).Attributes()
				case m.Type().String() == "Sum" && m.Sum().DataPoints().Len() > 0:
					attrs = m.Sum().DataPoints().At(0).Attributes()
				default:
					continue
				}
				g.points[m.Name()] = attrs.AsRaw()
			}
		}
	}
	return pmetricotlp.NewExportResponse(), nil
}

type nodeLogs struct {
	plogotlp.UnimplementedGRPCServer
	g *nodeGateway
}

func (l *nodeLogs) Export(_ context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	for _, rl := range req.Logs().ResourceLogs().All() {
		attrs := rl.Resource().Attributes().AsRaw()
		whose := fmt.Sprint(attrs["k8s.pod.name"], " ", attrs["k8s.deployment.name"])
		for _, sl := range rl.ScopeLogs().All() {
			l.g.logs[whose] += sl.LogRecords().Len()
			for _, lr := range sl.LogRecords().All() {
				l.g.bodies[lr.Body().AsString()] = true
			}
		}
	}
	return plogotlp.NewExportResponse(), nil
}

// since tells whether a metric has come after a moment.
func (g *nodeGateway) since(name string, at time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.times[name].After(at)
}

// logOf writes a line into the log of a pod's container, as the kubelet does.
func (n *node) logOf(t testing.TB, i int, text string) {
	dir := filepath.Join(n.host, "var/log/pods", fmt.Sprintf("ns%d_%s_%08d-0000-4000-8000-%012d", i%5, podName(i), i, i), "main")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	f, err := os.OpenFile(filepath.Join(dir, "0.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = fmt.Fprintf(f, "%s stdout F %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000000000Z"), text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
