// Package reportcmd is "vigie report": the record of an event as one HTML file
// that needs no server, and the same as JSON lines beside it.
//
// It asks a running Vigie for it (--server), or reads the data directory itself
// where none runs: the store is locked while it does.
package reportcmd
