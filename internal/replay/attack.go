package replay

import (
	"strconv"
	"time"
)

// attacker carries out one attack.
type attacker struct {
	spec  *Attack
	class Class
	rnd   rng
	style Style

	from, to int64
	rate     float64 // requests/s on average; 0 until measured
	carry    float64
	left     int // requests still due in this slot
	bots     []bot
	current  int // bot that fires
	burst    int // requests that it still makes
	skew     bool
	agents   [][]byte
	rotate   bool
	rotate64 bool // IPv6: another address of the /64 each time

	aims     []aim // what is requested
	random   []byte
	referer  []byte
	proto    string
	bust     [4]int // cache-busting: which pattern
	success  float64
	slow     int // slowloris: headers, body or read
	accounts uint64
	probes   [][]byte
}

// aim is one thing that an attack requests: a route, and one of its paths or (-1)
// any by popularity.
type aim struct {
	route uint8
	item  int
}

func (g *Generator) addAttack(spec *Attack) {
	class, _ := classOf(spec.Class, ClassHTTPFlood, classes)
	k := kits[class]
	a := &attacker{
		spec: spec, class: class, rnd: newRNG(g.options.Seed, g.scenario.Name+" attack "+spec.ID+spec.Class),
		from: int64(spec.At), to: min(g.end, int64(spec.At+spec.Duration)),
	}
	r := &a.rnd
	a.style = Style{
		Target: choose(r, spec.Target, k.targets), Agents: choose(r, spec.Agents, k.agents),
		Addresses: choose(r, spec.Addresses, k.addresses), Timing: choose(r, spec.Timing, k.timings),
		Response: choose(r, spec.Response, k.responses),
	}
	n := r.betweenLog(k.low, k.up)
	if spec.Clients > 0 {
		n = float64(spec.Clients)
	}
	if class != ClassPathScanning && g.options.Scale < 1 {
		n *= g.options.Scale // a smaller rehearsal has fewer clients, each as fast
	}
	a.bots = g.bots(r, a.style.Addresses, max(1, int(n)))
	g.agentSet(r, a, a.style.Agents, class == ClassPathScanning)
	a.rotate64 = a.style.Addresses == "ipv6" && r.chance(0.5)
	a.skew = r.chance(0.5)
	a.proto = pick(r, []string{"HTTP/1.1", "HTTP/1.1", "HTTP/2.0"})
	if r.chance(0.3) {
		a.referer = []byte(g.site.origin + "/")
	}
	a.success = r.betweenLog(0.002, 0.03)
	a.slow = r.below(3)
	for i := range a.bust {
		a.bust[i] = r.below(4)
	}
	g.aim(r, a)
	if class == ClassPathScanning {
		a.probe(r)
	}
	if spec.Collateral > 0 {
		g.outages = append(g.outages, outage{from: a.from + 2e9, to: a.to, share: spec.Collateral})
	}
	if g.options.Intensity == 0 {
		switch {
		case spec.Requests > 0:
			a.rate = spec.Requests * g.options.Scale / time.Duration(spec.Duration).Seconds()
		case spec.Rate > 0:
			a.rate = spec.Rate * g.options.Scale
		}
	}
	g.attacks = append(g.attacks, a)
	g.truth.Attacks = append(g.truth.Attacks, AttackTruth{
		ID: spec.ID, Class: class.String(), Style: a.style, Clients: len(a.bots),
		Start: g.at(a.from), End: g.at(a.to),
	})
}

// aim chooses what the attack requests.
func (g *Generator) aim(r *rng, a *attacker) {
	s := g.site
	add := func(role role, item int) {
		for _, i := range s.roles[role] {
			a.aims = append(a.aims, aim{i, item})
		}
	}
	page := func() aim {
		i := pick(r, s.roles[pick(r, []role{roleHome, rolePage, roleList, roleLive, roleAPI, roleConfig})])
		return aim{i, r.below(len(s.routes[i].paths))}
	}
	if a.class == ClassCredentialStuffing {
		add(roleSignIn, 0)
		return
	}
	switch a.style.Target {
	case "one":
		a.aims = []aim{page()}
	case "few":
		for range r.intn(3, 20) {
			a.aims = append(a.aims, page())
		}
	case "search":
		add(roleSearch, 0)
	case "asset":
		i := pick(r, append(s.roles[roleAsset], s.roles[roleImage]...))
		for range r.intn(1, 6) {
			a.aims = append(a.aims, aim{i, r.below(len(s.routes[i].paths))})
		}
	case "post":
		i := pick(r, append(append(s.roles[roleSignIn], s.roles[roleToken]...), s.roles[rolePlay]...))
		a.aims = []aim{{i, r.below(len(s.routes[i].paths))}}
	case "random":
		a.aims = []aim{page()}
		a.random = []byte(pick(r, []string{"/", "/" + pick(r, nouns) + "/", "/?", "/index.php/"}))
	case "mimic": // pages as people choose them, in about the people's proportions
		for range 6 {
			add(rolePage, -1)
		}
		add(roleHome, 0)
		add(roleHome, 0)
		add(roleList, -1)
		add(roleLive, -1)
		add(roleAPI, -1)
		if r.chance(0.4) { // the better ones load what belongs to a page
			for range r.intn(4, 12) {
				add(roleAsset, -1)
				add(roleImage, -1)
			}
		}
	}
}

// probe makes the scanner's list.
func (a *attacker) probe(r *rng) {
	style := r.below(3)
	for range r.intn(500, 6000) {
		p := "/"
		if r.chance(0.3) {
			p += pick(r, scanWords) + "/"
		}
		p += pick(r, scanWords) + pick(r, scanEnds)
		if style == 0 && r.chance(0.4) || style == 1 && r.chance(0.1) {
			p += "?" + pick(r, scanProbes)
		}
		a.probes = append(a.probes, []byte(p))
	}
}

// requestsOf is how many requests the attack makes in the slot at t. The fraction
// is carried over, so that the sum is exact.
func (g *Generator) requestsOf(a *attacker, t int64) int {
	if t < a.from || t >= a.to {
		return 0
	}
	if a.rate == 0 || t == a.from {
		before := g.background(t, a.spec.RelativeTo == "sign_in")
		if a.rate == 0 {
			factor := a.spec.Intensity
			if g.options.Intensity > 0 {
				factor = g.options.Intensity
			}
			a.rate = factor * max(before, 0.1)
		}
		g.truth.Attacks[g.indexOf(a)].Intensity = a.rate / max(before, 0.1)
	}
	a.carry += a.rate * a.spec.shapeAt(t-a.from+slotNanos/2) * float64(slotNanos) / 1e9
	n := int(a.carry + 1e-6) // what rounding has taken
	a.carry -= float64(n)
	return n
}

func (g *Generator) indexOf(a *attacker) int {
	for i := range g.attacks {
		if g.attacks[i] == a {
			return i
		}
	}
	return 0
}

// attack makes one request of attack n.
func (g *Generator) attack(ev *Event, n int, a *attacker) {
	truth := &g.truth.Attacks[n]
	at := time.Unix(0, ev.UnixNano).UTC()
	if truth.Requests == 0 {
		truth.FirstRequest, truth.FirstLine = at, g.truth.Lines
	}
	truth.LastRequest, truth.LastLine = at, g.truth.Lines
	truth.Requests++

	r := &a.rnd
	b := a.next(r)
	x := r.next()
	ev.Class, ev.Attack = a.class, n
	lo := b.lo
	if a.rotate64 && b.hi != 0 {
		lo = mix(x)
	}
	ev.Client = toAddr(b.hi, lo)
	ev.Proto, ev.Referer, ev.Service = a.proto, a.referer, g.site.service
	ev.UserAgent = a.agents[b.agent]
	if a.rotate {
		ev.UserAgent = a.agents[r.below(len(a.agents))]
	}
	if a.class == ClassPathScanning {
		g.scan(ev, a, x)
		return
	}
	target := a.aims[r.below(len(a.aims))]
	rt := &g.site.routes[target.route]
	item := uint16(max(0, target.item))
	if target.item < 0 {
		item = g.site.item(rt, x)
	}
	ev.Host = rt.hostBytes
	g.fill(ev, rt, item, x, mix(b.lo^b.hi))
	switch {
	case a.class == ClassCredentialStuffing:
		g.stuff(ev, a, x)
	case a.class == ClassCacheBusting:
		a.bustCache(ev, x)
	case a.class == ClassSlowloris:
		a.hold(ev, x)
	case a.random != nil:
		ev.Path = appendRandom(append(ev.path[:0], a.random...), x)
		if i := len(a.random) - 1; a.random[i] == '?' { // "/?…" is a query
			ev.Path, ev.Query = ev.path[:i], ev.Path[i+1:]
		} else {
			ev.Query, ev.Status, ev.Bytes = nil, 404, 146+int64(x&63)
		}
	}
	a.respond(ev, x)
}

// next is the bot that fires.
func (a *attacker) next(r *rng) *bot {
	switch a.style.Timing {
	case "even": // in turn: each keeps its beat
		a.current++
		if a.current >= len(a.bots) {
			a.current = 0
		}
	case "bursts":
		if a.burst == 0 {
			a.current, a.burst = r.below(len(a.bots)), r.intn(4, 40)
		}
		a.burst--
	default:
		a.current = r.below(len(a.bots))
		if a.skew { // some machines are faster: the busiest tenth makes a third
			u := r.unit()
			a.current = int(u * u * float64(len(a.bots)))
		}
	}
	return &a.bots[a.current]
}

// respond is how the site takes it.
func (a *attacker) respond(ev *Event, x uint64) {
	if a.class == ClassSlowloris || a.class == ClassCredentialStuffing && a.style.Response == "ok" {
		return
	}
	share := x >> 45 & 63
	switch a.style.Response {
	case "overload":
		if share < 25 {
			ev.Status, ev.Bytes, ev.Duration = 503, 190, 30*time.Millisecond
		} else if share < 30 {
			ev.Status, ev.Bytes, ev.Duration = 504, 160, 10*time.Second
		} else {
			ev.Duration *= 4
		}
	case "blocked":
		if share < 45 {
			ev.Status, ev.Bytes, ev.Duration = 403+26*int(x>>44&1), 118, time.Millisecond // 403 or 429
		}
	}
}

// stuff tries an account: mostly refused.
func (g *Generator) stuff(ev *Event, a *attacker, x uint64) {
	a.accounts++
	ev.Account = appendAccount(ev.account[:0], mix(a.accounts/(1+uint64(a.bust[0]))))
	if float64(x>>11)*0x1p-53 >= a.success {
		ev.Status = int(g.site.signFail)
		ev.Bytes = 100 + int64(mix(x)&31)
	}
}

// bustCache adds what makes each request another to a cache.
func (a *attacker) bustCache(ev *Event, x uint64) {
	b := ev.query[:0]
	switch a.bust[0] {
	case 0:
		b = strconv.AppendUint(append(b, "_="...), 1_700_000_000_000+x>>24, 10)
	case 1:
		b = appendHex(append(b, "cb="...), x)
	case 2: // the name is random as well
		b = appendRandom(b, x)
		b = appendRandom(append(b, '='), mix(x))
	default:
		b = append(b, [...]string{"v=", "rand=", "x=", "nocache="}[a.bust[1]]...)
		b = appendRandom(b, x)
	}
	ev.Query = b
}

// hold keeps a connection busy for long and moves hardly anything: the request
// is logged when it times out.
func (a *attacker) hold(ev *Event, x uint64) {
	ev.Query = nil
	ev.Duration = 20*time.Second + time.Duration(x%uint64(100*time.Second))
	switch a.slow {
	case 0: // headers that never end
		ev.Method, ev.Status, ev.Bytes = get, 408, 0
	case 1: // a body that never ends
		ev.Method, ev.Status, ev.Bytes = post, 408, 0
	default: // an answer read byte by byte
		ev.Method, ev.Status, ev.Bytes = get, 499, int64(x&4095)
		if x>>20&3 == 0 {
			ev.Status = 200
		}
	}
}

var get, post = []byte("GET"), []byte("POST")

// scan asks for what might be there.
func (g *Generator) scan(ev *Event, a *attacker, x uint64) {
	p := a.probes[a.accounts%uint64(len(a.probes))]
	a.accounts++
	ev.Host, ev.Method = g.site.routes[0].hostBytes, get
	ev.Path = p
	for i, c := range p {
		if c == '?' {
			ev.Path, ev.Query = p[:i], p[i+1:]
			break
		}
	}
	ev.Status, ev.Bytes, ev.Duration = 404, 146+int64(x&31), time.Duration(1e6+x%9e6)
	switch x >> 40 & 63 {
	case 0, 1:
		ev.Status = 403
	case 2:
		ev.Status = 301
	case 3:
		ev.Status, ev.Bytes = 200, 5000
	case 4:
		ev.Status = 400
	}
}

// appendRandom writes 6 to 13 letters and digits.
func appendRandom(b []byte, x uint64) []byte {
	const digits = "abcdefghijklmnopqrstuvwxyz012345"
	for n := 6 + x>>61; n > 0; n-- {
		b = append(b, digits[x&31])
		x = x>>5 | x<<59
	}
	return b
}
