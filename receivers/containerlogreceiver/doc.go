//go:generate go tool mdatagen metadata.yaml

// Package containerlogreceiver reads the logs of containers, and plain log
// files, as fast as a node can write them, and loses none that can be had.
//
// Files in CRI format, Docker's json-file format or the application's own enter;
// batches of log records leave, with the container's identity, which is in the
// file's path, as their resource. Fragments of long lines and the lines of stack
// traces are joined, and what the application says becomes severity, time, trace
// and attributes. Lines of access logs stay lines unless configured.
//
// How files are followed is internal/tail; what a line means, internal/cri; which
// lines belong together, internal/multiline; what a body says, internal/applog.
//
// Two goroutines, started by Start and awaited by Shutdown, and a third that asks
// the kubelet for its pods, if it is to be asked. The reader owns the
// files, their half-done lines and the batch that is being made. The sender owns
// the consumer and the storage: it has one batch at a time, offers it until it is
// accepted or refused for good, stores how far each file is read, and only then
// takes the next. So a kill repeats one batch at most, and while the consumer
// pushes back the reader stops, but goes on looking for files, so that none is
// missed. Two batches are in memory at most.
package containerlogreceiver
