// Package finding holds what Vigie says when something is wrong: a finding and
// a verdict.
//
// A Finding is filled in by a detector (internal/detect for requests,
// processors/conntrackprocessor for the connection-tracking table) and leaves
// as a JSON line (vigie detect), as a log record (ToLogRecord) or comes back
// from one (FromLogRecord: the gateway, the war room, exporters). The record's
// body is the same finding as an OCSF Detection Finding.
//
// What a finding quotes comes from the attacker: user agents, paths, account
// names. Bound makes it safe to print and to store: lists and strings have
// limits, a cut is marked, bytes are valid UTF-8 without control characters,
// numbers are finite. ToLogRecord and FromLogRecord apply it themselves.
//
// The package decides nothing, does no I/O, has no clock and owns no goroutine.
package finding
