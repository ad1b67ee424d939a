// Package output is the plugin without Fluent Bit: chunks of MessagePack enter,
// OTLP logs leave over gRPC, and the answer says what became of them.
//
// An Instance is one [OUTPUT] section. Its Flush takes a chunk and returns when a
// server has accepted every record of it (OK), when it has to come again (Retry),
// or when none of it can ever arrive (Failed). Nothing is held back between calls:
// Fluent Bit's own buffer, on disk if so configured, is the only queue, so there
// is nothing to lose at exit and no memory beyond a request a worker.
//
// A chunk becomes as few requests as its limits allow. When a later one fails, the
// instance remembers how much of that chunk was accepted, and sends only the rest
// when Fluent Bit brings it again. A request whose answer was lost is sent twice.
//
// A record that cannot be read is counted and passed over; after bytes that are
// not MessagePack the rest of a chunk is.
package output
