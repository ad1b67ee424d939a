//go:generate go tool mdatagen metadata.yaml

// Package k8seventsreceiver turns the events of a Kubernetes cluster into log
// records: each once, by one of the gateways, and from where the last one stopped.
//
// Events of the core/v1 API enter, which are those of events.k8s.io/v1 too (one
// object, served twice); log records leave, with what an event is about as their
// resource.
//
// One goroutine runs the election, and for each namespace that is read (one for
// all, by default) another lists, watches and offers batches, while this instance
// leads. A batch is offered until the pipeline takes it, and meanwhile the watch is
// not read: the pressure reaches the API server by TCP. Start waits for nobody, and
// Shutdown awaits them all.
//
// # What is told once
//
// The position (metadata.resourceVersion, of a revision of the API server's store)
// advances when a batch is accepted. It is kept in a storage extension, and by the
// leader in an annotation of its Lease with each renewal, so that whoever leads next
// goes on from there without a request more. Where the API server has forgotten that
// revision (410 Gone) everything is listed again, and what is not newer than the
// position is not told. Beside that the newest events are known by uid and count:
// an update that changes neither, as of an annotation, is nothing new. A kill can
// repeat one batch, and a leader that is lost what it told since its last renewal.
//
// What the API server forgot before it was read (by default events live for an hour)
// can't be had; a gap is counted, and so are the happenings within it that a later
// count tells of.
//
// 2026-11-22, the position on the Lease: the other ways were a standby that watches
// too, which costs every gateway a watch and still does not know what was told, and
// an object of its own, with requests and a right more.
package k8seventsreceiver
