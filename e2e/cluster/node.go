//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Node is a running node.
type Node struct {
	Name string
	IP   string
	// Lib and Log are the node's /var/lib and /var/log as the test can read them.
	Lib, Log string
	process  *Process
	alive    io.Closer // the node's standard input
	down     []string  // commands that take its route and interface away
}

// spec is what a node's first process is told, once its interface is there.
type spec struct {
	Index         int
	Name, IP, Via string
	Pods          string // addresses of its pods
	Dir, Bin      string
	Logs          string
	PKI           string
	Images        []Image
}

// AddNode starts node number i (from 1), with empty disks, and waits until it is
// ready.
func (c *Cluster) AddNode(ctx context.Context, i int) (*Node, error) {
	name := "e2e-" + strconv.Itoa(i)
	s := spec{
		Index: i, Name: name, IP: fmt.Sprintf("10.250.%d.2", i), Via: fmt.Sprintf("10.250.%d.1", i), Pods: fmt.Sprintf("10.244.%d.0/24", i),
		Dir: filepath.Join(c.Dir, name), Bin: c.bin(), Logs: c.logs(), PKI: c.pki.dir, Images: c.Images,
	}
	if err := os.RemoveAll(s.Dir); err != nil {
		return nil, err
	}
	if err := errors.Join(
		os.MkdirAll(s.Dir, 0o755),
		c.pki.issue(name, "system:node:"+name, []string{"system:nodes"}, s.IP, "127.0.0.1", name),
		c.pki.kubeconfig(filepath.Join(s.Dir, "kubelet.conf"), name),
		c.pki.kubeconfig(filepath.Join(s.Dir, "proxy.conf"), "proxy"),
	); err != nil {
		return nil, err
	}
	n := &Node{Name: name, IP: s.IP, Lib: filepath.Join(s.Dir, "lib"), Log: filepath.Join(s.Dir, "log")}
	if err := n.boot(ctx, s); err != nil {
		return nil, errors.Join(err, n.kill(ctx))
	}
	c.nodes[i] = n
	if err := Within(ctx, 90*time.Second, func(ctx context.Context) error { return c.nodeReady(ctx, name) }, n.process); err != nil {
		return nil, fmt.Errorf("node %s is not ready: %w", name, err)
	}
	return n, nil
}

// boot starts the node's first process, gives it an interface, and tells it what to
// be.
func (n *Node) boot(ctx context.Context, s spec) error {
	cmd := exec.Command("/proc/self/exe", "node")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	n.alive = in
	n.process = &Process{Name: s.Name, Log: filepath.Join(s.Logs, s.Name+".log"), cmd: cmd, done: make(chan struct{})}
	out, err := os.OpenFile(n.process.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start node %s: %w", s.Name, err)
	}
	go func() {
		n.process.err = cmd.Wait()
		close(n.process.done)
	}()
	link := "node" + strconv.Itoa(s.Index)
	n.down = []string{"ip link del " + link}
	if err := steps(ctx,
		"ip link add "+link+" type veth peer name eth0 netns "+strconv.Itoa(cmd.Process.Pid),
		"ip addr add "+s.Via+"/24 dev "+link,
		"ip link set "+link+" up",
		"ip route replace "+s.Pods+" via "+s.IP,
	); err != nil {
		return err
	}
	return json.NewEncoder(in).Encode(s)
}

// kill cuts the node's power.
func (n *Node) kill(ctx context.Context) error {
	if n.process != nil && n.process.cmd.Process != nil {
		n.process.Kill()
	}
	if n.alive != nil {
		_ = n.alive.Close()
	}
	// The interface may be gone with the namespace already.
	if err := steps(context.WithoutCancel(ctx), n.down...); err != nil && !strings.Contains(err.Error(), "Cannot find device") {
		return err
	}
	return nil
}

// Remove cuts a node's power and takes it out of the cluster, as an autoscaler does
// with an instance that was reclaimed.
func (c *Cluster) Remove(ctx context.Context, i int) error {
	n := c.nodes[i]
	if err := n.kill(ctx); err != nil {
		return err
	}
	delete(c.nodes, i)
	if err := removeGroups(groupRoot(i)); err != nil {
		return err
	}
	if err := c.Client.CoreV1().Nodes().Delete(ctx, n.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	// Nobody is left who could confirm that its pods have ended.
	pods, err := c.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + n.Name})
	if err != nil {
		return err
	}
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	for _, p := range pods.Items {
		if err := c.Client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, now); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// nodeReady says why a node is not ready.
func (c *Cluster) nodeReady(ctx context.Context, name string) error {
	n, err := c.Client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return errors.New(condition.Message)
		}
	}
	return errors.New("it has not said how it is")
}

// Node is node number i, nil where it is not there.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }
