package proof

import (
	"fmt"
	"math"
	"strings"
	"sync"
)

// cluster is a small model cluster: four nodes, of which one comes during the
// event, and some twenty pods. It is moved on by the replayed demand, so that its
// processors, memory, network and replicas have a reason for what they do.
type cluster struct {
	Nodes []*node
	Pods  []*pod
	HPAs  []*hpa

	mu sync.Mutex // held by step, and by whoever reads a node in a goroutine of its own

	t      float64 // s since the beginning
	people float64 // requests/s of people, smoothed
	attack float64 // requests/s of attackers, smoothed

	API, Writes, DNS, Errors, Slow float64 // counters of requests
}

type node struct {
	Name, IP, Zone string
	From           float64 // s at which it came
	Up             bool

	Busy                    float64 // share of its 4 processors
	CPU                     map[string]float64
	Memory                  float64 // bytes that can't be had any more
	Rx, Tx, Packets, Lost   float64
	Reads, Writes, DiskTime float64
	Faults                  float64
	Entries                 float64 // of its connection table
	Settled, HalfOpen       float64 // of these
	ENALeft, ENAOver        float64
	Pods                    int
	Programmed              float64 // service rules, counter
}

type pod struct {
	Namespace, Name, UID, Node, IP, Container, Image string
	Kind, Owner, Deployment                          string
	From                                             float64
	Phase                                            string
	Waiting                                          string
	CPURequest, CPULimit, MemoryRequest, MemoryLimit float64

	weight                      float64 // cores a request a second
	base                        float64 // cores
	Rate                        float64 // cores now
	CPU, Periods, Throttled     float64
	ThrottledSeconds            float64
	Memory                      float64
	Rx, Tx, RxDropped, FSR, FSW float64
	Restarts, OOMs              float64
}

type hpa struct {
	Namespace, Name   string
	Min, Max, Current int
	Desired           int
}

// Limited reports whether it would go further than it may.
func (h *hpa) Limited() bool { return h.Desired >= h.Max }

// Ready is where the pod gets traffic.
func (p *pod) Ready() bool { return p.Phase == "Running" && p.Waiting == "" }

const (
	gib         = 1 << 30
	tableLimit  = 131072
	nodeMemory  = 16 * gib
	nodeCPUs    = 4
	podsPerNode = 29
)

func newCluster() *cluster {
	c := &cluster{}
	for i, from := range []float64{0, 0, 0, 300} {
		c.Nodes = append(c.Nodes, &node{
			Name: fmt.Sprintf("ip-10-0-%d-%d.eu-south-1.compute.internal", 16*(i%3+1), 37+41*i), IP: fmt.Sprintf("10.0.%d.%d", 16*(i%3+1), 37+41*i),
			Zone: "eu-south-1" + string(rune('a'+i%3)), From: from, CPU: map[string]float64{}, Settled: 18000 + 2000*float64(i%3), ENALeft: 310000,
		})
	}
	add := func(namespace, deployment, image string, replicas int, base, weight, request, limit, memory float64) {
		for i := range replicas {
			c.addPod(namespace, deployment, image, i, base, weight, request, limit, memory)
		}
	}
	add("ingress", "ingress-nginx", "registry.k8s.io/ingress-nginx/controller:v1.13.3", 3, 0.05, 0.0001, 0.5, 2, 0.5*gib)
	add("live", "api", "registry.example/live/api:5.12.1", 4, 0.05, 0.00022, 0.5, 1, 1*gib)
	add("live", "player-web", "registry.example/live/player-web:3.4.0", 3, 0.03, 0.00008, 0.25, 1, 0.5*gib)
	add("live", "signin", "registry.example/live/signin:2.9.7", 3, 0.04, 0.00018, 0.25, 0.5, 0.5*gib)
	add("live", "session-cache", "registry.example/live/session-cache:1.2.0", 2, 0.06, 0.00004, 0.25, 1, 2*gib)
	add("kube-system", "coredns", "602401143452.dkr.ecr.eu-south-1.amazonaws.com/eks/coredns:v1.12.4", 2, 0.02, 0.00001, 0.1, 0, 0.16*gib)
	add("vigie", "vigie-gateway", "ghcr.io/vigie-otel/vigie:0.1.0", 1, 0.05, 0.00001, 0.25, 1, 1*gib)
	for i := range c.Nodes {
		p := c.addPod("vigie", "vigie-agent", "ghcr.io/vigie-otel/vigie:0.1.0", i, 0.03, 0.000005, 0.1, 0.5, 0.4*gib)
		p.Kind, p.Owner, p.Node, p.From = "DaemonSet", "vigie-agent", c.Nodes[i].Name, c.Nodes[i].From
	}
	broken := c.addPod("live", "ads", "registry.example/live/ads:0.9.0-rc1", 0, 0.01, 0, 0.1, 0.2, 0.25*gib)
	broken.Waiting = "CrashLoopBackOff"
	c.HPAs = []*hpa{{"live", "api", 4, 12, 4, 4}, {"live", "signin", 3, 6, 3, 3}, {"live", "player-web", 3, 10, 3, 3}}
	return c
}

func (c *cluster) addPod(namespace, deployment, image string, i int, base, weight, request, limit, memory float64) *pod {
	n := c.Nodes[(len(c.Pods))%3]
	hash := fmt.Sprintf("%x", fnv(deployment))[:8]
	p := &pod{
		Namespace: namespace, Deployment: deployment, Image: image, Container: deployment, Node: n.Name,
		Kind: "ReplicaSet", Owner: deployment + "-" + hash, Name: fmt.Sprintf("%s-%s-%s", deployment, hash, letters(fnv(deployment)+uint32(i)*7919)),
		UID: fmt.Sprintf("6f1c%04x-2b7e-4d1a-9c55-%012x", i, fnv(deployment)), IP: fmt.Sprintf("10.0.%d.%d", 16*(len(c.Pods)%3+1), 60+len(c.Pods)),
		Phase: "Running", CPURequest: request, CPULimit: limit, MemoryRequest: memory / 2, MemoryLimit: memory, base: base, weight: weight, Memory: memory * 0.35,
	}
	c.Pods = append(c.Pods, p)
	return p
}

func fnv(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

func letters(x uint32) string {
	const set = "bcdfghjklmnpqrstvwxz2456789"
	var b strings.Builder
	for range 5 {
		b.WriteByte(set[x%uint32(len(set))])
		x = x/uint32(len(set)) ^ x<<3
	}
	return b.String()
}

// scale makes the replayed sample of requests as large as a real site's.
const scale = 20

// step moves the cluster on by one second in which so many requests came.
func (c *cluster) step(people, attack float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t++
	if c.t == 1 {
		c.people = people * scale
	}
	c.people += (people*scale - c.people) / 15
	c.attack += (attack*scale - c.attack) / 8
	demand := c.people + c.attack
	for _, h := range c.HPAs {
		c.autoscale(h, demand)
	}
	c.API += 42 + 0.002*demand
	c.Writes += 9
	c.DNS += 0.35 * demand
	c.Errors += 0.02
	for _, p := range c.Pods {
		p.Phase = "Running"
		if p.From > c.t {
			p.Phase = ""
		} else if c.t < p.From+20 && p.From > 0 {
			p.Phase = "Pending"
		}
		c.work(p, demand)
	}
	for i, n := range c.Nodes {
		if n.Up = c.t >= n.From; n.Up {
			c.run(n, i, demand)
		}
	}
}

func (c *cluster) autoscale(h *hpa, demand float64) {
	per := map[string]float64{"api": 2400, "signin": 1400, "player-web": 2600}[h.Name]
	h.Desired = min(max(h.Min, int(math.Ceil(demand/per))), h.Max)
	if int(c.t)%30 != 0 || h.Current >= h.Desired {
		return
	}
	h.Current++
	for _, p := range c.Pods {
		if p.Deployment == h.Name {
			q := *p
			n := c.addPod(q.Namespace, q.Deployment, q.Image, h.Current, q.base, q.weight, q.CPURequest, q.CPULimit, q.MemoryLimit)
			n.From = c.t
			if last := c.Nodes[len(c.Nodes)-1]; last.Up {
				n.Node = last.Name // it was made for them
			}
			break
		}
	}
}

func (c *cluster) replicas(deployment string) (n float64) {
	for _, p := range c.Pods {
		if p.Deployment == deployment && p.Ready() {
			n++
		}
	}
	return max(n, 1)
}

func (c *cluster) work(p *pod, demand float64) {
	if p.Phase != "Running" {
		return
	}
	if p.Waiting != "" {
		if int(c.t)%120 == 60 {
			p.Restarts++
			p.OOMs++
		}
		return
	}
	share := demand / c.replicas(p.Deployment)
	want := p.base + p.weight*share*(1+0.1*math.Sin(c.t/17+float64(fnv(p.Name)%7)))
	p.Rate = want
	p.Periods += 10
	if p.CPULimit > 0 {
		p.Rate = min(want, p.CPULimit)
		over := max(0, min(1, want/p.CPULimit-0.65))
		p.Throttled += 10 * over
		p.ThrottledSeconds += over * 0.4
	}
	p.CPU += p.Rate
	target := p.MemoryLimit * 0.4
	if p.CPULimit > 0 {
		target = p.MemoryLimit * (0.3 + 0.55*p.Rate/p.CPULimit)
	}
	p.Memory += (target - p.Memory) / 60
	p.Rx += share * p.weight * 4e6
	p.Tx += share * p.weight * 2.4e7
	if over := p.Rate - 0.9*p.CPULimit; p.CPULimit > 0 && over > 0 {
		p.RxDropped += 3 * over
	}
	p.FSW += 4000 + share*40
	p.FSR += 900
}

func (c *cluster) run(n *node, i int, demand float64) {
	cores := 0.25
	n.Pods = 0
	for _, p := range c.Pods {
		if p.Node == n.Name && p.Phase == "Running" {
			cores += p.Rate
			n.Pods++
		}
	}
	n.Busy = min(0.97, cores/nodeCPUs)
	busy := n.Busy * nodeCPUs
	for state, share := range map[string]float64{"user": 0.62, "system": 0.2, "softirq": 0.12, "wait": 0.03, "interrupt": 0, "nice": 0, "steal": 0.03} {
		n.CPU[state] += busy * share
	}
	n.CPU["idle"] += nodeCPUs - busy
	n.Memory = nodeMemory * (0.31 + 0.04*float64(i) + demand/60000)
	n.Rx += demand * 700
	n.Tx += demand * 3900
	n.Packets += demand * 9
	n.Lost += max(0, demand-14000) / 900
	n.Reads += 300e3
	n.Writes += 1.1e6 + demand*160
	n.DiskTime += min(0.9, 0.05+demand/60000)
	n.Faults += 0.4
	c.connections(n, i)
	n.Programmed += 0.3
}

// connections: people come and go, so their entries level out; an attack's
// half-open ones only pile up, and most of them reach one node.
func (c *cluster) connections(n *node, i int) {
	share := []float64{1.5, 0.9, 0.8, 0.6}[i]
	level := 14000 + c.people*3.2*share
	n.Settled += (level - n.Settled) / 120
	n.HalfOpen += c.attack * 0.011 * share
	n.Entries = n.Settled + n.HalfOpen
	n.ENALeft = max(0, 330000-2.1*n.Entries)
	n.ENAOver += max(0, c.people+c.attack-16000) / 400
}
