package redact

import "fmt"

// Kind is what is looked for. Kinds combine: Tokens|Cards.
type Kind uint8

// Kinds.
const (
	Tokens Kind = 1 << iota
	Cards
	Emails
	URLs

	All = Tokens | Cards | Emails | URLs
)

// Names are the kinds as configurations and metrics spell them.
var Names = map[Kind]string{Tokens: "tokens", Cards: "cards", Emails: "emails", URLs: "urls"} //nolint:gochecknoglobals // a constant table

// Parse reads kinds by name.
func Parse(names []string) (Kind, error) {
	var all Kind
next:
	for _, n := range names {
		for k, name := range Names {
			if n == name {
				all |= k
				continue next
			}
		}
		return 0, fmt.Errorf("redaction takes tokens, cards, emails and urls (got %q)", n)
	}
	return all, nil
}

// Counts are replacements by kind.
type Counts struct{ Tokens, Cards, Emails, URLs int }

func (c *Counts) add(k Kind) {
	switch k {
	case Tokens:
		c.Tokens++
	case Cards:
		c.Cards++
	case Emails:
		c.Emails++
	case URLs:
		c.URLs++
	}
}

// The words that stand where secrets stood. Each begins with mark.
const (
	mark   = "REDACTED"
	token  = mark + "-TOKEN"
	secret = mark + "-SECRET"
	card   = mark + "-CARD"
	email  = mark + "-EMAIL"
)

// Text returns s without its secrets of these kinds, and s itself where there is
// none. It adds to counts.
func Text(s string, kinds Kind, counts *Counts) string {
	p := pass{s: s, kinds: kinds, counts: counts}
	return p.all()
}

// Query is Text of a URL's query without its question mark.
func Query(s string, kinds Kind, counts *Counts) string {
	p := pass{s: s, kinds: kinds, counts: counts, query: true}
	return p.all()
}

func (p *pass) all() string {
	s := p.s
	for i := 0; i < len(s); {
		if triggers[s[i]] == 0 {
			i++
			continue
		}
		i = max(p.at(i), i+1)
	}
	if p.out == nil {
		return s
	}
	return string(append(p.out, s[p.kept:]...))
}

// Named tells whether a name is that of a secret, whatever its value.
func Named(name string) bool { return secretName(name, false) }

// Value returns what takes the place of a value whose name is key: all of it is
// replaced where the name is that of a secret.
func Value(key, value string, kinds Kind, counts *Counts) string {
	if kinds&Tokens != 0 && secretName(key, false) && worthHiding(value) {
		counts.Tokens++
		return secret
	}
	if key == "url.query" {
		return Query(value, kinds, counts)
	}
	return Text(value, kinds, counts)
}

// pass is one pass over a text.
type pass struct {
	s      string
	kinds  Kind
	counts *Counts
	out    []byte // what is kept so far and its replacements; nil until the first
	kept   int    // up to where s is in out
	query  bool   // s begins within a URL's query
}

// replace puts a word where s[from:to] stood, and says where to go on.
func (p *pass) replace(from, to int, word string, k Kind) int {
	if from < p.kept { // what a replacement covers already
		if to <= p.kept {
			return p.kept
		}
		from = p.kept
	}
	p.out = append(append(p.out, p.s[p.kept:from]...), word...)
	p.kept = to
	p.counts.add(k)
	return to
}

// Bytes at which a secret may be recognised. Some are looked at from behind: an
// e-mail address at its @, a key at the = that ends it.
const (
	tDigit = 1 + iota
	tAt
	tEquals
	tColon
	tDot
	tUpperA
	tB
	tUnderscore
	tDash
)

var triggers = func() (t [256]uint8) { //nolint:gochecknoglobals // a constant table
	for c := '0'; c <= '9'; c++ {
		t[c] = tDigit
	}
	t['@'], t['='], t[':'], t['.'], t['A'], t['B'], t['b'], t['_'], t['-'] = tAt, tEquals, tColon, tDot, tUpperA, tB, tB, tUnderscore, tDash
	return t
}()

// at looks at a trigger and says where to go on, at most i for "nothing here".
func (p *pass) at(i int) int {
	k := p.kinds
	switch triggers[p.s[i]] {
	case tDigit:
		return p.digits(i)
	case tAt:
		if k&Emails != 0 {
			return p.address(i)
		}
	case tEquals:
		if k&(Tokens|URLs) != 0 {
			return p.assignment(i)
		}
	case tColon:
		if i+2 < len(p.s) && p.s[i+1] == '/' && p.s[i+2] == '/' {
			if k&URLs != 0 {
				return p.userinfo(i + 3)
			}
		} else if k&Tokens != 0 {
			return p.pair(i)
		}
	case tDot:
		if k&Tokens != 0 {
			return p.jwt(i)
		}
	case tUpperA:
		if k&Tokens != 0 {
			return p.keyOfA(i)
		}
	case tB:
		if k&Tokens != 0 {
			return p.scheme(i)
		}
	case tUnderscore, tDash:
		if k&Tokens != 0 {
			return p.prefixed(i)
		}
	}
	return i
}
