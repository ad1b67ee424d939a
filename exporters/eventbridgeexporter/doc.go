//go:generate go tool mdatagen metadata.yaml

// Package eventbridgeexporter puts findings on an Amazon EventBridge bus, so that
// a notification, a function or a ticket can follow by a rule.
//
// Log records enter; those that are findings of the wanted statuses are taken and
// queued, all others passed over before the queue. What leaves are PutEvents
// calls: an entry a finding, whose detail is the finding as an OCSF Detection
// Finding. A detail that is too large is cut down and says so. Of a call that was
// accepted in part only the failed entries are sent again; what EventBridge will
// never take is counted and logged, one entry at a time.
//
// Region and credentials come from internal/awsclient, which never delays the
// start: until they are there the queue waits, on disk where a storage is named.
//
// Exporterhelper owns the queue's goroutine, awsclient one of its own until it
// has credentials.
package eventbridgeexporter
