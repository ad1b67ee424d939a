package detect

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// An atom is one test that a firewall can make on a request, such as "the path
// begins with /live/". Rules are conjunctions of atoms.
type atom struct {
	kind  atomKind
	value string
	att   bitset // the attack's texts for which it holds
	leg   bitset // and the legitimate ones
	hosts []string
	// counted is the share of legitimate requests that came from hosts.
	counted float64
}

type atomKind uint8

// In the order of preference among atoms that tell the same: what says most
// about the attacker first.
const (
	atomAgent      atomKind = iota // user agent, whole
	atomAgentStart                 // its beginning, where the sample holds no more
	atomNoAgent
	atomPath
	atomPathStart // up to a slash
	atomQueryName // the query begins with a parameter's name
	atomAgentPart // the user agent contains it
	atomMethod
	atomQuery // there is one
	atomNoQuery
	atomReferer
	atomNoReferer
	atomHosts // the address is one of a set
	atomKinds
)

const (
	maxAtoms      = 192   // on trial in a lesson
	maxParts      = 24    // of those, that search within the user agent: the dearest test
	atomShare     = 0.015 // of the attack: less common ones are not tried
	maxPathDepth  = 4
	minPartLength = 4
)

// condition writes a down.
func (a *atom) condition() finding.Condition {
	field, op := names.UserAgentOriginal, finding.OpEquals
	values := []string{a.value}
	switch a.kind {
	case atomAgentStart:
		op = finding.OpPrefix
	case atomNoAgent:
		op, values = finding.OpAbsent, nil
	case atomAgentPart:
		op = finding.OpContains
	case atomPath:
		field = names.URLPath
	case atomPathStart:
		field, op = names.URLPath, finding.OpPrefix
	case atomQueryName:
		field, op = names.URLQuery, finding.OpPrefix
	case atomQuery:
		field, op, values = names.URLQuery, finding.OpPresent, nil
	case atomNoQuery:
		field, op, values = names.URLQuery, finding.OpAbsent, nil
	case atomMethod:
		field = names.HTTPRequestMethod
	case atomReferer:
		field = names.HTTPRequestHeaderReferer
	case atomNoReferer:
		field, op, values = names.HTTPRequestHeaderReferer, finding.OpAbsent, nil
	case atomHosts:
		field, op, values = names.ClientAddress, finding.OpIn, a.hosts
	}
	return finding.Condition{Field: field, Op: op, Values: values}
}

// What kinds of atoms test.
const (
	fieldAgent = iota
	fieldPath
	fieldQuery
	fieldMethod
	fieldReferer
	fieldHosts
)

func (k atomKind) field() int {
	switch k {
	case atomAgent, atomAgentStart, atomNoAgent, atomAgentPart:
		return fieldAgent
	case atomPath, atomPathStart:
		return fieldPath
	case atomQueryName, atomQuery, atomNoQuery:
		return fieldQuery
	case atomMethod:
		return fieldMethod
	case atomReferer, atomNoReferer:
		return fieldReferer
	}
	return fieldHosts
}

// each calls f with every atom that holds for t. logs say what the log carries
// at all: a header that it never has is not missing.
func (t *text) each(has *carried, f func(kind atomKind, value []byte)) {
	if b := t.part(partMethod); len(b) > 0 {
		f(atomMethod, b)
	}
	t.eachPath(f)
	query := t.part(partQuery)
	switch {
	case len(query) == 0:
		f(atomNoQuery, nil)
	default:
		f(atomQuery, nil)
		if i := bytes.IndexByte(query, '='); i > 0 && t.flags&textShort == 0 && bytes.IndexByte(query[:i], '&') < 0 {
			f(atomQueryName, query[:i+1])
		}
	}
	if has.referer {
		if b := t.part(partReferer); len(b) == 0 {
			f(atomNoReferer, nil)
		} else if t.flags&textShort == 0 && t.cut&(1<<partReferer) == 0 {
			f(atomReferer, b)
		}
	}
	if !has.agent {
		return
	}
	switch b := t.part(partAgent); {
	case len(b) == 0 && t.flags&textTemplate == 0: // a summary's label may only be missing
		f(atomNoAgent, nil)
	case len(b) == 0:
	case t.cut&(1<<partAgent) != 0 || t.flags&textTemplate != 0 && len(b) >= 160:
		f(atomAgentStart, b)
		eachPart(b, f)
	default:
		f(atomAgent, b)
		eachPart(b, f)
	}
}

func (t *text) eachPath(f func(atomKind, []byte)) {
	path := t.part(partPath)
	if len(path) == 0 {
		return
	}
	whole := path
	if t.flags&textTemplate != 0 { // a number may stand for others from its first digit on
		if i := bytes.IndexAny(path, "{0"); i >= 0 {
			path = path[:i]
		}
	}
	if t.cut&(1<<partPath) == 0 && len(path) == len(whole) {
		f(atomPath, path)
	}
	for i, depth := 1, 0; i < len(path) && depth < maxPathDepth; i++ {
		if path[i] == '/' {
			f(atomPathStart, path[:i+1])
			depth++
		}
	}
}

// eachPart calls f with what a user agent is made of: comments, and products with
// their major version.
func eachPart(b []byte, f func(atomKind, []byte)) {
	from, inside := 0, false
	for i := 0; i <= len(b); i++ {
		c := byte(')')
		if i < len(b) {
			c = b[i]
		}
		if c != ';' && c != '(' && c != ')' && (c != ' ' || inside) {
			continue
		}
		p := bytes.TrimSpace(b[from:i])
		from, inside = i+1, c == '(' || inside && c != ')'
		if slash := bytes.IndexByte(p, '/'); slash > 0 {
			if dot := bytes.IndexByte(p[slash:], '.'); dot > 0 {
				p = p[:slash+dot+1]
			}
		}
		if len(p) >= minPartLength {
			f(atomAgentPart, p)
		}
	}
}

// carried says what the log carries of what attackers leave out.
type carried struct{ referer, agent bool }

// gatherAtoms finds the atoms that hold for a part of the attack worth a rule, and
// for which of the texts each does.
func (l *lesson) gatherAtoms() {
	least := max(int32(atomShare*float32(len(l.att))), 2)
	count := make(map[uint64]int32, 4*len(l.att))
	var atoms []atom
	at := map[uint64]int{}
	for _, t := range l.att {
		t.each(&l.has, func(kind atomKind, value []byte) {
			h := atomHash(kind, value)
			n := count[h] + 1
			count[h] = n
			if n == least && finding.Clean(string(value)) == string(value) {
				at[h] = len(atoms)
				atoms = append(atoms, atom{kind: kind, value: string(value), att: newBitset(len(l.att)), leg: newBitset(len(l.leg))})
			}
		})
	}
	for i, t := range l.att {
		t.each(&l.has, func(kind atomKind, value []byte) {
			if n, ok := at[atomHash(kind, value)]; ok {
				atoms[n].att.set(i)
			}
		})
	}
	for i, t := range l.leg {
		t.each(&l.has, func(kind atomKind, value []byte) {
			if n, ok := at[atomHash(kind, value)]; ok {
				atoms[n].leg.set(i)
			}
		})
	}
	l.trim(atoms)
}

func atomHash(kind atomKind, value []byte) uint64 {
	return xxh3.HashSeed(value, uint64(kind)+1)
}

// trim orders the atoms, drops those that tell the same as another, and keeps
// the most telling.
func (l *lesson) trim(atoms []atom) {
	telling := func(a *atom) float64 {
		return float64(a.att.count())/float64(len(l.att)) - float64(a.leg.count())/float64(len(l.leg)+1)
	}
	slices.SortFunc(atoms, func(a, b atom) int {
		return cmp.Or(cmp.Compare(telling(&b), telling(&a)), cmp.Compare(a.kind, b.kind), strings.Compare(a.value, b.value))
	})
	seen := map[uint64]bool{}
	searched := 0
	for _, a := range atoms {
		if a.kind == atomAgentPart {
			if searched++; searched > maxParts {
				continue
			}
			l.search(&a) // it may occur elsewhere in a user agent, too
		}
		h := a.att.hash(0) ^ a.leg.hash(1)
		if seen[h] || len(l.atoms) >= maxAtoms {
			continue
		}
		seen[h] = true
		l.atoms = append(l.atoms, a)
	}
}

// search tests a part of the user agent as a firewall does, each user agent once.
func (l *lesson) search(a *atom) {
	if l.agents == nil {
		l.agents = map[string]*spoken{}
		of := func(t *text) *spoken {
			agent := t.part(partAgent)
			x := l.agents[string(agent)]
			if x == nil {
				x = &spoken{}
				l.agents[string(agent)] = x
			}
			return x
		}
		for i, t := range l.att {
			x := of(t)
			x.att = append(x.att, i)
		}
		for i, t := range l.leg {
			x := of(t)
			x.leg = append(x.leg, i)
		}
	}
	for agent, x := range l.agents {
		if !strings.Contains(agent, a.value) {
			continue
		}
		for _, i := range x.att {
			a.att.set(i)
		}
		for _, i := range x.leg {
			a.leg.set(i)
		}
	}
}

// spoken is who has a user agent.
type spoken struct{ att, leg []int }

// bitset is a set of texts.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

// and puts a ∩ c into b and says whether anything is in it.
func (b bitset) and(a, c bitset) bool {
	var any uint64
	for i := range b {
		b[i] = a[i] & c[i]
		any |= b[i]
	}
	return any != 0
}

func (b bitset) or(a bitset) {
	for i := range b {
		b[i] |= a[i]
	}
}

func (b bitset) hash(seed uint64) uint64 {
	h := seed
	for _, w := range b {
		h = (h ^ w) * 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	return h
}

func (b bitset) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// countAnd is how many are in both.
func (b bitset) countAnd(c bitset) (n int) {
	for i, w := range b {
		n += bits.OnesCount64(w & c[i])
	}
	return n
}
