// Package accesslog reads access-log lines into requests.
//
// In: one line at a time, without its newline, as nginx, ingress-nginx, Apache,
// Envoy and Istio, AWS's ALB and CloudFront, Traefik, HAProxy and Caddy write
// them, or as JSON with well-known or configured field names; alone or inside
// the prefixes that container runtimes and syslog put before them. Out: a
// request.Request whose slices alias the line (or the parser's scratch, for
// fields that had escapes), or a sentinel error that names why the line could
// not be read. A line is never guessed at: what a format does not say stays
// unknown, and a line that cannot be read is counted under its reason.
//
// With Format Auto the parser recognises each line by its shape, keeps to what
// it found last, and counts every line that needed another format.
//
// A Parser holds a few caches (the last second's time, the order of JSON keys)
// and reuses its buffers, so it belongs to one goroutine. Reading a line
// allocates nothing. The package does no I/O, has no clock, and starts no
// goroutine.
package accesslog
