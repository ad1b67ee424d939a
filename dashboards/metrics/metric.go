package metrics

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"
)

// Kind is what a metric's value does.
type Kind int

const (
	Gauge     Kind = iota // goes up and down; with unit 1 it gets _ratio
	UpDown                // a sum that is not monotonic: a gauge to Prometheus, without _ratio
	Counter               // only grows: read it with rate or increase
	Histogram             // _bucket, _sum and _count
	Totals                // _sum and _count only, both without a type: what internal/prombridge makes of a histogram
)

// Source is the component or program that emits a metric.
type Source string

// The sources, by the type under which a configuration names them or, for what
// the prometheus receiver scrapes, by the program.
const (
	AttackMetrics Source = "attack_metrics"
	Detector      Source = "attack_detection"
	Conntrack     Source = "conntrack"
	ENA           Source = "ena"
	HostStat      Source = "host_stat"
	HostMetrics   Source = "host_metrics"
	ContainerLog  Source = "container_log"
	WarRoom       Source = "warroom"
	Kubelet       Source = "kubelet"
	SpanMetrics   Source = "span_metrics"
	Collector     Source = "collector" // its own telemetry
	Ledger        Source = "ledger"
	Tally         Source = "ledger's tally" // in the components that make, use up or lose items
	ConfigReload  Source = "config_reload"
	K8sEvents     Source = "k8s_events"
	PodList       Source = "kubelet_pods"
	PodScrape     Source = "pod_scrape"
	PodAttributes Source = "pod_attributes"
	SeriesGuard   Source = "series_guard"
	RemoteWrite   Source = "remote_write"
	CloudWatch    Source = "cloudwatch"
	Grafana       Source = "grafana"
	EventBridge   Source = "eventbridge"
	Scrape        Source = "prometheus"
	CAdvisor      Source = "cAdvisor"
	KubeState     Source = "kube-state-metrics"
	APIServer     Source = "API server"
	CoreDNS       Source = "CoreDNS"
	KubeProxy     Source = "kube-proxy"
	Karpenter     Source = "Karpenter"
	KEDA          Source = "KEDA"
)

// The value of the label job, by who is scraped or sends.
const (
	JobHost      = "host"
	JobCAdvisor  = "kubelet-cadvisor"
	JobKubelet   = "kubelet"
	JobKubeState = "kube-state-metrics"
	JobAPIServer = "apiserver"
	JobCoreDNS   = "coredns"
	JobKubeProxy = "kube-proxy"
	JobVigie     = "vigie.*" // a pattern: vigie, vigie-agent, vigie-gateway
)

// Labels that every series may have: the remote write's external label and what
// the resource's service.name and service.instance.id become.
const (
	Cluster  = "cluster"
	Job      = "job"
	Instance = "instance"
)

// Metric is one metric as it is found in Prometheus.
type Metric struct {
	// Name is the Prometheus name; of a histogram the part before _bucket.
	Name string
	// OTel is the name before translation, empty for what is scraped.
	OTel string
	// Unit is UCUM, as in metadata.yaml; empty where the format has none.
	Unit string
	Kind Kind
	// Labels are the metric's own, sorted, beside cluster, job and instance.
	Labels []string
	Source Source
}

// String is the Prometheus name, so that a Metric can be formatted into a query.
func (m *Metric) String() string { return m.Name }

// Bucket, Sum and Count are the series of a histogram; of Totals there is no
// bucket. They panic for other kinds: the mistake is in the source code.
func (m *Metric) Bucket() string { return m.part("_bucket", Histogram) }
func (m *Metric) Sum() string    { return m.part("_sum", Histogram, Totals) }
func (m *Metric) Count() string  { return m.part("_count", Histogram, Totals) }

func (m *Metric) part(suffix string, kinds ...Kind) string {
	if !slices.Contains(kinds, m.Kind) {
		panic(fmt.Sprintf("%s has no %s", m.Name, suffix))
	}
	return m.Name + suffix
}

// Series are the names under which queries find the metric.
func (m *Metric) Series() []string {
	switch m.Kind {
	case Histogram:
		return []string{m.Bucket(), m.Sum(), m.Count()}
	case Totals:
		return []string{m.Sum(), m.Count()}
	default:
		return []string{m.Name}
	}
}

// HasLabel reports whether series can have the label: le only on buckets.
func (m *Metric) HasLabel(series, label string) bool {
	switch label {
	case Cluster, Job, Instance, "__name__":
		return true
	case "le":
		return m.Kind == Histogram && strings.HasSuffix(series, "_bucket")
	}
	return slices.Contains(m.Labels, label)
}

// list collects the metrics while the package's variables are initialised; after
// that nothing is added.
type list struct{ all []*Metric }

var catalogue list

// All are the metrics of the catalogue in the order of their names.
func All() []*Metric {
	all := slices.Clone(catalogue.all)
	slices.SortFunc(all, func(a, b *Metric) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Find gives the metric to which a series name belongs, or nil.
func Find(series string) *Metric {
	for _, m := range catalogue.all {
		if slices.Contains(m.Series(), series) {
			return m
		}
	}
	return nil
}

// The translator's defaults; see internal/promstore.
var (
	metricNamer = otlptranslator.MetricNamer{WithMetricSuffixes: true}
	labelNamer  = otlptranslator.LabelNamer{UnderscoreLabelSanitization: true}
)

// otel declares a metric that reaches the translator under an OpenTelemetry name.
func otel(src Source, name, unit string, kind Kind, attributes ...string) *Metric {
	types := map[Kind]otlptranslator.MetricType{
		Gauge: otlptranslator.MetricTypeGauge, UpDown: otlptranslator.MetricTypeNonMonotonicCounter,
		Counter: otlptranslator.MetricTypeMonotonicCounter, Histogram: otlptranslator.MetricTypeHistogram,
	}
	prom, err := metricNamer.Build(otlptranslator.Metric{Name: name, Unit: unit, Type: types[kind]})
	if err != nil {
		panic(err)
	}
	m := &Metric{Name: prom, OTel: name, Unit: unit, Kind: kind, Source: src}
	for _, a := range attributes {
		m.Labels = append(m.Labels, Label(a))
	}
	return catalogue.add(m)
}

// prom declares a metric that has its Prometheus name already.
func prom(src Source, name string, kind Kind, labels ...string) *Metric {
	return catalogue.add(&Metric{Name: name, Kind: kind, Labels: slices.Clone(labels), Source: src})
}

func (l *list) add(m *Metric) *Metric {
	slices.Sort(m.Labels)
	l.all = append(l.all, m)
	return m
}

// Label is what an attribute is called in Prometheus.
func Label(attribute string) string {
	l, err := labelNamer.Build(attribute)
	if err != nil {
		panic(err)
	}
	return l
}
