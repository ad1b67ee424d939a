package applog

import "strings"

// looksLikeLogfmt tells whether a line begins with a key and "=".
func looksLikeLogfmt(s string) bool {
	for i := range min(len(s), 64) {
		if c := s[i]; !isKeyByte(c) {
			return c == '=' && i > 0
		}
	}
	return false
}

func isKeyByte(c byte) bool {
	return c-'a' <= 25 || c-'A' <= 25 || c-'0' <= 9 || c == '_' || c == '.' || c == '-' || c == '@' || c == '/'
}

// parseLogfmt reads key=value pairs. Values are texts: what looks like a number in
// one line may not in the next. Unless told that the line is logfmt, it must be so
// throughout, with two pairs at the least, one of which has a place in a record.
func (p *Parser) parseLogfmt(s string, told bool) bool {
	p.keys.begin()
	pairs := 0
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		from := i
		for i < len(s) && s[i] > ' ' && s[i] != '=' && s[i] != '"' {
			i++
		}
		name := s[from:i]
		if name == "" {
			return false
		}
		if i >= len(s) || s[i] != '=' {
			if !told || i < len(s) && s[i] == '"' {
				return false
			}
			p.add(Field{key: p.keys.get(nil, name, p.limits.KeyBytes), Type: Bool, Int: 1})
			continue
		}
		i++
		f := Field{key: p.keys.get(nil, name, p.limits.KeyBytes)}
		if i < len(s) && s[i] == '"' {
			if f.Str, i = text(s, i); i < 0 || i < len(s) && s[i] > ' ' {
				return false
			}
		} else {
			from = i
			for i < len(s) && s[i] > ' ' {
				i++
			}
			f.Str = s[from:i]
		}
		pairs++
		p.add(f)
	}
	r := &p.rec
	if pairs == 0 || !told && (pairs < 2 || r.Severity == 0 && r.Time == 0 && !r.HasMessage) {
		return false
	}
	r.Kind = Fields
	p.request(told)
	return true
}

// pair finds key=word in a text's beginning.
func pair(s, key string) string {
	i := strings.Index(s, key)
	if i < 0 || i > 0 && isKeyByte(s[i-1]) {
		return ""
	}
	s = strings.TrimPrefix(s[i+len(key):], `"`)
	end := 0
	for end < len(s) && (s[end]|0x20)-'a' <= 25 {
		end++
	}
	return s[:end]
}
