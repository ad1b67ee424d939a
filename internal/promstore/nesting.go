package promstore

const (
	// maxQueryBytes bounds an expression; a long one is a long regular expression.
	maxQueryBytes = 64 << 10
	// maxQueryTokens bounds its parts. The parser takes time by the square of
	// their nesting, before the engine's timeout begins: 8,000 unary minuses take
	// 0.7 s of a core, 64,000 took 20 s.
	maxQueryTokens = 8 << 10
)

// checkSize refuses an expression that would take long only to be understood.
func checkSize(expr string) error {
	if len(expr) > maxQueryBytes {
		return badParam("query", "has %d bytes; at most %d are evaluated", len(expr), maxQueryBytes)
	}
	if n := tokens(expr); n > maxQueryTokens {
		return badParam("query", "has %d operators, brackets and words; at most %d are evaluated", n, maxQueryTokens)
	}
	return nil
}

// tokens counts words, numbers and punctuation outside of string literals: about
// what the lexer would, for no work.
func tokens(expr string) (n int) {
	var quote byte // of the literal that we are in, else 0
	word := false
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote, word = c, false
			n++
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			word = false
		case c == '_' || c == ':' || c == '.' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z':
			if !word {
				n++
			}
			word = true
		default:
			n++
			word = false
		}
	}
	return n
}
