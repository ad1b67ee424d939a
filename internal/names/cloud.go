package names

// Attributes of the machine and its cloud: OpenTelemetry's semantic conventions.
const (
	CloudProvider         = "cloud.provider"
	CloudPlatform         = "cloud.platform" // aws_eks, aws_ec2
	CloudRegion           = "cloud.region"
	CloudAvailabilityZone = "cloud.availability_zone"
	CloudAccountID        = "cloud.account.id"
	HostID                = "host.id"
	HostType              = "host.type"
	HostName              = "host.name"
	HostImageID           = "host.image.id"
	K8sClusterName        = "k8s.cluster.name"
)
