package mitigation

import (
	"regexp"
	"strings"

	"github.com/vigie-otel/vigie/internal/names"
)

// wafField says where WAF finds an attribute of a request.
func wafField(name string) (obj, bool) {
	switch name {
	case names.UserAgentOriginal:
		return header("user-agent"), true
	case names.ServerAddress:
		return header("host"), true
	case names.HTTPRequestHeaderReferer:
		return header("referer"), true
	case names.URLPath:
		return obj{"UriPath": obj{}}, true
	case names.URLQuery:
		return obj{"QueryString": obj{}}, true
	case names.HTTPRequestMethod:
		return obj{"Method": obj{}}, true
	case "tls.client.ja4":
		return obj{"JA4Fingerprint": obj{"FallbackBehavior": "NO_MATCH"}}, true
	}
	return nil, false
}

func header(name string) obj { return obj{"SingleHeader": obj{"Name": name}} }

// nginxVariable says where nginx finds an attribute of a request.
func nginxVariable(name string) (string, bool) {
	switch name {
	case names.UserAgentOriginal:
		return "$http_user_agent", true
	case names.ServerAddress:
		return "$host", true
	case names.HTTPRequestHeaderReferer:
		return "$http_referer", true
	case names.URLPath:
		return "$request_uri", true
	case names.URLQuery:
		return "$args", true
	case names.HTTPRequestMethod:
		return "$request_method", true
	}
	return "", false
}

// templateRegexp turns a path template (/live/{id}/segment) into an anchored
// regular expression; false if v has no placeholder.
func templateRegexp(v string) (string, bool) {
	if !placeholder.MatchString(v) {
		return "", false
	}
	parts := placeholder.Split(v, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return "^" + strings.Join(parts, "[^/]+") + "$", true
}

var placeholder = regexp.MustCompile(`\{[a-z_*]*\}`)
