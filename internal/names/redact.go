package names

// The metric of what was taken out before anything left.
const (
	RedactReplaced = "vigie.redact.replaced" // {replacement}, monotonic, by kind
	RedactKind     = "vigie.redact.kind"     // tokens, cards, emails, urls
)
