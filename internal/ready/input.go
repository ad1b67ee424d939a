package ready

import (
	"net/netip"
	"time"

	"github.com/vigie-otel/vigie/internal/calendar"
)

// Inputs are everything that is known. Gaps say what is not.
type Inputs struct {
	At       time.Time
	Calendar *calendar.Calendar
	Problems []string // entries of the calendar that were ignored
	Event    *calendar.Event
	Expected []Expectation
	Cluster  Cluster
	Metrics  Metrics
}

// Source is a part of the inputs that can be missing as a whole.
type Source string

// The sources.
const (
	SourcePods        Source = "pods"
	SourceNodes       Source = "nodes"
	SourceDeployments Source = "deployments"
	SourceStateful    Source = "statefulsets"
	SourceHPAs        Source = "horizontalpodautoscalers"
	SourceScaled      Source = "scaledobjects"
	SourcePDBs        Source = "poddisruptionbudgets"
	SourceQuotas      Source = "resourcequotas"
	SourceServices    Source = "services"
	SourceConfigMaps  Source = "configmaps"
	SourceNodePools   Source = "nodepools"
	SourceNodeClasses Source = "ec2nodeclasses"
	SourceENIConfigs  Source = "eniconfigs"
	SourceCNI         Source = "daemonsets"
	SourceSubnets     Source = "subnets"
)

// Gap is why a source is missing and what to do.
type Gap struct {
	Why string
	Do  string
}

// Resources are what pods ask for and nodes have.
type Resources struct {
	CPUMilli int64 // thousandths of a core
	Memory   int64 // bytes
	Pods     int64
}

func (r Resources) plus(o Resources, times int64) Resources {
	return Resources{r.CPUMilli + times*o.CPUMilli, r.Memory + times*o.Memory, r.Pods + times*o.Pods}
}

// Cluster is what the API server said.
type Cluster struct {
	Gaps       map[Source]Gap
	Workloads  []Workload
	Unjudged   int             // workloads outside of what was asked for
	Elsewhere  map[string]bool // names of their services
	Nodes      []Node
	Pools      []NodePool  // Karpenter's
	Karpenter  bool        // its API is there
	Groups     []NodeGroup // the Cluster Autoscaler's
	Budgets    []Budget
	Quotas     []Quota
	NoRoom     int // pods that wait since no node has room, in the whole cluster
	DNS        DNS
	Services   int // Services in the cluster
	ProxyMode  string
	ProxyKnown bool // ProxyMode is read, not assumed
	CNI        CNI
	Subnets    []Subnet
	OtherHPAs  []string // autoscalers whose target is no Deployment or StatefulSet
}

func (c *Cluster) gap(sources ...Source) (Gap, bool) {
	for _, s := range sources {
		if g, ok := c.Gaps[s]; ok {
			return g, true
		}
	}
	return Gap{}, false
}

// Workload is a Deployment or a StatefulSet.
type Workload struct {
	Kind      string
	Namespace string
	Name      string
	// Services are the names by which its requests may be known, the likeliest
	// first: the resource.opentelemetry.io/service.name annotation, the labels
	// app.kubernetes.io/instance and /name, app, its own name.
	Services    []string
	Replicas    int // wanted
	Ready       int
	Pod         Resources
	Unrequested bool              // a container asks for no CPU
	Labels      map[string]string // of its pods
	Selector    map[string]string // nodeSelector
	Affinity    [][]Requirement   // required node affinity: one of the terms, each of all its requirements
	Tolerations []Toleration
	OnePerNode  bool // required anti-affinity to itself by host name
	HostNetwork bool // takes no pod address
	Pending     int
	NoRoom      int // of Pending: unschedulable
	OldestWait  time.Duration
	Spread      int // nodes that it runs on; 0 where pods are not known
	HPA         *HPA
}

// ID is namespace/name.
func (w *Workload) ID() string { return w.Namespace + "/" + w.Name }

// HPA is a HorizontalPodAutoscaler.
type HPA struct {
	Name     string
	Min, Max int
	Current  int
	Desired  int
	Metrics  []HPAMetric
	// Trouble are conditions that keep it from scaling, as "reason: message".
	Trouble []string
	Limited bool // it wants more than Max
	NoUp    bool // behavior.scaleUp is disabled
	// ScaledObject is KEDA's owner of it, which would set it back; "" where there is
	// none. Min and Max are then its own, and with ByKEDA not read those of the
	// autoscaler that KEDA made: a minimum of 1 where its own is 0.
	ScaledObject string
	ByKEDA       bool
}

// HPAMetric is what an autoscaler goes by: Ratio is the value over the target, as
// the autoscaler itself saw it last.
type HPAMetric struct {
	Name   string // e.g. "cpu", "requests_per_second"
	Target string // for a person, e.g. "60 % of the request"
	Ratio  float64
	Known  bool
}

// Requirement is one of a node selector term: key, operator (In, NotIn, Exists,
// DoesNotExist, Gt, Lt), values.
type Requirement struct {
	Key, Operator string
	Values        []string
}

// Toleration and Taint as Kubernetes has them; an empty effect tolerates each.
type (
	Toleration struct{ Key, Operator, Value, Effect string }
	Taint      struct{ Key, Value, Effect string }
)

// Node is one node.
type Node struct {
	Name        string
	Labels      map[string]string
	Taints      []Taint
	Capacity    Resources
	Allocatable Resources
	Used        Resources // requests of the pods on it, pods
	Daemons     Resources // of these: DaemonSets'
	Ready       bool
	Cordoned    bool
	PodCIDR     netip.Prefix // of the node, where the cluster gives it one
	Address     netip.Addr   // internal
}

func (n *Node) usable() bool { return n.Ready && !n.Cordoned }

// NodePool is Karpenter's. A limit below 0 is none.
type NodePool struct {
	Name          string
	Labels        map[string]string
	Taints        []Taint
	Requirements  []Requirement
	Weight        int
	CPULimit      int64 // thousandths of a core
	MemoryLimit   int64 // bytes
	NodesLimit    int64
	Used          Resources // capacity of its nodes
	UsedNodes     int64
	NotReady      string // why it is not; "" where it is
	Consolidates  bool   // disrupts nodes that are in use
	BudgetsClosed bool   // a budget of 0 nodes, without a schedule
	NodeClass     string
}

// NodeGroup is one of the Cluster Autoscaler's, as its status tells.
type NodeGroup struct {
	Name          string
	Min, Max      int
	Target, Ready int
	Healthy       bool
	Status        string // of scaling up: NoActivity, InProgress, Backoff
}

// Budget is a PodDisruptionBudget.
type Budget struct {
	Namespace, Name string
	Selector        []Requirement // matchLabels are In of one value; nil selects nothing
	Everything      bool          // an empty selector
	Allowed         int           // disruptions now
	Desired         int           // healthy pods that must stay
	Healthy         int
	Expected        int
}

// Quota is a ResourceQuota: what is left of it. Below 0: not limited.
type Quota struct {
	Namespace, Name        string
	CPUMilli, Memory, Pods int64
}

// DNS is CoreDNS.
type DNS struct {
	Found      bool
	Namespace  string
	Name       string
	Replicas   int
	Ready      int
	Spread     int    // nodes that it runs on
	Autoscaler string // what scales it, "" where nothing is seen
	NodeLocal  bool   // a cache on each node
}

// CNI is Amazon's VPC CNI.
type CNI struct {
	Found    bool // aws-node
	Prefixes bool // ENABLE_PREFIX_DELEGATION
	IPv6     bool // ENABLE_IPv6
	Custom   bool // AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: pods are in the ENIConfigs' subnets
	WarmIPs  int  // WARM_IP_TARGET; 0: not set
}

// Subnet is one that pods get addresses of.
type Subnet struct {
	ID, Zone string
	CIDR     string
	Free     int64
	From     string // how it was found: EC2NodeClass default, ENIConfig eu-west-3a, node addresses
}

// Metrics are what Prometheus said.
type Metrics struct {
	Gap    *Gap
	Source string        // whom was asked, e.g. 127.0.0.1:8640
	Window time.Duration // that rates are over
	At     time.Time
	Rates  map[string]Rate // by service
	// CPU in use by all pods of a workload over Window, in cores, by namespace/name:
	// of those without an autoscaler.
	CPU map[string]float64
	// DNSP99 in seconds over Window; nil where CoreDNS is not scraped.
	DNSP99 *float64
	// Tables are connection-tracking tables by node, ENA the allowances.
	Tables []Table
	ENA    []Allowance
	Walls  []Wall
	Errors []string // queries that failed
}

// Rate is what a service gets.
type Rate struct {
	Now     *float64 // {request}/s over Window
	Usual   *float64 // the highest five minutes at the event's hour of an earlier day
	UsualAt time.Time
	Metric  string // that says so
}

// Table is one node's connection-tracking table: the highest of Window.
type Table struct {
	Node    string
	Used    float64
	Limit   float64 // 0: none is told
	Dropped float64 // a second, over Window
}

// Allowance is one of ENA's: what is left of it (conntrack alone tells), and what
// was refused a second over Window.
type Allowance struct {
	Node, Interface, Name string
	Left                  *float64
	Exceeded              float64
}

// Wall is another limit that is near, as internal/headroom sees it.
type Wall struct {
	Name, Resource, Why string
	Utilization         *float64
	MinutesLeft         *float64
	Losing              bool
}
