package names

// Attributes that a record from Fluent Bit gets, beside those of a container's.
const (
	FluentTag          = "fluent.tag" // as contrib's fluent_forward receiver spells it
	K8sPodIP           = "k8s.pod.ip"
	K8sNodeName        = "k8s.node.name"
	ContainerID        = "container.id"
	ContainerImageName = "container.image.name"
	K8sPodLabel        = "k8s.pod.label."      // followed by the label
	K8sPodAnnotation   = "k8s.pod.annotation." // followed by the annotation
)
