package replay

// The dimensions of an attack's style, each drawn by seed where the scenario
// leaves it open.
var (
	targets       = []string{"one", "few", "search", "random", "mimic", "post", "asset"}
	agentStyles   = []string{"one", "few", "rotate", "real", "tool", "none"}
	addressStyles = []string{"botnet", "datacenter", "proxies", "few", "ipv6"}
	timings       = []string{"even", "random", "bursts"}
	responses     = []string{"ok", "overload", "blocked"}
)

// kit is what attackers of a class usually come with.
type kit struct {
	targets, agents, addresses, timings, responses []string
	low, up                                        float64 // clients
}

var kits = map[Class]kit{
	ClassHTTPFlood: {
		targets: []string{"one", "one", "few", "search", "random", "post", "asset"}, agents: agentStyles,
		addresses: addressStyles, timings: timings, responses: responses, low: 50, up: 5000,
	},
	ClassDistributedFlood: {
		targets: []string{"one", "few", "search", "mimic", "mimic", "random"}, agents: []string{"real", "real", "rotate", "few"},
		addresses: []string{"botnet", "botnet", "proxies"}, timings: timings, responses: []string{"ok", "ok", "overload"}, low: 10_000, up: 100_000,
	},
	ClassCacheBusting: {
		targets: []string{"one", "few", "asset", "mimic"}, agents: agentStyles,
		addresses: addressStyles, timings: timings, responses: []string{"ok", "overload"}, low: 20, up: 3000,
	},
	ClassCredentialStuffing: {
		targets: []string{"post"}, agents: []string{"one", "few", "rotate", "real", "tool"},
		addresses: []string{"botnet", "datacenter", "proxies", "proxies"}, timings: timings, responses: []string{"ok", "ok", "blocked"}, low: 20, up: 2000,
	},
	ClassPathScanning: {
		targets: []string{"random"}, agents: []string{"tool", "tool", "one", "few"},
		addresses: []string{"datacenter", "few", "few", "botnet"}, timings: timings, responses: []string{"ok"}, low: 1, up: 20,
	},
	ClassSlowloris: {
		targets: []string{"one", "few", "post"}, agents: []string{"one", "few", "rotate", "real", "none"},
		addresses: []string{"botnet", "datacenter", "few"}, timings: []string{"random", "even"}, responses: []string{"ok"}, low: 30, up: 600,
	},
}

func choose(r *rng, given string, from []string) string {
	drawn := pick(r, from) // always, so that giving one key leaves the others as they were
	if given != "" {
		return given
	}
	return drawn
}

// bot is one attacking client. 24 bytes.
type bot struct {
	hi, lo uint64
	agent  uint16
}

// bots gives n clients their addresses.
func (g *Generator) bots(r *rng, style string, n int) []bot {
	nets := g.site.nets
	out := make([]bot, n)
	var blocks []network
	addBlocks := func(count int, kind netKind, low, up int) {
		for range count {
			b := network{kind: kind}
			b.base, b.mask = block(r, uint(r.intn(low, up)))
			blocks = append(blocks, b)
		}
	}
	own := 0.0 // share in the networks that the audience uses as well
	switch style {
	case "botnet":
		addBlocks(max(1, min(n, r.intn(200, 1500))), netHome, 14, 20)
		own = r.between(0.05, 0.35)
	case "datacenter":
		addBlocks(max(1, min(n, r.intn(3, 40))), netHosting, 20, 25)
	case "proxies":
		addBlocks(20, netHome, 16, 20)
		own = 0.95
	case "few":
		addBlocks(r.intn(1, 3), netHosting, 24, 27)
	case "ipv6":
		for range r.intn(1, 6) {
			blocks = append(blocks, network{kind: netHome6, base6: uint64(0x2a0e0000+r.below(0x8000)) << 32})
		}
	}
	for i := range out {
		b := &blocks[r.below(len(blocks))]
		if own > 0 && r.chance(own) {
			b = &nets.nets[nets.table[r.next()%tableSize]]
		}
		out[i].hi, out[i].lo = b.address(r.next())
	}
	return out
}

// agentSet gives the attack its user agents: the strings, and whether each
// request draws anew.
func (g *Generator) agentSet(r *rng, a *attacker, style string, scanner bool) {
	real := func() []byte {
		kind := pick(r, []deviceKind{deviceDesktop, deviceDesktop, deviceMobileWeb, deviceMobileWeb, deviceAndroid, deviceIOS})
		return g.site.agents.all[g.site.agents.draw(kind, r.next())]
	}
	switch style {
	case "one":
		one := staleAgent(r)
		if r.chance(0.5) {
			one = real()
		}
		a.agents = [][]byte{one}
	case "few":
		for range r.intn(3, 15) {
			if r.chance(0.6) {
				a.agents = append(a.agents, staleAgent(r))
			} else {
				a.agents = append(a.agents, real())
			}
		}
	case "rotate":
		a.rotate = true
		for range r.intn(200, 2000) {
			if r.chance(0.6) {
				a.agents = append(a.agents, staleAgent(r))
			} else {
				a.agents = append(a.agents, real())
			}
		}
	case "real":
		for range min(2000, max(1, len(a.bots))) {
			a.agents = append(a.agents, real())
		}
	case "tool":
		list := toolAgents
		if scanner {
			list = scannerAgents
		}
		for range r.intn(1, 2) {
			a.agents = append(a.agents, []byte(pick(r, list)))
		}
	case "none":
		a.agents = [][]byte{nil}
	}
	for i := range a.bots {
		a.bots[i].agent = uint16(r.below(len(a.agents)))
	}
}
