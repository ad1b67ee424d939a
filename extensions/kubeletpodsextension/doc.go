// Package kubeletpodsextension keeps the list of this node's pods for others: who
// they are, where they listen, what they ask for by annotation.
//
// The kubelet's own list enters (GET /pods), every interval and sooner when
// somebody meets a pod that it lacks; other components find it by the extension's
// ID (internal/podlist). There is no watch on the API server, so that neither the
// size of the cluster nor an outage of the control plane matters. Whatever goes
// wrong, the last list stays, and health, metrics and one log line a minute say
// what. One goroutine, from Start to Shutdown, asks.
package kubeletpodsextension

//go:generate go tool mdatagen metadata.yaml
