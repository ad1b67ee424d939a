package applog

// How much of a plain line is looked at: its severity stands in front, behind a
// time, a thread, a name.
const (
	prefixBytes = 120
	prefixWords = 8
)

// textSeverity finds the severity of a plain line. It is a word of its own among
// the first: in capitals, or in brackets, or right before a colon; or klog's
// letter; or level=word. "An error occurred" says nothing.
func textSeverity(line string) (number int32, text string) {
	if n := klog(line); n != 0 {
		return n, line[:1]
	}
	head := line[:min(len(line), prefixBytes)]
	words, equals := 0, false
	for i := 0; i < len(head) && words < prefixWords; {
		c := head[i]
		if c|0x20-'a' > 25 {
			equals = equals || c == '='
			i++
			continue
		}
		from := i
		for i < len(head) && (head[i]|0x20-'a' <= 25) {
			i++
		}
		words++
		if i-from >= 3 && i-from <= maxWord && edge(line, from-1) && edge(line, i) {
			if n := wordAnyCase(line[from:i]); n != 0 && stands(line, from, i) {
				return n, line[from:i]
			}
		}
		// The rest of a name or number: main-1, dev.vigie, 4711ms.
		for i < len(head) && isKeyByte(head[i]) {
			i++
		}
	}
	if equals {
		for _, key := range [...]string{"level=", "severity=", "lvl="} {
			if w := pair(head, key); w != "" {
				return wordAnyCase(w), w
			}
		}
	}
	return 0, ""
}

// edge tells whether a word may end at i.
func edge(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return true
	}
	switch s[i] {
	case ' ', '\t', '[', ']', '(', ')', '<', '>', '|', ':', ',', ';':
		return true
	}
	return false
}

// stands tells whether a severity's word is meant as one.
func stands(s string, from, to int) bool {
	capitals := true
	for i := from; i < to; i++ {
		capitals = capitals && s[i]&0x20 == 0
	}
	if capitals {
		return true
	}
	open, end := byte(0), byte(0)
	if from > 0 {
		open = s[from-1]
	}
	if to < len(s) {
		end = s[to]
	}
	switch {
	case open == '[' && end == ']', open == '<' && end == '>', open == '(' && end == ')', open == '|' || end == '|':
		return true
	}
	// ".NET's "info: Name[0]", "error: …" at the line's beginning or behind its time.
	return end == ':' && (from == 0 || s[from-1] == ' ' && (s[0]-'0' <= 9 || s[0] == '['))
}

// klog recognises "I1122 19:00:00.123456 …" (k8s.io/klog, and glog before it).
func klog(s string) int32 {
	if len(s) < 21 || s[5] != ' ' || s[8] != ':' || s[11] != ':' || s[14] != '.' {
		return 0
	}
	for _, i := range [...]int{1, 2, 3, 4, 6, 7, 9, 10} {
		if s[i]-'0' > 9 {
			return 0
		}
	}
	switch s[0] {
	case 'I', 'W', 'E', 'F':
		return letter(s[0])
	}
	return 0
}
