package ready

import (
	"fmt"
	"math"
)

// What CoreDNS is sized by where nothing else is known: the defaults of the
// cluster-proportional autoscaler, which EKS' own autoscaling of CoreDNS shares.
const (
	nodesPerDNS = 16
	coresPerDNS = 256
)

// Latency of CoreDNS, in seconds at the 99th percentile: a client's first retry is
// at 5 s, and a page needs several names.
const (
	slowDNS = 0.1
	deadDNS = 1
)

// dns judges CoreDNS.
func (in *Inputs) dns(h *whole) (out []Finding, patch *Patch) {
	c := &in.Cluster
	f := Finding{Check: CheckCoreDNS, Subject: "cluster", Status: OK}
	if g, ok := c.gap(SourceDeployments, SourceNodes); ok {
		f.Status, f.Why, f.Do = Unknown, g.Why, g.Do
		return []Finding{f, in.latency()}, nil
	}
	d := &c.DNS
	if !d.Found {
		f.Status = Unknown
		f.Why = "no Deployment with the label k8s-app=kube-dns is seen in kube-system"
		f.Do = "look at what resolves names here; --accept coredns if it is somewhere else"
		return []Finding{f, in.latency()}, nil
	}
	f.Subject = d.Namespace + "/" + d.Name
	nodes, cores := int64(len(c.Nodes)), int64(0)
	for i := range c.Nodes {
		cores += c.Nodes[i].Capacity.CPUMilli
	}
	for _, a := range h.room.added {
		cores += a.CPUMilli
	}
	nodes += h.room.nodes()
	cores /= 1000
	need := max(2, int(math.Ceil(float64(nodes)/nodesPerDNS)), int(math.Ceil(float64(cores)/coresPerDNS)))
	f.Number = number(float64(need), "{replica}", Assumed, "one for each %d nodes or %d cores, at least two, of %s and %s at the peak", nodesPerDNS, coresPerDNS, some(int(nodes), "node"), some(int(cores), "core"))
	f.Limit = number(float64(d.Ready), "{replica}", Read, "readyReplicas of Deployment %s", f.Subject)
	f.Why = fmt.Sprintf("%d ready; %d for %s and %s", d.Ready, need, some(int(nodes), "node"), some(int(cores), "core"))
	if d.Autoscaler != "" {
		f.Why += "; scaled by " + d.Autoscaler
	}
	if d.NodeLocal {
		f.Why += "; a cache on each node takes most of it"
	}
	switch {
	case d.Ready == 0:
		f.Status, f.Do = Fail, "kubectl -n kube-system get pods -l k8s-app=kube-dns"
	case d.Ready < d.Replicas:
		f.Status, f.Do = Warn, "kubectl -n kube-system get pods -l k8s-app=kube-dns"
		f.Why += fmt.Sprintf("; %d wanted", d.Replicas)
	case d.Ready < need:
		f.Status = Warn
		f.Do = fmt.Sprintf("scale it to %d; as an EKS add-on by its configuration: autoScaling.minReplicas", need)
		if d.Autoscaler == "" {
			w := Workload{Kind: "Deployment", Namespace: d.Namespace, Name: d.Name, Replicas: d.Replicas}
			patch = replicasPatch(&w, need, f.Why)
			patch.Basis = Assumed
		}
	case d.Spread == 1 && d.Ready > 1:
		f.Status, f.Do = Warn, "spread them: all are on one node, which has one allowance of 1,024 packets a second to the resolver"
	}
	return []Finding{f, in.latency()}, patch
}

func (in *Inputs) latency() Finding {
	m := &in.Metrics
	f := Finding{Check: CheckDNSLatency, Subject: "coredns", Status: OK}
	switch {
	case m.Gap != nil:
		f.Status, f.Why, f.Do = Unknown, noMetrics, "see metrics"
	case m.DNSP99 == nil:
		f.Status = Unknown
		f.Why = "coredns_dns_request_duration_seconds is not there"
		f.Do = "let the gateway scrape CoreDNS"
	default:
		p99 := *m.DNSP99
		f.Number = number(p99, "s", Measured, "99th percentile over %s at %s", minutes(m.Window), m.At.Format("15:04 MST"))
		f.Limit = number(slowDNS, "s", Assumed, "what a page does not notice")
		f.Why = fmt.Sprintf("99 of 100 answers come within %s", f.Number)
		switch {
		case p99 >= deadDNS:
			f.Status = Fail
			f.Do = "look at its CPU, its upstream (the VPC's resolver takes 1,024 packets a second of an interface) and ndots: 5"
		case p99 > slowDNS:
			f.Status = Warn
			f.Do = "more replicas, a cache on each node, and ndots: 2 or names that end in a dot"
		}
	}
	return f
}

// Services beyond which kube-proxy in iptables mode is slow: each rule is looked at
// in turn by the first packet of a connection, and a change rewrites many.
const (
	manyServices    = 1000
	tooManyServices = 5000
)

// rules judges what kube-proxy makes of the Services.
func (in *Inputs) rules() Finding {
	c := &in.Cluster
	f := Finding{Check: CheckRules, Subject: "cluster", Status: OK}
	if g, ok := c.gap(SourceServices); ok {
		f.Status, f.Why, f.Do = Unknown, g.Why, g.Do
		return f
	}
	f.Number = number(float64(c.Services), "{service}", Read, "Services in all namespaces")
	mode, how := c.ProxyMode, ""
	if !c.ProxyKnown {
		mode, how = "iptables", " (assumed: EKS' default; its ConfigMap is not seen)"
	}
	f.Why = fmt.Sprintf("%s with kube-proxy in %s mode%s", some(c.Services, "Service"), mode, how)
	if mode != "iptables" {
		return f
	}
	f.Limit = number(manyServices, "{service}", Assumed, "where iptables rules begin to cost")
	switch {
	case c.Services > tooManyServices:
		f.Status, f.Do = Warn, "nftables (from Kubernetes 1.33) or IPVS mode, on new nodes: well before the event, not for it"
		f.Why += ": rules take seconds to follow pods that come and go, and new connections wait"
	case c.Services > manyServices:
		f.Status, f.Do = Warn, "prescale, so that few pods come and go during the event"
		f.Why += ": each pod that comes or goes rewrites many rules"
	}
	return f
}
