// Package event is what happened beside the findings, as a log record: the
// calendar's events and their phases, push notifications, notes and severity of
// the war room.
//
// An Event enters (from Of, for a calendar, or FromEntry, for the log book, or
// filled in by hand) and leaves as a record with event.name = vigie.event, and
// the other way round. Exporters that tell people (Grafana) read it.
//
// The form of the record, with the names of internal/names:
//
//	event name               vigie.event (also as the attribute event.name)
//	time                     when it began
//	body                     the title, for whoever reads logs
//	vigie.event.id           stable; the same id told again replaces what was told
//	vigie.event.kind         match, phase, push, note, severity, commander, …
//	vigie.event.title        one line
//	vigie.event.text         may be empty
//	vigie.event.service      empty: all
//	vigie.event.who          the person; empty for what a machine saw
//	vigie.event.ref          the finding that it is about; may be empty
//	vigie.event.started_at   RFC 3339
//	vigie.event.ended_at     RFC 3339; missing for an instant
//
// What an event quotes may come from anybody: FromLogRecord and ToLogRecord bound
// it as finding.Clean does. The package does no I/O, has no clock and owns no
// goroutine.
package event
