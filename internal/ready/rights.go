package ready

// Right is one permission of the Kubernetes API.
type Right struct {
	Group    string   // "" is core
	Resource string   // plural
	Verbs    []string // list, get
	Names    []string // resourceNames, where only these are read
	Why      string
}

// Rights is all that the command asks of the API server: for a ClusterRole. A test
// holds it against the requests that go out. There is no verb that writes, and no
// Secret; without one of them the finding that needs it is unknown.
func Rights() []Right {
	list := []string{"list"}
	return []Right{
		{"", "nodes", list, nil, "room on nodes"},
		{"", "pods", list, nil, "what nodes carry, and which pods wait"},
		{"", "services", list, nil, "how many there are, for kube-proxy's rules"},
		{"", "resourcequotas", list, nil, "limits of a namespace"},
		{"", "configmaps", []string{"get"}, ConfigMaps(), "kube-proxy's mode, the Cluster Autoscaler's status"},
		{"apps", "deployments", list, nil, "services and what their pods ask for"},
		{"apps", "statefulsets", list, nil, "services and what their pods ask for"},
		{"apps", "daemonsets", []string{"get"}, []string{"aws-node"}, "how the VPC CNI takes addresses"},
		{"autoscaling", "horizontalpodautoscalers", list, nil, "minimum, maximum and what they measure"},
		{"keda.sh", "scaledobjects", list, nil, "KEDA's own minimum, where it owns an autoscaler"},
		{"policy", "poddisruptionbudgets", list, nil, "budgets that would block"},
		{"karpenter.sh", "nodepools", list, nil, "Karpenter's limits"},
		{"karpenter.k8s.aws", "ec2nodeclasses", list, nil, "subnets of new nodes"},
		{"crd.k8s.amazonaws.com", "eniconfigs", list, nil, "subnets of pods"},
	}
}

// Where the ConfigMaps and DaemonSets are that Rights names.
const SystemNamespace = "kube-system"

// Names of ConfigMaps in SystemNamespace.
const (
	AutoscalerStatus = "cluster-autoscaler-status"
	ProxyConfigEKS   = "kube-proxy-config"
	ProxyConfig      = "kube-proxy"
)

// ConfigMaps are those of SystemNamespace that are read.
func ConfigMaps() []string { return []string{AutoscalerStatus, ProxyConfigEKS, ProxyConfig} }

// Actions are those of AWS, by IAM's names: subnets' free addresses, and queries
// where the metrics are Amazon Managed Prometheus'.
func Actions() []string { return []string{"ec2:DescribeSubnets", "aps:QueryMetrics"} }
