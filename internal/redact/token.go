package redact

import "strings"

// run is where bytes that allowed holds end, from i on.
func run(s string, i int, allowed *[256]bool) int {
	for i < len(s) && allowed[s[i]] {
		i++
	}
	return i
}

// before is where bytes that allowed holds begin, up to i, at most so many.
func before(s string, i, most int, allowed *[256]bool) int {
	least := max(0, i-most)
	for i > least && allowed[s[i-1]] {
		i--
	}
	return i
}

func bytesOf(extra string) *[256]bool {
	var t [256]bool
	for c := range 256 {
		t[c] = isDigit(byte(c)) || isAlpha(byte(c))
	}
	for _, c := range []byte(extra) {
		t[c] = true
	}
	return &t
}

//nolint:gochecknoglobals // constant tables
var (
	base64URL = bytesOf("-_")
	base64Any = bytesOf("-_+/=.~")
	base64Std = bytesOf("+/")
	alnum     = bytesOf("")
	nameBytes = bytesOf("_-.")
	localPart = bytesOf("._%+-")
	hostPart  = bytesOf(".-")
)

// jwt looks at the first dot of header.payload.signature: both begin with {".
func (p *pass) jwt(i int) int {
	if i < 8 || !strings.HasPrefix(p.s[i+1:], "eyJ") {
		return i
	}
	from := before(p.s, i, 4096, base64URL)
	if !strings.HasPrefix(p.s[from:i], "eyJ") {
		return i
	}
	end := run(p.s, i+1, base64URL)
	if end < len(p.s) && p.s[end] == '.' {
		end = run(p.s, end+1, base64URL)
	}
	return p.replace(from, end, token, Tokens)
}

// keyOfA looks at AKIA and ASIA, AWS' access key ids, at AIza, Google's keys, and at
// Authorization-like words nowhere: those end in a colon.
func (p *pass) keyOfA(i int) int {
	if len(p.s)-i < 20 || i > 0 && isWord(p.s[i-1]) {
		return i
	}
	switch p.s[i+1 : i+4] {
	case "KIA", "SIA":
		end := run(p.s, i, alnum)
		if end-i != 20 || strings.ToUpper(p.s[i:end]) != p.s[i:end] {
			return i
		}
		p.replace(i, end, token, Tokens)
		p.awsSecret(end)
		return end
	case "Iza":
		if end := run(p.s, i, base64URL); end-i == 39 {
			return p.replace(i, end, token, Tokens)
		}
	}
	return i
}

// awsSecret looks for the secret key that goes with an id: forty bytes of base64
// that stand alone, near behind it.
func (p *pass) awsSecret(i int) {
	limit := min(len(p.s), i+160)
	for i < limit {
		end := run(p.s, i, base64Std)
		if end-i == 40 && (end == len(p.s) || p.s[end] != '=') {
			p.replace(i, end, secret, Tokens)
			return
		}
		i = max(end, i+1)
	}
}

// scheme looks at Bearer and Basic.
func (p *pass) scheme(i int) int {
	s := p.s[i:]
	n := 0
	switch {
	case len(s) > 14 && strings.EqualFold(s[:7], "bearer "):
		n = 7
	case len(s) > 13 && strings.EqualFold(s[:6], "basic "):
		n = 6
	default:
		return i
	}
	if i > 0 && isWord(p.s[i-1]) {
		return i
	}
	end := run(p.s, i+n, base64Any)
	value := p.s[i+n : end]
	if len(value) < 8 || strings.HasPrefix(value, mark) || !hasDigitOrUpper(value) {
		return i // "basic training"
	}
	return p.replace(i+n, end, token, Tokens)
}

func hasDigitOrUpper(s string) bool {
	for i := range len(s) {
		if c := s[i]; isDigit(c) || c >= 'A' && c <= 'Z' || c == '=' {
			return true
		}
	}
	return false
}

// prefixed looks at the _ or - that ends a maker's prefix.
func (p *pass) prefixed(i int) int {
	from := before(p.s, i, 12, base64URL)
	least := 0
	switch p.s[from : i+1] {
	case "ghp_", "gho_", "ghu_", "ghs_", "ghr_":
		least = 36
	case "github_pat_":
		least = 50
	case "sk_live_", "rk_live_", "sk_test_", "rk_test_":
		least = 16
	case "glpat-":
		least = 20
	case "xoxb-", "xoxp-", "xoxa-", "xoxs-", "xoxr-":
		least = 20
	case "sk-":
		least = 32
	default:
		return i
	}
	end := run(p.s, i+1, base64URL)
	if end-i-1 < least {
		return i
	}
	return p.replace(from, end, token, Tokens)
}

// address looks at the @ of an e-mail address.
func (p *pass) address(i int) int {
	from := before(p.s, i, 64, localPart)
	from = max(from, p.kept)
	for from < i && (p.s[from] == '.' || p.s[from] == '-' || p.s[from] == '%') {
		from++
	}
	end := run(p.s, i+1, hostPart)
	for end > i+1 && !isAlpha(p.s[end-1]) {
		end--
	}
	domain := p.s[i+1 : end]
	dot := strings.LastIndexByte(domain, '.')
	if from == i || dot < 1 || len(domain)-dot < 3 || strings.Contains(domain, "..") || strings.HasPrefix(p.s[from:i], mark) || isDigit(domain[0]) && strings.HasPrefix(domain[1:], "x.") {
		return i // the last: a picture's, logo@2x.png
	}
	return p.replace(from, end, email, Emails)
}

// userinfo looks at what follows ://, up to the host.
func (p *pass) userinfo(i int) int {
	at := -1
	for k := i; k < len(p.s) && k < i+512; k++ {
		c := p.s[k]
		if c == '@' {
			at = k
		}
		if c == '/' || c == '?' || c == '#' || c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == ',' {
			break
		}
	}
	if at <= i || strings.HasPrefix(p.s[i:at], mark) {
		return i
	}
	return p.replace(i, at, secret, URLs)
}
