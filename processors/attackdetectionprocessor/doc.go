// Package attackdetectionprocessor is the detector inside a pipeline.
//
// One instance a component ID serves its logs and traces pipelines. In mode
// agent:
//
//   - Request logs enter, as raw access-log lines in the body or as HTTP
//     semantic conventions in the attributes, and server spans. Each is judged;
//     those of an open finding leave with a mark, all others untouched.
//   - Findings and, each second, a summary a service leave in the logs stream.
//     A summary's attributes are the service's status; its body holds the
//     sketches from which a gateway judges the cluster.
//
// In mode gateway the agents' summaries enter and are taken out of the stream;
// findings and summaries of the whole cluster leave. All else passes.
//
// The processor keeps no request. Its memory is internal/detect's: fixed per
// service, with a limit on services.
//
// Ownership: engine holds detector, parser and clock, guarded by one mutex that
// is taken once a batch. One goroutine, started with the first pipeline and
// awaited by the last to shut down, ticks each second, looks at the calendar
// file, and sends what ticks gave. outlet has a lock of its own. Lock order:
// engine before outlet; neither is held while a consumer is called.
package attackdetectionprocessor

//go:generate go tool mdatagen metadata.yaml
