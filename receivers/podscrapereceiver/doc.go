// Package podscrapereceiver scrapes the metrics of this node's pods: of those that
// ask for it by annotation, and of those that a rule of the configuration names.
//
// The list of pods enters from a kubelet_pods extension, and what the pods serve in
// Prometheus' formats; metrics leave. Contrib's prometheus receiver does the
// scraping. It learns its targets by HTTP service discovery from this process, on a
// loopback port of the kernel's choice under a path that nobody can guess; targets
// are made anew with each list of pods.
//
// Annotations are written by whoever may make a pod. What they say is bounded and
// checked; a pod is only ever scraped at its own address, without credentials and
// without following redirects; samples, bytes, labels and targets have limits. What
// is not understood is named once in the log and counted, and the pod is left alone.
// The receiver asks the API server for nothing. One goroutine serves the targets;
// the others are the scraper's.
package podscrapereceiver

//go:generate go tool mdatagen metadata.yaml
