package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// RunNode is a node's first process: it makes the namespaces that it was started in
// a machine's, starts the machine's daemons, and waits. It returns only with an
// error; whoever wants the node gone kills it.
func RunNode() error {
	var s spec
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		return fmt.Errorf("be told what to be: %w", err)
	}
	ctx := context.Background()
	if err := steps(ctx,
		"ip link set lo up", "ip addr add "+s.IP+"/24 dev eth0", "ip link set eth0 up", "ip route add default via "+s.Via,
	); err != nil {
		return err
	}
	if err := s.mounts(); err != nil {
		return err
	}
	if err := makeGroups(groupRoot(s.Index)); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	daemons, err := s.daemons(ctx)
	if err != nil {
		return err
	}
	// The end of standard input is the end of who started this.
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(gone)
	}()
	for {
		for _, d := range daemons {
			if err := d.Alive(); err != nil {
				return err
			}
		}
		reap(daemons)
		select {
		case <-gone:
			return errors.New("nobody needs this node any more")
		case <-time.After(time.Second):
		}
	}
}

// mounts gives the node a /proc, a /run, a /var/lib and a /var/log of its own, and
// makes all mounts shared, as systemd does: mountPropagation needs it.
func (s spec) mounts() error {
	steps := []struct {
		what   string
		source string
		target string
		kind   string
		flags  uintptr
	}{
		{"keep mounts to this node", "", "/", "", unix.MS_REC | unix.MS_PRIVATE},
		{"mount its /proc", "proc", "/proc", "proc", 0},
		{"mount its /run", "tmpfs", "/run", "tmpfs", 0},
		{"mount its /var/lib", filepath.Join(s.Dir, "lib"), "/var/lib", "", unix.MS_BIND},
		{"mount its /var/log", filepath.Join(s.Dir, "log"), "/var/log", "", unix.MS_BIND},
		{"share its mounts", "", "/", "", unix.MS_REC | unix.MS_SHARED},
	}
	for _, dir := range []string{"lib", "log", "log/pods", "log/containers", "lib/kubelet"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o755); err != nil {
			return err
		}
	}
	for _, m := range steps {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
	}
	return os.MkdirAll("/run/containerd", 0o755)
}

// daemons starts containerd, imports the images, then kubelet and kube-proxy.
func (s spec) daemons(ctx context.Context) ([]*Process, error) {
	containerd, err := start(s.Name+"-containerd", s.Logs, "containerd", "--config", s.file("containerd.toml"))
	if err != nil {
		return nil, err
	}
	ctr := slices.Clip([]string{"-a", "/run/containerd/containerd.sock", "-n", "k8s.io"})
	answers := func(ctx context.Context) error {
		_, err := run(ctx, "ctr", append(ctr, "version")...)
		return err
	}
	if err := Within(ctx, 30*time.Second, answers, containerd); err != nil {
		return nil, err
	}
	for _, image := range s.Images {
		if _, err := run(ctx, "ctr", append(ctr, "images", "import", image.Archive)...); err != nil {
			return nil, err
		}
		if len(image.Tags) > 0 {
			if _, err := run(ctx, "ctr", append(append(ctr, "images", "tag", image.Name), image.Tags...)...); err != nil {
				return nil, err
			}
		}
	}
	kubelet, err := start(s.Name+"-kubelet", s.Logs, filepath.Join(s.Bin, "kubelet"),
		"--config="+s.file("kubelet.yaml"), "--kubeconfig="+s.file("kubelet.conf"), "--hostname-override="+s.Name, "--node-ip="+s.IP, "--v=2")
	if err != nil {
		return nil, err
	}
	proxy, err := start(s.Name+"-kube-proxy", s.Logs, filepath.Join(s.Bin, "kube-proxy"),
		"--kubeconfig="+s.file("proxy.conf"), "--proxy-mode=iptables", "--cluster-cidr="+PodCIDR, "--hostname-override="+s.Name, "--bind-address="+s.IP,
		// A namespace may not change the kernel's limits of connection tracking.
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0")
	return []*Process{containerd, kubelet, proxy}, err
}

func (s spec) file(name string) string { return filepath.Join(s.Dir, name) }
