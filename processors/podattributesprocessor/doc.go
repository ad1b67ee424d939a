// Package podattributesprocessor says whose telemetry it is, by this node's pods.
//
// Metrics, logs and traces enter; the same leave, and each resource that names a pod,
// or came over a connection from one, has the pod's namespace, name, UID, node,
// workload and service as attributes where it had none. The pods come from a
// kubelet_pods extension: nothing is asked on the way, nothing waits, and there is
// no watch on the API server. A resource of a pod that is not known yet passes as it
// is, and the list is asked for anew.
//
// It exists beside contrib's k8s_attributes because that one has an informer of its
// own in each pipeline, seven of them in an agent, and knows nothing while the API
// server is away. The package owns no goroutine.
package podattributesprocessor

//go:generate go tool mdatagen metadata.yaml
