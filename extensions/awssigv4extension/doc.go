// Package awssigv4extension signs what other exporters send to AWS: remote write
// to Amazon Managed Prometheus, traces to X-Ray's OTLP endpoint, metrics and logs
// to CloudWatch's.
//
// An HTTP request without a signature enters; the same request with one leaves.
// The extension asks nobody for credentials on the way: internal/awsclient looks
// for them in the background, from Start until it has them. Until then each
// request ends in an error that says what is missing, and the exporter that made
// it keeps its data and tries again.
//
// It exists beside contrib's sigv4auth because that one asks for credentials
// while the configuration is validated: without them, or without a metadata
// service, the collector does not start.
package awssigv4extension

//go:generate go tool mdatagen metadata.yaml
