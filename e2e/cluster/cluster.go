//go:build linux

package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// Addresses of the cluster; see the package's documentation.
const (
	ControlIP   = "10.250.0.1"
	ServiceCIDR = "10.96.0.0/16"
	PodCIDR     = "10.244.0.0/16"
	DNSIP       = "10.96.0.10"
	// Pause is the image of a pod's sandbox: the workload image, which waits when
	// it is told nothing.
	Pause = "e2e.local/workload:1"
)

// Config is what a cluster is made of.
type Config struct {
	Dir     string // its state; absolute, and made anew
	Kubebox string // the binary of e2e/kubebox
	Images  []Image
}

// Cluster is a running Kubernetes.
type Cluster struct {
	Config
	Kubeconfig string // the administrator's
	API        *Process
	Client     kubernetes.Interface
	Audit      *Audit
	others     []*Process
	pki        *pki
	nodes      map[int]*Node
}

// programs are the names that kubebox answers to.
var programs = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"}

// Start makes the control plane and waits until its controllers work.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	c := &Cluster{Config: config, nodes: map[int]*Node{}, Kubeconfig: filepath.Join(config.Dir, "admin.conf")}
	for _, dir := range []string{c.logs(), c.bin()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	for _, name := range programs {
		if err := os.Symlink(c.Kubebox, c.Program(name)); err != nil {
			return nil, err
		}
	}
	if err := steps(ctx, "ip link set lo up", "ip addr add "+ControlIP+"/32 dev lo"); err != nil {
		return nil, err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return nil, err
	}
	if err := c.identities(); err != nil {
		return nil, err
	}
	if err := c.controlPlane(ctx); err != nil {
		return nil, err
	}
	return c, c.serveDNS(ctx)
}

func (c *Cluster) logs() string { return filepath.Join(c.Dir, "logs") }
func (c *Cluster) bin() string  { return filepath.Join(c.Dir, "bin") }

// Program is the path of one of kubebox' names.
func (c *Cluster) Program(name string) string { return filepath.Join(c.bin(), name) }

// identities signs who takes part and writes the administrator's client.
func (c *Cluster) identities() error {
	var err error
	if c.pki, err = newPKI(filepath.Join(c.Dir, "pki")); err != nil {
		return err
	}
	masters := []string{"system:masters"}
	for _, id := range []struct {
		file, name string
		groups     []string
		hosts      []string
	}{
		{"apiserver", "kube-apiserver", nil, []string{"127.0.0.1", ControlIP, "10.96.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		{"apiserver-kubelet", "kube-apiserver-kubelet-client", masters, nil},
		{"admin", "admin", masters, nil},
		{"controllers", "system:kube-controller-manager", nil, nil},
		{"scheduler", "system:kube-scheduler", nil, nil},
		{"proxy", "system:kube-proxy", nil, nil},
	} {
		if err := c.pki.issue(id.file, id.name, id.groups, id.hosts...); err != nil {
			return err
		}
		if err := c.pki.kubeconfig(filepath.Join(c.Dir, id.file+".conf"), id.file); err != nil {
			return err
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 100, 200
	c.Client, err = kubernetes.NewForConfig(config)
	return err
}

// controlPlane starts its four parts, each when what it needs is ready.
func (c *Cluster) controlPlane(ctx context.Context) error {
	c.Audit = &Audit{path: filepath.Join(c.Dir, "audit.log")}
	if err := os.WriteFile(filepath.Join(c.Dir, "audit.yaml"), []byte(auditPolicy), 0o644); err != nil {
		return err
	}
	etcd, err := c.start("etcd", "--data-dir", filepath.Join(c.Dir, "etcd"), "--unsafe-no-fsync", "--log-level", "warn",
		"--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
		"--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380", "--initial-cluster", "default=http://127.0.0.1:2380")
	if err != nil {
		return err
	}
	if c.API, err = c.start("kube-apiserver", c.apiFlags()...); err != nil {
		return err
	}
	ready := func(ctx context.Context) error {
		return c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}
	if err := Within(ctx, 2*time.Minute, ready, etcd, c.API); err != nil {
		return fmt.Errorf("the API server is not ready: %w", err)
	}
	conf := func(name string) []string {
		path := filepath.Join(c.Dir, name+".conf")
		return []string{"--kubeconfig=" + path, "--authentication-kubeconfig=" + path, "--authorization-kubeconfig=" + path, "--leader-elect=false", "--bind-address=127.0.0.1"}
	}
	controllers, err := c.start("kube-controller-manager", append(conf("controllers"),
		"--service-account-private-key-file="+c.pki.path("tokens.key"), "--root-ca-file="+c.pki.path("ca.crt"), "--use-service-account-credentials=true",
		"--cluster-signing-cert-file="+c.pki.path("ca.crt"), "--cluster-signing-key-file="+c.pki.path("ca.key"), "--allocate-node-cidrs=false",
		"--node-monitor-grace-period=20s")...)
	if err != nil {
		return err
	}
	scheduler, err := c.start("kube-scheduler", conf("scheduler")...)
	if err != nil {
		return err
	}
	c.others = []*Process{etcd, controllers, scheduler}
	working := func(ctx context.Context) error {
		_, err := c.Client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	}
	return Within(ctx, time.Minute, working, controllers, scheduler)
}

// start runs one of kubebox' programs.
func (c *Cluster) start(name string, args ...string) (*Process, error) {
	return start(name, c.logs(), c.Program(name), args...)
}

func (c *Cluster) apiFlags() []string {
	return []string{
		"--etcd-servers=http://127.0.0.1:2379", "--bind-address=0.0.0.0", "--secure-port=6443", "--advertise-address=" + ControlIP,
		"--service-cluster-ip-range=" + ServiceCIDR, "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		"--client-ca-file=" + c.pki.path("ca.crt"), "--tls-cert-file=" + c.pki.path("apiserver.crt"), "--tls-private-key-file=" + c.pki.path("apiserver.key"),
		"--kubelet-certificate-authority=" + c.pki.path("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate=" + c.pki.path("apiserver-kubelet.crt"), "--kubelet-client-key=" + c.pki.path("apiserver-kubelet.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.pki.path("tokens.pub"), "--service-account-signing-key-file=" + c.pki.path("tokens.key"),
		"--audit-policy-file=" + filepath.Join(c.Dir, "audit.yaml"), "--audit-log-path=" + c.Audit.path,
	}
}

// Kubectl runs kubectl as the administrator, with what it reads from standard input.
func (c *Cluster) Kubectl(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	return c.as(ctx, in, c.Program("kubectl"), args...)
}
