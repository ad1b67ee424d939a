// Package cloudmetadataprocessor says of telemetry in which cloud, region, zone
// and cluster, and on which machine it was made: EC2 and EKS.
//
// Traces, metrics and logs enter and leave; resources get the attributes that
// they do not have. Nothing waits: a record passes with what is known when it
// comes. What is known at once is what the configuration says and what the pod's
// service account tells (its issuer is an EKS cluster's address); the rest comes
// from the instance metadata service, in version 2 alone, asked in the background
// until it answers or is given up. An empty value is never set.
//
// It calls no API of AWS or Kubernetes and needs no permission. It is not contrib's
// resource_detection: that one links the SDKs of every cloud, asks before it
// starts, and finds EKS by a call to the API server.
//
// One instance serves all pipelines of a component ID (internal/shared). One
// goroutine, started with the first pipeline and awaited by the last to shut
// down, asks; what it learns is published as a whole by an atomic pointer.
package cloudmetadataprocessor

//go:generate go tool mdatagen metadata.yaml
