//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Rotation of containers' logs on a node: small, so that a test sees many. What an
// agent missed while it was away is in the newest two files; older ones the kubelet
// has compressed.
const (
	LogMaxSize  = "3Mi"
	LogMaxFiles = 5
)

// configure writes the configuration of a node's daemons.
func (s spec) configure() error {
	cni := filepath.Join(s.Dir, "cni")
	if err := os.MkdirAll(cni, 0o755); err != nil {
		return err
	}
	write := func(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }
	return errors.Join(
		write(filepath.Join(cni, "10-e2e.conflist"), fmt.Sprintf(cniConfig, s.Pods)),
		write(s.file("containerd.toml"), fmt.Sprintf(containerdConfig, Pause, cni)),
		write(s.file("kubelet.yaml"), fmt.Sprintf(kubeletConfig, s.PKI, s.Name, groupRoot(s.Index), DNSIP, s.file("resolv.conf"), LogMaxSize, LogMaxFiles)),
		write(s.file("resolv.conf"), "nameserver "+ControlIP+"\n"),
	)
}

// cniConfig: a bridge would let two pods of a node answer each other past iptables
// (without br_netfilter), and a Service between them would not work.
const cniConfig = `{"cniVersion": "1.0.0", "name": "e2e", "plugins": [
  {"type": "ptp", "ipam": {"type": "host-local", "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`

// containerdConfig: cAdvisor looks for containerd at this very address. A root
// without CAP_SYS_RESOURCE can't lower oom_score_adj, and runc would fail.
const containerdConfig = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = %q
`

// kubeletConfig: failCgroupV1 because a machine may still have the first version;
// oomScoreAdj as above.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]s/ca.crt}}
authorization: {mode: Webhook, webhook: {cacheAuthorizedTTL: 5s, cacheUnauthorizedTTL: 5s}}
tlsCertFile: %[1]s/%[2]s.crt
tlsPrivateKeyFile: %[1]s/%[2]s.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: %[3]s
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
maxOpenFiles: 20000
enforceNodeAllocatable: [pods]
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "100Mi", nodefs.available: "1%%", nodefs.inodesFree: "1%%", imagefs.available: "1%%"}
clusterDomain: cluster.local
clusterDNS: [%[4]q]
resolvConf: %[5]s
syncFrequency: 5s
containerLogMaxSize: %[6]s
containerLogMaxFiles: %[7]d
containerLogMonitorInterval: 3s
nodeStatusUpdateFrequency: 4s
crashLoopBackOff: {maxContainerRestartPeriod: 5s}
`
