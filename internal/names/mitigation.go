package names

// What proposed rules test beside the attributes of a request, and what they do
// together.
const (
	HTTPRequestHeaderReferer = "http.request.header.referer"
	FindingMitigation        = "vigie.finding.mitigation" // coverage, legitimate_hit, note: of all rules together
)
