package replay

import "time"

// role is what a request is for, whatever the site calls it.
type role uint8

const (
	roleHome role = iota
	rolePage      // an article, a title, a product
	roleList      // a section, a category
	roleLive      // the page of what is happening now
	roleSearch
	roleAsset // script, style, font
	roleImage
	roleConfig // what an app asks for first, and polls
	roleSignIn
	roleToken
	roleAPI
	rolePlay // a player asks for its stream, a shopper pays
	roleManifest
	roleHeartbeat
	roleAds
	roleHealth
	roleRobots
)

// fill is what goes into a query between its literals.
type fill uint8

const (
	fillNothing fill = iota
	fillSession      // 16 hexadecimal digits, equal through a session
	fillRandom       // 10 digits, different each time
	fillSmall        // 1 to 8, mostly small
	fillTime         // seconds of the event time
	fillWord         // a search term
)

type piece struct {
	literal string
	fill    fill
}

// route is one kind of request that a site answers.
type route struct {
	role   role
	method string
	host   string
	paths  [][]byte
	ranks  []uint16 // popularity of paths; nil where there is one
	query  []piece
	status []uint16 // 256 equally likely ones
	bytes  int64    // mean of a log-normal law
	nanos  int64    // mean duration, likewise

	methodBytes, hostBytes []byte
}

// step is a part of what a device does.
type step struct {
	route    uint8
	low, up  uint8 // how often
	chance   uint64
	gap      int64 // ns before each: the mean
	floor    int64 // and the least
	rhythmic bool  // a timer's gap (±3 %) rather than a person's
	retry    bool
}

// program is what a session does from beginning to end.
type program struct {
	class Class
	steps []step
	mean  float64 // requests
}

// site is what is visited: its routes, its visitors' devices and networks, and
// what they do. All of it follows from the model and a seed.
type site struct {
	name    string
	service []byte
	host    string
	origin  string
	routes  []route
	roles   [roleRobots + 1][]uint8
	words   [][]byte
	agents  *agents
	nets    *operators
	devices []uint16 // table of deviceKind

	programs []program
	visit    [deviceKinds]uint16          // the ordinary visit
	crowds   [classes][deviceKinds]uint16 // what a member of a crowd does
	signFail uint16                       // status of a refused sign-in

	sizes, pauses []float32
}

// siteModels are the kinds of site, by name.
var siteModels = map[string]func(*site, *rng){
	"broadcaster": (*site).broadcaster,
	"news":        (*site).news,
	"shop":        (*site).shop,
}

func newSite(model string, seed uint64) *site {
	r := newRNG(seed, "site "+model)
	domain := pick(&r, modif) + pick(&r, nouns)
	s := &site{name: model, service: []byte(model), host: "www." + domain + pick(&r, []string{".tv", ".com", ".example", ".net", ".eu"})}
	s.origin = "https://" + s.host
	s.sizes, s.pauses = lognormal(0.7), exponential()
	s.nets = newOperators(&r)
	s.agents = newAgents(&r, string(domain[0]-32)+domain[1:])
	s.signFail = pick(&r, []uint16{401, 401, 401, 403, 400, 422})
	seen := map[string]bool{}
	for len(s.words) < 600 {
		w := pick(&r, nouns)
		if r.chance(0.8) {
			w = pick(&r, modif) + "+" + w
		}
		if r.chance(0.3) {
			w += "+" + pick(&r, people)
		}
		if !seen[w] {
			seen[w] = true
			s.words = append(s.words, []byte(w))
		}
	}
	siteModels[model](s, &r)
	for i := range s.programs {
		p := &s.programs[i]
		for _, st := range p.steps {
			p.mean += float64(st.low+st.up) / 2 * float64(st.chance) / (1 << 32)
		}
	}
	return s
}

// statuses is a table in which ok has what the others leave over.
func statuses(ok uint16, others ...float64) []uint16 {
	out := make([]uint16, 0, 256)
	for i := 0; i+1 < len(others); i += 2 {
		for range int(others[i+1]*256 + 0.5) {
			out = append(out, uint16(others[i]))
		}
	}
	for len(out) < 256 {
		out = append(out, ok)
	}
	return out
}

// add gives the site a route; with several paths the first are the popular ones.
func (s *site) add(r *rng, role role, method, host string, millis, bytes float64, status []uint16, query []piece, paths ...string) uint8 {
	rt := route{
		role: role, method: method, host: host, query: query, status: status,
		bytes: int64(bytes * r.betweenLog(0.6, 1.6)), nanos: int64(millis * 1e6 * r.betweenLog(0.6, 1.6)),
	}
	rt.methodBytes, rt.hostBytes = []byte(method), []byte(host)
	for _, p := range paths {
		rt.paths = append(rt.paths, []byte(p))
	}
	if len(paths) > 1 {
		rt.ranks = zipf(len(paths), r.between(0.75, 1.1))
	}
	s.routes = append(s.routes, rt)
	i := uint8(len(s.routes) - 1)
	s.roles[role] = append(s.roles[role], i)
	return i
}

// many makes n paths from a pattern.
func many(n int, name func(i int) string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = name(i)
	}
	return out
}

// program gives the site a program and says its number.
func (s *site) program(class Class, steps ...step) uint16 {
	s.programs = append(s.programs, program{class: class, steps: steps})
	return uint16(len(s.programs) - 1)
}

// crowd says what the members of a crowd do, on every device.
func (s *site) crowd(class Class, steps ...step) {
	p := s.program(class, steps...)
	for d := range s.crowds[class] {
		s.crowds[class][d] = p
	}
}

// do is a step that a person takes: times between low and up, gap seconds on
// average before each.
func do(route uint8, low, up int, gap float64) step {
	return step{route: route, low: uint8(low), up: uint8(up), chance: 1 << 32, gap: int64(gap * float64(time.Second)), floor: int64(gap * 0.15 * float64(time.Second)), retry: true}
}

// load is what a browser or an app does by itself, milliseconds apart.
func load(route uint8, low, up int) step {
	st := do(route, low, up, 0.08)
	st.floor = 4e6
	return st
}

// every is a timer.
func every(route uint8, low, up int, gap float64) step {
	st := do(route, low, up, gap)
	st.rhythmic = true
	return st
}

// maybe takes the step only in that share of the sessions.
func (st step) maybe(chance float64) step {
	st.chance = uint64(chance * (1 << 32))
	return st
}
