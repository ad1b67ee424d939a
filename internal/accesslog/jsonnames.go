package accesslog

import (
	"fmt"
	"slices"
	"strings"
)

// jsonField is what a JSON key means to us.
type jsonField uint8

const (
	jNone    jsonField = iota
	jPrefix            // an object on the way to a known key
	jThrough           // an object whose members count as its parent's
	jTime
	jPeer
	jForwarded
	jMethod
	jURI
	jQuery
	jLine // "GET /path HTTP/1.1"
	jStatus
	jBytes
	jSeconds // a duration, in seconds unless it has a unit
	jMillis
	jNanos
	jDuration // named so by many, in s (Caddy), ms (Envoy) or ns (Traefik)
	jUserAgent
	jReferer
	jHost
	jService
	jAccount
	jJA4

	jsonFields
)

// known is a key's meaning; of two keys with one meaning the higher rank wins.
type known struct {
	field jsonField
	rank  uint8
}

// fieldNames are the names by which Options.Fields speaks of request fields.
var fieldNames = map[string]jsonField{
	"time": jTime, "client": jPeer, "forwarded": jForwarded, "method": jMethod, "path": jURI, "query": jQuery,
	"request": jLine, "status": jStatus, "bytes": jBytes, "duration_s": jSeconds, "duration_ms": jMillis,
	"duration_ns": jNanos, "user_agent": jUserAgent, "referer": jReferer, "host": jHost, "service": jService,
	"account": jAccount, "ja4": jJA4,
}

// FieldNames lists what Options.Fields may map.
func FieldNames() []string {
	names := make([]string, 0, len(fieldNames))
	for n := range fieldNames {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// wellKnown lists, in rising rank, the keys that the common writers use: nginx
// and ingress-nginx (escape=json), Envoy and Istio, Caddy, Traefik, ECS, Google
// Cloud, Fluent Bit's parsers, and the semantic conventions, old and new. Keys are compared in lower
// case, with "-" as "_", and with dots for nesting.
var wellKnown = map[jsonField]string{
	jPrefix:  "",
	jThrough: "attributes fields json data access nginx labels logattributes jsonpayload",
	jTime: "date datetime ts timestamp @timestamp time startlocal time_local start_time startutc time_iso8601 msec " +
		"event.created",
	jPeer: "ip addr remote source.ip source.address remoteip remote_address remote_ip net.peer.ip network.peer.address " +
		"downstream_direct_remote_address downstream_remote_address remote_addr clientaddr clienthost request.remote_ip " +
		"httprequest.remoteip clientip client_ip http.client_ip client client.ip request.client_ip client.address",
	jForwarded: "forwarded_for x_forward_for xff request.headers.x_forwarded_for request_x_forwarded_for " +
		"http.request.header.x_forwarded_for http_x_forwarded_for x_forwarded_for",
	jMethod: "verb method httpmethod http.method http_method request.method requestmethod httprequest.requestmethod " +
		"request_method http.request.method",
	jURI: "path uri url http.path http.target http.url httprequest.requesturl url.original request.url request.path " +
		"request_path requestpath request.uri request_uri x_envoy_origin_path x_envoy_original_path url.path",
	jQuery: "query args query_string request_query http.query url.query",
	jLine:  "request request_line requestline http_request",
	jStatus: "response code http_status statuscode status_code http.status_code downstreamstatus response.status " +
		"httprequest.status response_code status http.response.status_code",
	jBytes: "bytes size response_size responsesize length_sent downstreamcontentsize httprequest.responsesize " +
		"http.response_content_length bytes_sent body_bytes_sent http.response.bytes http.response.body.bytes " +
		"http.response.body.size",
	jSeconds:  "response_time elapsed latency httprequest.latency request_time http.server.request.duration",
	jMillis:   "latency_ms elapsed_ms duration_ms",
	jNanos:    "event.duration duration_ns",
	jDuration: "duration",
	jUserAgent: "agent ua useragent request.headers.user_agent request_user_agent httprequest.useragent http.user_agent " +
		"http_user_agent http.request.header.user_agent user_agent user_agent.original",
	jReferer: "referrer referer http_referrer http_referer httprequest.referer request.headers.referer request_referer " +
		"http.request.referrer http.request.header.referer",
	jHost: "server_name domain host vhost requestaddr requesthost request.host http.host http_host authority :authority " +
		"url.domain server.address",
	jService: "upstream_name proxy_upstream_name upstream_cluster routername servicename service_name service " +
		"service.name",
	jAccount: "user userid user_id remote_user clientusername user.id user.name enduser.id",
	jJA4:     "ja4 tls_ja4 ssl_ja4 http_ja4 tls.ja4 tls.client.ja4",
}

// fieldTable builds the table of keys: the well-known ones and, above them, the
// configured ones.
func fieldTable(configured map[string]string) (map[string]known, error) {
	t := make(map[string]known, 256)
	for f, names := range wellKnown {
		for rank, name := range strings.Fields(names) {
			t[name] = known{f, uint8(rank + 1)}
		}
	}
	for name, key := range configured {
		f, ok := fieldNames[name]
		if !ok {
			return nil, fmt.Errorf("field %q is unknown: take some of %s", name, strings.Join(FieldNames(), ", "))
		}
		if key == "" {
			return nil, fmt.Errorf("field %q needs the JSON key that holds it", name)
		}
		t[string(appendKey(nil, []byte(key)))] = known{f, 255}
	}
	// An object may be a value's parent and, as a string, a value itself
	// (Caddy's request, nginx's request): both are kept.
	for name := range t {
		for i := range len(name) {
			if name[i] == '.' {
				if _, ok := t[name[:i]]; !ok {
					t[name[:i]] = known{field: jPrefix}
				}
			}
		}
	}
	return t, nil
}

// appendKey appends a key in the form in which keys are compared.
func appendKey(dst, key []byte) []byte {
	for _, c := range key {
		switch {
		case c == '-':
			c = '_'
		case c-'A' <= 25:
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
