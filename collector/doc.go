// Command vigie is the binary: an OpenTelemetry Collector for EKS clusters that
// carry live events, and everything that a laptop needs in one process.
//
// What is compiled in stands in components.go; what runs by default stands in
// configs/. With no --config it runs the laptop shape. The command owns nothing
// of a pipeline's work: it resolves and checks the configuration, derives the
// memory limit, and hands over to the collector's service. Subcommands for
// people (detect, replay, eval, conntrack) live in packages of their own beside
// this one.
package main
