// Command fluentbit is an output plugin of Fluent Bit, out_vigie.so: it sends
// what Fluent Bit has read to a Vigie agent or gateway, or to any other receiver of
// OTLP logs over gRPC.
//
//	go build -buildmode=c-shared -o bin/out_vigie.so ./receivers/fluentbit
//
// This package is the C ABI and nothing else: Fluent Bit calls FLBPluginRegister
// once, FLBPluginInit for each [OUTPUT] section, FLBPluginFlushCtx for each chunk
// and FLBPluginExitCtx at the end. What happens to a chunk is in internal/output,
// what it is made of in internal/msgpack.
//
// Fluent Bit owns a chunk only while FLBPluginFlushCtx runs, so it is copied once.
// The call returns when a server has accepted it; meanwhile it occupies one of
// Fluent Bit's threads: give the section workers. No goroutine is started here.
//
// A panic in a plugin would end Fluent Bit. Here it is one chunk that fails, with a
// line that says so.
//
// Decision, 2026-11-22: the ABI is declared here, forty lines, rather than taken
// from github.com/fluent/fluent-bit-go. That package brings its MessagePack
// decoder, which internal/msgpack says why not to use, and what it keeps for an
// instance is never let go.
package main
