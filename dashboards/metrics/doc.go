// Package metrics is the catalogue of what Vigie's configurations emit, as
// Prometheus names: dashboards, recording rules and alerts are written against
// its Go identifiers and never against a string, so a metric that is renamed
// breaks the build or a test instead of a panel.
//
// What is ours comes from internal/names. What is another's (host_metrics,
// kubelet_stats, span_metrics, the collector's own telemetry) is declared with
// the name, unit and kind of the pinned version; a test reads the modules'
// metadata.yaml and holds the two against each other. What Kubernetes' programs
// expose in Prometheus' own format is declared as they spell it.
//
// Names and labels are translated by the translator that the embedded store and
// the prometheus_remote_write exporter use, with its defaults: units and _total
// become suffixes, dots become underscores, of a resource only service.name and
// service.instance.id become labels (job, instance).
//
// Four things are asked of the configuration, because the defaults give nothing
// that a panel could use:
//
//   - kubelet_stats tells its volumes apart by resource attributes, which the
//     translator leaves out: they are copied onto the points.
//   - span_metrics counts in milliseconds unless histogram.unit is s, and knows
//     no namespace unless k8s.namespace.name is one of its dimensions.
//   - kube-state-metrics is scraped with honor_labels, else its namespace and pod
//     become exported_namespace and exported_pod.
//   - jobs are called as the Job constants say, and instance is the node's name
//     for what the agent scrapes from its own kubelet.
//
// The label cluster is an external label of the remote write. On a laptop it is
// absent, so it is matched by a pattern that an absent label matches too.
package metrics
