package redact

import "strings"

// digits looks at a run of digits, which begins at i or earlier.
func (p *pass) digits(i int) int {
	end := i
	for end < len(p.s) && isDigit(p.s[end]) {
		end++
	}
	if p.kinds&Cards == 0 || i > 0 && (isDigit(p.s[i-1]) || isAlpha(p.s[i-1]) || p.s[i-1] == '.' || p.s[i-1] == '-') || end-i < 4 {
		return end
	}
	var number [19]byte
	n := copy(number[:], p.s[i:end])
	if end-i > 19 {
		return end
	}
	if end-i == 4 { // perhaps the first of a card's groups
		var ok bool
		if n, end, ok = p.groups(i, &number); !ok {
			return i + 4
		}
	}
	if end < len(p.s) && (isWord(p.s[end]) || p.s[end] == '.' && end+1 < len(p.s) && isDigit(p.s[end+1])) {
		return end
	}
	if !issued(number[:n]) || !checks(number[:n]) {
		return end
	}
	quote := "" // a number in JSON becomes a string there
	if k := strings.TrimRight(p.s[:i], " "); strings.HasSuffix(k, ":") {
		quote = p.quote(len(k) - 1)
	}
	return p.replace(i, end, quote+card+quote, Cards)
}

// groups reads 1234 5678 9012 3456, or 3712 345678 95006 as American Express has
// it, by one kind of separator.
func (p *pass) groups(i int, number *[19]byte) (n, end int, ok bool) {
	n, end = 4, i+4
	if end >= len(p.s) || p.s[end] != ' ' && p.s[end] != '-' {
		return 0, 0, false
	}
	separator := p.s[end]
	shape := [...]int{4, 4, 4, 3}
	if p.s[i] == '3' {
		shape = [...]int{6, 5, 0, 0}
	}
	for at, want := range shape {
		if want == 0 || end >= len(p.s) || p.s[end] != separator {
			break
		}
		run := 0
		for end+1+run < len(p.s) && isDigit(p.s[end+1+run]) {
			run++
		}
		if run != want && (at < 3 || run == 0) {
			break // another number stands there
		}
		if n+run > len(number) {
			return 0, 0, false
		}
		n += copy(number[n:], p.s[end+1:end+1+run])
		end += 1 + run
	}
	return n, end, n >= 14
}

// issued tells whether a scheme issues cards that begin so, of that length. A time
// in milliseconds or nanoseconds begins with 1, which none does.
func issued(number []byte) bool {
	n, two := len(number), 10*int(number[0]-'0')+int(number[1]-'0')
	switch {
	case number[0] == '4': // Visa
		return n == 13 || n == 16 || n == 19
	case two >= 51 && two <= 55 || two >= 22 && two <= 27: // Mastercard
		return n == 16
	case two == 34 || two == 37: // American Express
		return n == 15
	case two == 30 || two == 36 || two == 38: // Diners
		return n == 14
	case two == 35: // JCB
		return n == 16
	case two == 60 || two == 62 || two == 64 || two == 65: // Discover, UnionPay
		return n >= 16 && n <= 19
	case two == 50 || two >= 56 && two <= 58 || two == 63 || two == 67: // Maestro
		return n == 16 || n == 18 || n == 19
	}
	return false
}

// checks is Luhn's check digit (ISO/IEC 7812-1, annex B).
func checks(number []byte) bool {
	sum, same := 0, true
	for i := range number {
		d := int(number[len(number)-1-i] - '0')
		same = same && number[i] == number[0]
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && !same
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isWord(c byte) bool { return isDigit(c) || isAlpha(c) || c == '_' }
