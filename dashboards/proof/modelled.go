package proof

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/dashboards/metrics"
)

// table is what the conntrack and ena receivers would say of a node.
func (n *node) table(i int, c *cluster, begin time.Time) pmetric.Metrics {
	e := emit(metrics.JobHost, n.Name, begin, time.Now())
	e.md.ResourceMetrics().At(0).Resource().Attributes().PutStr("host.name", n.Name)
	e.put(metrics.ConntrackUsage, n.Entries)
	e.put(metrics.ConntrackLimit, tableLimit)
	e.put(metrics.ConntrackPacketDropped, 0)
	e.put(metrics.ConntrackEarlyDropped, 0)
	e.put(metrics.ConntrackInsertFailed, c.t*0.4*float64(i+1))
	half := 30 + n.HalfOpen
	for state, share := range map[string]float64{"established": 0.42, "time_wait": 0.4, "close_wait": 0.02} {
		e.put(metrics.ConntrackEntries, (n.Entries-half)*share, "network_transport", "tcp", "network_type", "ipv4", "network_connection_state", state)
	}
	e.put(metrics.ConntrackEntries, half, "network_transport", "tcp", "network_type", "ipv4", "network_connection_state", "syn_recv")
	e.put(metrics.ConntrackEntries, (n.Entries-half)*0.16, "network_transport", "udp", "network_type", "ipv4", "network_connection_state", "replied")
	for j, target := range []string{"10.0.16.60:443", "10.0.32.61:443", "10.0.48.62:443", "172.20.0.10:53", "10.0.16.64:8080"} {
		share := []float64{0.3, 0.22, 0.14, 0.12, 0.05}[j]
		e.put(metrics.ConntrackOwnerEntries, n.Entries*share, metrics.Owner, target, metrics.OwnerSide, "receive")
		e.put(metrics.ConntrackHalfOpen, half*share, metrics.Owner, target, metrics.OwnerSide, "receive")
		e.put(metrics.ConntrackHalfOpenSources, 4+half*share/3, metrics.Owner, target, metrics.OwnerSide, "receive")
	}
	e.put(metrics.ConntrackOwnerEntries, n.Entries*0.17, metrics.Owner, "other", metrics.OwnerSide, "receive")
	for j, source := range []string{"10.0.16.64", "10.0.32.65", "10.0.48.70"} {
		e.put(metrics.ConntrackOwnerEntries, n.Entries*[]float64{0.09, 0.06, 0.02}[j], metrics.Owner, source, metrics.OwnerSide, "transmit")
	}
	for tier, cost := range map[string]float64{"stats": 0.0001, "half_open": 0.002, "full": 0.008} {
		e.put(metrics.ConntrackReadCPU, c.t*cost, metrics.ConntrackIn, tier)
		e.put(metrics.ConntrackReadEntries, c.t*cost*90000, metrics.ConntrackIn, tier)
	}
	e.put(metrics.ConntrackRecordsDropped, 0)
	e.put(metrics.ENAConntrackAvailable, n.ENALeft, metrics.ENAInterface, "ens5")
	for allowance, over := range map[string]float64{"bw_in": 0, "bw_out": n.ENAOver, "pps": n.ENAOver / 3, "conntrack": 0, "linklocal": c.t * 0.05} {
		e.put(metrics.ENAAllowanceExceeded, over, metrics.ENAInterface, "ens5", metrics.Allowance, allowance)
	}
	return e.md
}

// process is what only a whole collector says of itself.
func (p *pipeline) process(job, instance string, begin time.Time, cores, rss, up float64) pmetric.Metrics {
	e := emit(job, instance, begin, time.Now())
	p.cpu[instance] += cores * 10 // since the last report
	e.put(metrics.ProcessCPU, p.cpu[instance])
	e.put(metrics.ProcessRSS, rss)
	e.put(metrics.ProcessHeap, rss*0.4)
	e.put(metrics.ProcessUptime, up)
	return e.md
}

func (p *pipeline) store(begin time.Time) pmetric.Metrics {
	e := emit("vigie-gateway", "vigie-gateway-0", begin, time.Now())
	e.put(metrics.StoreSamplesAppended, p.cl.t*2900)
	for _, reason := range []string{"out_of_order", "series_limit", "duplicate_timestamp"} {
		e.put(metrics.StoreSamplesDropped, 0, "reason", reason)
	}
	e.put(metrics.StoreHeadSeries, 9100+p.cl.people/20)
	e.put(metrics.StoreDiskBytes, 61e6+p.cl.t*2900*1.6)
	e.put(metrics.StoreDiskFull, 0)
	return e.md
}

// events is what the gateway that reads the cluster's events would say.
func (p *pipeline) events(begin time.Time) pmetric.Metrics {
	e := emit("vigie-gateway", "vigie-gateway-0", begin, time.Now())
	e.put(metrics.EventsLeading, 1)
	e.put(metrics.EventsRecords, math.Floor(p.cl.t*0.4))
	for _, reason := range []string{"permanent", "vanished", "shutdown"} {
		e.put(metrics.EventsDropped, 0, "vigie_k8s_events_reason", reason)
	}
	return e.md
}

// podList is what an agent would say of its node's pods. TestTheCatalogueIsWhatComponentsOfAClusterEmit
// holds the names against the components.
func (n *node) podList(i int, begin time.Time, t float64) pmetric.Metrics {
	e := emit(agent, n.Name, begin, time.Now())
	e.put(metrics.PodListAge, 0.2+math.Mod(t+4*float64(i), 15))
	e.put(metrics.PodTargets, float64(n.Pods/4), metrics.PodTargetRule, "annotations")
	e.put(metrics.PodTargets, 1, metrics.PodTargetRule, "shop")
	for reason, pods := range map[string]float64{"port": 0, "path": 0, "scheme": 0, "no_port": 1, "address": 0, "limit": 0} {
		e.put(metrics.PodIgnored, pods, metrics.PodIgnoredReason, reason)
	}
	return e.md
}
