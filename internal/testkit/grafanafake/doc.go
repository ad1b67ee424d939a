// Package grafanafake is an HTTP server that answers as Grafana does where Vigie
// talks to it: annotations, health, and what a service account's token may do.
//
// Requests enter over loopback; what they left behind is read with Annotations.
// It checks what Grafana checks: the bearer token, the permission of each
// action, JSON types, a text that is not empty, the length of tags (500 bytes in
// all, 100 characters each, the columns' width), the existence of a dashboard. It
// keeps times as Grafana keeps them, in milliseconds: an annotation without
// timeEnd ends where it began, and one that ends before it began is turned
// round. Tags match as in its SQL: "a:b" is key a with value b, "a" is key a with
// any value, and the number of tags that match must be the number asked for, so
// that an annotation with a and a:b is not found under a alone.
//
// Faults are injected for the next requests: a status, a cut connection before
// or after the request was carried out, an answer that comes late.
//
// It serves tests and nothing else. A Server owns the goroutines of its
// httptest.Server and ends them in Close.
package grafanafake
