//go:generate go tool mdatagen metadata.yaml

// Package grafanaexporter draws findings and events as annotations in Grafana.
//
// Log records enter; those that are findings (internal/finding) or events
// (internal/event) are taken, all others passed over; and, where they are named,
// the files of the event calendar and of the war room's log book. What leaves are
// calls of Grafana's annotation API. A finding is a region that begins where it began,
// grows while it is open, is written anew when what is known of it changes, and
// ends where it closed.
//
// It keeps no queue of calls but, for each finding and event, how its annotation
// shall look and what Grafana has of it: a table of limited size, also in the
// storage extension where one is named. A worker brings Grafana to what the table
// says. So an hour without Grafana loses nothing and costs one call a finding
// afterwards; what it leaves out are the looks in between. The calls for one
// finding are made in order, since there is one worker, and a word that is older
// than what is known is not taken.
//
// An annotation is known by a tag with the finding's id. Before one is made,
// Grafana is asked for that tag: an answer that got lost, a restart without
// storage and a second exporter make no second annotation.
//
// The worker is one goroutine from Start to Shutdown; the readers of the calendar
// and of the log book, where there are such, one each. The table is guarded by its
// mutex, which is not held during calls.
package grafanaexporter
