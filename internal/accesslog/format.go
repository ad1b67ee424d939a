package accesslog

import (
	"fmt"
	"strings"
)

// Format is a family of access-log lines.
type Format uint8

// The formats, by the names that configuration uses.
const (
	// Auto recognises the format of each line.
	Auto Format = iota
	// Nginx is nginx's combined format and its usual extensions: a vhost
	// before, X-Forwarded-For and $request_time behind, or key=value pairs.
	Nginx
	// Apache is Apache's common, combined and vhost_combined. The lines are
	// read as Nginx's are; the name is there for whoever looks for it.
	Apache
	// IngressNginx is the default log-format-upstream of ingress-nginx.
	IngressNginx
	// Envoy is Envoy's default text format, and Istio's extension of it.
	Envoy
	// ALB is the access log of AWS's Application Load Balancer.
	ALB
	// CloudFront is CloudFront's standard log: tab-separated, with a #Fields
	// directive.
	CloudFront
	// CloudFrontRealtime is CloudFront's real-time log: tab-separated, the
	// fields as configured.
	CloudFrontRealtime
	// Traefik is Traefik's common log format.
	Traefik
	// HAProxy is HAProxy's HTTP log format (option httplog).
	HAProxy
	// Caddy is Caddy's JSON access log.
	Caddy
	// JSON is one JSON object a line, with well-known or configured names.
	JSON

	formats = iota
)

var formatNames = [formats]string{
	Auto: "auto", Nginx: "nginx", Apache: "apache", IngressNginx: "ingress_nginx", Envoy: "envoy",
	ALB: "alb", CloudFront: "cloudfront", CloudFrontRealtime: "cloudfront_realtime",
	Traefik: "traefik", HAProxy: "haproxy", Caddy: "caddy", JSON: "json",
}

// String returns the format's name in configuration.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("format(%d)", uint8(f))
}

// Names lists what ParseFormat takes.
func Names() []string { return formatNames[:] }

// ParseFormat reads a format's name; "" is auto, and a hyphen passes for an
// underscore.
func ParseFormat(s string) (Format, error) {
	s = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "-", "_")
	switch s {
	case "":
		return Auto, nil
	case "combined", "nginx_combined":
		return Nginx, nil
	case "common", "clf":
		return Apache, nil
	}
	for f, name := range formatNames {
		if s == name {
			return Format(f), nil
		}
	}
	return Auto, fmt.Errorf("log format %q is unknown: take one of %s", s, strings.Join(formatNames[:], ", "))
}
