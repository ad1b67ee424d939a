package names

// Attributes of a request: OpenTelemetry's HTTP semantic conventions.
const (
	ClientAddress          = "client.address"
	HTTPRequestMethod      = "http.request.method"
	URLPath                = "url.path"
	URLQuery               = "url.query"
	HTTPResponseStatusCode = "http.response.status_code"
	HTTPResponseBodySize   = "http.response.body.size"      // By
	HTTPServerDuration     = "http.server.request.duration" // s
	UserAgentOriginal      = "user_agent.original"
	ServerAddress          = "server.address"
	ServiceName            = "service.name"
	EventName              = "event.name"
)
