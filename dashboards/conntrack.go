package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

const (
	noENA    = "the node's network interface has no ENA driver, or one that does not report it"
	noGrowth = "none while no table grows"
)

// Conntrack is connection tracking: the kernel's table and the instance's
// allowance, by node and by owner.
func Conntrack() p.Dashboard {
	return page("vigie-conntrack", "Conntrack and ENA headroom",
		"How long until a node refuses new connections, on which wall, and whose connections they are.",
		[]p.Row{
			{Panels: []p.Panel{conntrackLeft(7, 7), conntrackFull(7, 7), conntrackLosing(5, 7), nearestWall(5, 7)}},
			{Title: "The kernel's table", Panels: []p.Panel{conntrackUse(12, 8), conntrackGrowth(12, 8), conntrackStates(8, 7), conntrackLoss(8, 7), conntrackInserts(8, 7)}},
			{Title: "The instance's allowances (ENA)", Panels: []p.Panel{enaAvailable(12, 7), enaExceeded(12, 7)}},
			{Title: "Whose connections", Panels: []p.Panel{owners(8, 8, "receive"), owners(8, 8, "transmit"), halfOpen(8, 8)}},
			{Title: "What it costs to know", Panels: []p.Panel{readCost(12, 6), readEntries(12, 6)}},
		}, node())
}

func conntrackLeft(w, h int) p.Panel {
	q := minutesToWall(w, h)
	q.Title, q.Links = "Time until full", []p.Link{to("The node", "vigie-nodes")}
	q.Queries = []p.Query{when(now("bottomk(8, "+fresh(metrics.ConntrackTimeToExhaustion, ofNode)+")", "{{instance}} {{vigie_conntrack_wall}}"), noGrowth)}
	return q
}

func conntrackFull(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Table in use", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Decimals: p.P(0), Thresholds: bad(0.8, 0.9),
		Description: "Share of the kernel's table that is in use. Over 95 % the kernel evicts connections that are not answered yet, before the table is full.",
		Queries:     []p.Query{now(top(8, sel(metrics.ConntrackUtilization, ofNode)), "{{instance}}")}}
}

func conntrackLosing(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Lost in 5 min", W: w, H: h, Unit: "short", Decimals: p.P(0), Thresholds: bad(1, 1),
		Description: "Packets and connections that were dropped for want of a place in the kernel's table, in five minutes. Anything but 0: viewers are turned away; raise nf_conntrack_max now.",
		Queries: []p.Query{ask(sum("", increase("5m", metrics.ConntrackPacketDropped, ofNode))+" + "+
			sum("", increase("5m", metrics.ConntrackEarlyDropped, ofNode)), "lost")}}
}

func nearestWall(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Nearest wall", W: w, H: h, Background: true, Thresholds: plain(p.Blue),
		Description: "For how many nodes which wall comes first. kernel: raise nf_conntrack_max. ena: only a larger instance, or fewer connections on it, helps.",
		Queries:     []p.Query{now(sum(metrics.Wall, fresh(metrics.ConntrackWallNearest, ofNode)), "{{vigie_conntrack_wall}}")}}
}

func conntrackUse(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Entries against the limit", W: w, H: h, Unit: "short", Fill: 8,
		Description: "Entries in each node's table, and the lowest limit among the nodes. Raise the limit (nf_conntrack_max; 320 bytes an entry) before the line reaches it.",
		Queries: []p.Query{
			ask(top(10, sel(metrics.ConntrackUsage, ofNode)), "{{instance}}"),
			ask(over("min", "", sel(metrics.ConntrackLimit, ofNode)), "lowest limit"),
		},
		Styles: []p.Style{{Match: "lowest limit", Color: p.Vermillion, Dashed: true}}}
}

func conntrackGrowth(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Growth", W: w, H: h, Unit: "cps", Fill: 8, NoValue: "nothing grows",
		Description: "Entries a second by which each wall comes nearer. A kick-off bends down after minutes; a flood does not.",
		Queries:     []p.Query{when(ask(top(10, fresh(metrics.ConntrackGrowth, ofNode)), "{{instance}} {{vigie_conntrack_wall}}"), noGrowth)}}
}

func conntrackStates(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Entries by state", W: w, H: h, Unit: "short", Stack: true,
		Description: "What the tables hold, from the last full reading. Mostly time_wait: clients that open a connection for each request. Mostly syn_recv or syn_sent: a flood, or a backend that does not answer.",
		Queries:     []p.Query{ask(sum(metrics.Transport+", "+metrics.FlowState, sel(metrics.ConntrackEntries, ofNode)), "{{network_transport}} {{network_connection_state}}")}}
}

func conntrackLoss(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Dropped and evicted", W: w, H: h, Unit: "cps", Fill: 20,
		Description: "Packets dropped because the table was full, and unanswered connections evicted to make room. Both are viewers who could not get in.",
		Queries: []p.Query{
			ask(sum(metrics.Instance, rate(metrics.ConntrackPacketDropped, ofNode)), "{{instance}} dropped"),
			ask(sum(metrics.Instance, rate(metrics.ConntrackEarlyDropped, ofNode)), "{{instance}} evicted"),
		}}
}

func conntrackInserts(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Inserts that failed", W: w, H: h, Unit: "cps", Fill: 20,
		Description: "Entries that clashed with one that was there, mostly two DNS queries from one socket at once. Steady and low is ordinary; a rise comes with slow name look-ups: use a node-local DNS cache.",
		Queries:     []p.Query{ask(sum(metrics.Instance, rate(metrics.ConntrackInsertFailed, ofNode)), "{{instance}}")}}
}

func enaAvailable(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Tracked connections left", W: w, H: h, Unit: "short", Fill: 8,
		Description: "Connections that the instance may still track. The limit is the instance type's and is not published: only a larger type has more. At 0, new connections are dropped outside of the node, where no log sees them.",
		Queries:     []p.Query{when(ask(over("min", metrics.Instance, sel(metrics.ENAConntrackAvailable, ofNode)), "{{instance}}"), noENA)}}
}

func enaExceeded(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Packets over an allowance", W: w, H: h, Unit: "pps", Fill: 20,
		Description: "Packets that were queued or dropped because the instance exceeded its bandwidth (bw_in, bw_out), packet rate (pps), connections (conntrack) or link-local services such as DNS (linklocal).",
		Queries:     []p.Query{when(ask(top(8, sum(metrics.Instance+", "+metrics.Allowance, rate(metrics.ENAAllowanceExceeded, ofNode))), "{{instance}} {{aws_ena_allowance}}"), noENA)}}
}

func owners(w, h int, side string) p.Panel {
	q := p.Panel{Kind: p.Bars, Title: "Who is connected to", W: w, H: h, Unit: "short", Thresholds: plain(p.Sky),
		Description: "Which of our addresses have the most connections: pods and services as targets. other is the rest.",
		Queries:     []p.Query{now(top(10, sum(metrics.Owner, sel(metrics.ConntrackOwnerEntries, ofNode, is(metrics.OwnerSide, side)))), "{{vigie_conntrack_owner}}")}}
	if side == "transmit" {
		q.Title, q.Description = "Who opens connections", "Which of our pods hold the most connections that they opened themselves. One that leaks them fills the node's table alone: restart it, then give it a connection pool."
	}
	return q
}

func readCost(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "CPU for reading the table", W: w, H: h, Unit: "percentunit", Fill: 8,
		Description: "Share of one processor that reading the table takes, by reading. The full reading keeps to its budget of 1 % by coming less often.",
		Queries:     []p.Query{ask(over("max", metrics.ConntrackIn, rate(metrics.ConntrackReadCPU, ofNode)), "{{vigie_conntrack_tier}}")}}
}

func readEntries(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Entries read a second", W: w, H: h, Unit: "ops", Fill: 8,
		Description: "How much of the tables is read, by reading. None for a full reading means that the agent lacks CAP_NET_ADMIN: who owns connections is then unknown.",
		Queries:     []p.Query{ask(sum(metrics.ConntrackIn, rate(metrics.ConntrackReadEntries, ofNode)), "{{vigie_conntrack_tier}}")}}
}
