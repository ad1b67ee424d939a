package redact

import "strings"

// assignment looks at the = of key=value: in a URL's query, a form, logfmt.
func (p *pass) assignment(i int) int {
	from := before(p.s, i, 64, nameBytes)
	if from == i {
		return i
	}
	query := from == 0 && p.query || from > 0 && (p.s[from-1] == '?' || p.s[from-1] == '&')
	kind := Tokens
	if query && p.kinds&URLs != 0 {
		kind = URLs
	}
	if p.kinds&kind == 0 || !secretName(p.s[from:i], kind == URLs) {
		return i
	}
	start, end, _ := p.value(i+1, query)
	if !worthHiding(p.s[start:end]) {
		return i
	}
	return p.replace(start, end, secret, kind)
}

// pair looks at the : of "key":"value" and Key: value.
func (p *pass) pair(i int) int {
	quote := p.quote(i)
	from := i - len(quote)
	begin := before(p.s, from, 64, nameBytes)
	if begin == from || !secretName(p.s[begin:from], false) {
		return i
	}
	start := i + 1
	for start < len(p.s) && p.s[start] == ' ' {
		start++
	}
	start, end, inQuotes := p.value(start, false)
	value := p.s[start:end]
	if !inQuotes && worthHiding(value) && strings.HasSuffix(strings.ToLower(p.s[begin:from]), "cookie") {
		return p.replace(start, until(p.s, start, "\r\n\""), secret, Tokens) // all of them
	}
	if !worthHiding(value) || value[0] == '{' || value[0] == '[' {
		return i
	}
	switch {
	case inQuotes:
		return p.replace(start, end, secret, Tokens)
	case quote != "": // a number in JSON
		return p.replace(start, end, quote+secret+quote, Tokens)
	case looksRandom(value): // not "password: too short"
		return p.replace(start, end, secret, Tokens)
	}
	return i
}

// quote is what a colon's key is quoted with: nothing in a header, \" in JSON that
// is a string within JSON.
func (p *pass) quote(colon int) string {
	switch {
	case colon > 1 && p.s[colon-2:colon] == `\"`:
		return `\"`
	case colon > 0 && (p.s[colon-1] == '"' || p.s[colon-1] == '\''):
		return p.s[colon-1 : colon]
	}
	return ""
}

// value is where a value lies that begins at i, without its quotes. A scheme
// (Bearer) is not the value: what follows is.
func (p *pass) value(i int, query bool) (start, end int, quoted bool) {
	if query {
		return i, until(p.s, i, "&#\"'<> \t\r\n;)\\"), false
	}
	for n, quote := range []string{`\"`, `"`, `'`} {
		if !strings.HasPrefix(p.s[i:], quote) {
			continue
		}
		i += len(quote)
		end := i
		for end < len(p.s) && !strings.HasPrefix(p.s[end:], quote) {
			if n > 0 && p.s[end] == '\\' {
				end++
			}
			end++
		}
		return i + scheme(p.s[i:min(end, len(p.s))]), min(end, len(p.s)), true
	}
	i += scheme(p.s[i:])
	return i, until(p.s, i, "&\"'<> \t\r\n;,)]}\\"), false
}

// scheme is the length of the word before credentials.
func scheme(s string) int {
	for _, word := range []string{"bearer ", "basic ", "token "} {
		if len(s) > len(word) && strings.EqualFold(s[:len(word)], word) {
			return len(word)
		}
	}
	return 0
}

func until(s string, i int, stops string) int {
	for i < len(s) && strings.IndexByte(stops, s[i]) < 0 {
		i++
	}
	return i
}

// worthHiding leaves what says that there is no secret, and what is hidden already.
func worthHiding(value string) bool {
	switch value {
	case "", "null", "nil", "none", "true", "false", "-", "undefined":
		return false
	}
	return !strings.HasPrefix(value, mark) && !strings.HasPrefix(value, "***")
}

// looksRandom tells a secret from a word of a sentence.
func looksRandom(value string) bool {
	if len(value) >= 20 {
		return true
	}
	digit := strings.ContainsAny(value, "0123456789")
	return len(value) >= 6 && digit
}

// secretName tells whether a name is that of a secret, without regard to case, _,
// - and dots: db_password, X-Api-Key, accessToken. Some are only so in a query.
func secretName(name string, query bool) bool {
	var buf [24]byte // longer names are known by their end
	n := len(buf)
	for i := len(name) - 1; i >= 0 && n > 0; i-- {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if isDigit(c) || isAlpha(c) {
			n--
			buf[n] = c
		}
	}
	plain := buf[n:]
	if len(plain) < 3 {
		return false
	}
	// Names by their last byte, as most end otherwise.
	switch plain[len(plain)-1] {
	case 'd':
		return ends(plain, "password") || ends(plain, "passwd") || is(plain, "pwd")
	case 't':
		return ends(plain, "secret") || is(plain, "jwt")
	case 'n':
		return ends(plain, "token") || ends(plain, "authorization") || query && is(plain, "session")
	case 'y':
		return ends(plain, "apikey") || ends(plain, "accesskey") || ends(plain, "secretkey") || ends(plain, "privatekey") || ends(plain, "encryptionkey") || query && is(plain, "key")
	case 'e':
		return ends(plain, "passphrase") || ends(plain, "signature") || is(plain, "cookie") || is(plain, "setcookie") || query && (is(plain, "code") || is(plain, "state"))
	case 's':
		return is(plain, "pass") || ends(plain, "dbpass")
	case 'l':
		return ends(plain, "credential")
	case 'g':
		return query && is(plain, "sig")
	}
	return false
}

func ends(name []byte, with string) bool {
	return len(name) >= len(with) && string(name[len(name)-len(with):]) == with
}

func is(name []byte, word string) bool { return string(name) == word }
