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
// What a scrape keeps, and which labels it drops, is the configuration's to say;
// a test holds the catalogue against the jobs in collector/configs. kubelet_stats
// is not in the catalogue: it tells pods apart by resource attributes only, which
// the translator leaves out, so in Prometheus its series can't be told apart.
//
// The label cluster is an external label of the remote write. On a laptop it is
// absent, so it is matched by a pattern that an absent label matches too.
package metrics
