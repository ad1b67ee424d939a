// Package cluster runs a real Kubernetes on this machine: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler as processes, and nodes of containerd,
// kubelet and kube-proxy, each in namespaces of its own.
//
// # Who owns what
//
// The caller must be the first process of a PID, a network and a mount namespace
// (e2e's main starts itself so). The kernel then is the teardown: when that process
// ends, for whatever reason, every process, mount, interface and iptables rule of
// the cluster ends with it. What a namespace does not hold, control groups and a
// few sysctls, is [Leftovers]' to put back, from outside.
//
// A node is a PID, network and mount namespace inside: its first process (the same
// program, by [RunNode]) starts the node's daemons, so that killing it is a power
// cut. Its /run, /var/lib and /var/log are its own: nothing lands on the host's.
//
// # The network
//
//	10.250.0.1         control plane, the cluster's DNS, what a test listens on
//	10.250.N.2         node N, by a veth pair from 10.250.N.1
//	10.244.N.0/24      its pods: the ptp plugin, a route a pod, as the VPC CNI does
//	10.96.0.0/16       Services, by kube-proxy's iptables; DNS is 10.96.0.10
//
// The namespace has no way out: nothing here can reach, or be reached from, any
// other machine.
package cluster
