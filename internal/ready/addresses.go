package ready

import (
	"fmt"
	"slices"
)

// What a new node takes of a subnet beside its pods, where the VPC CNI's settings
// don't say: its own address and one warm interface.
const (
	warmInterface = 15
	perPrefix     = 16 // addresses of a /28, which prefix delegation hands out whole
)

// addresses judges whether the pods that are to come get one each.
func (in *Inputs) addresses(h *whole) Finding {
	c := &in.Cluster
	f := Finding{Check: CheckAddresses, Subject: "cluster", Status: OK}
	pods := int64(0)
	for _, b := range h.wanted {
		if !b.w.HostNetwork {
			pods += b.count
		}
	}
	if g, ok := c.gap(SourceDeployments, SourceNodes, SourcePods); ok {
		f.Status, f.Why, f.Do = Unknown, g.Why, g.Do
		return f
	}
	f.Number = number(float64(pods), "{address}", Measured, "one for each pod that is to come")
	switch {
	case c.CNI.IPv6:
		f.Why = "IPv6: each node has a prefix of its own, which does not run out"
		return f
	case c.cidrs():
		return in.nodeRanges(f, h, pods)
	case pods == 0 && h.room.nodes() == 0:
		f.Why = "no pod is to come"
		return f
	}
	if g, ok := c.gap(SourceCNI); ok {
		f.Status, f.Why, f.Do = Unknown, g.Why, g.Do
		return f
	}
	if g, ok := c.gap(SourceSubnets); ok {
		f.Status, f.Why, f.Do = Unknown, fmt.Sprintf("%s are needed; %s", f.Number, g.Why), g.Do
		return f
	}
	if len(c.Subnets) == 0 {
		f.Status = Unknown
		f.Why = fmt.Sprintf("%s are needed; which subnets pods get theirs of is not seen", f.Number)
		f.Do = "look at the subnets' free addresses in the VPC console"
		return f
	}
	return in.subnets(f, h, pods)
}

func (in *Inputs) subnets(f Finding, h *whole, pods int64) Finding {
	c := &in.Cluster
	each, how := int64(1+warmInterface), "a new node takes 16: its own and one warm interface (WARM_ENI_TARGET=1)"
	switch {
	case c.CNI.Prefixes:
		each, how = 1+2*perPrefix, "a new node takes its own and two prefixes of 16 of which not all are used"
	case c.CNI.WarmIPs > 0:
		each, how = int64(1+c.CNI.WarmIPs), fmt.Sprintf("a new node takes its own and WARM_IP_TARGET=%d", c.CNI.WarmIPs)
	}
	need := pods + h.room.nodes()*each
	free := int64(0)
	least := c.Subnets[0]
	for _, s := range c.Subnets {
		free += s.Free
		if s.Free < least.Free {
			least = s
		}
	}
	f.Number = number(float64(need), "{address}", Measured, "%s and %s; %s", some(int(pods), "pod"), some(int(h.room.nodes()), "new node"), how)
	f.Limit = number(float64(free), "{address}", Read, "ec2:DescribeSubnets, %s", some(len(c.Subnets), "subnet"))
	f.Why = fmt.Sprintf("%s are needed, %s free in %s", f.Number, short(float64(free)), some(len(c.Subnets), "subnet"))
	share := need / int64(len(c.Subnets))
	switch {
	case need > free:
		f.Status = assumed(Fail, h.assumed)
		f.Do = "add subnets (100.64.0.0/10 with custom networking), or delegate prefixes; moves take a new node each"
	case least.Free < share:
		f.Status = Warn
		f.Why += fmt.Sprintf("; %s in %s has only %s", least.ID, least.Zone, short(float64(least.Free)))
		f.Do = "a zone without addresses takes no pods: let the topology spread be ScheduleAnyway, or add a subnet there"
	case float64(need) > 0.8*float64(free):
		f.Status = Warn
		f.Do = "less than a fifth is to spare"
	default:
		f.Status = assumed(OK, h.assumed)
	}
	if c.CNI.Prefixes && f.Status != Fail {
		f.Why += "; prefixes need 16 in a row, and how fragmented the subnets are is not told"
	}
	return f
}

// cidrs is whether nodes have pod ranges of their own, as without a VPC CNI.
func (c *Cluster) cidrs() bool {
	return !c.CNI.Found && slices.ContainsFunc(c.Nodes, func(n Node) bool { return n.PodCIDR.IsValid() })
}

// nodeRanges judges ranges of nodes: what a node may hold is in its allocatable
// pods already, so only a range smaller than that can be short.
func (in *Inputs) nodeRanges(f Finding, h *whole, pods int64) Finding {
	short := []string{}
	for i := range in.Cluster.Nodes {
		n := &in.Cluster.Nodes[i]
		if bits := n.PodCIDR.Addr().BitLen() - n.PodCIDR.Bits(); n.PodCIDR.IsValid() && bits < 16 && int64(1)<<bits-2 < n.Allocatable.Pods {
			short = append(short, n.Name)
		}
	}
	f.Number = number(float64(pods), "{address}", Measured, "one for each pod that is to come")
	f.Why = fmt.Sprintf("each node has a range of its own; with room for %s", some(int(h.room.onNodes), "pod"))
	if len(short) > 0 {
		f.Status = Warn
		f.Why = fmt.Sprintf("the range of %s is smaller than the pods that it may hold", list(short, 3))
		f.Do = "a larger node-cidr-mask-size needs new nodes"
	}
	return f
}
