package finding

// Verdict is what a service's traffic is judged to be, each second.
type Verdict string

// The verdicts. Missing input makes it Unknown, never Normal; the zero value
// counts as Unknown.
const (
	Normal  Verdict = "normal"
	Crowd   Verdict = "crowd"  // a surge that looks like the service's own crowd
	Attack  Verdict = "attack" // a surge, or a quiet abuse, that does not
	Mixed   Verdict = "mixed"  // both at once
	Unknown Verdict = "unknown"
)

// Verdicts returns all verdicts in the order in which a state set lists them.
func Verdicts() []Verdict { return []Verdict{Normal, Crowd, Attack, Mixed, Unknown} }

// Valid reports whether v is one of Verdicts.
func (v Verdict) Valid() bool {
	switch v {
	case Normal, Crowd, Attack, Mixed, Unknown:
		return true
	}
	return false
}
