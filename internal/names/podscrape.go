package names

// Metrics of what is known of a node's pods, and of those that are scraped.
const (
	KubeletPodsLists = "vigie.kubelet_pods.lists" // {request}, monotonic, by outcome: asked of the kubelet
	KubeletPodsPods  = "vigie.kubelet_pods.pods"  // {pod}, of the newest list
	KubeletPodsAge   = "vigie.kubelet_pods.age"   // s, of the newest list

	KubeletPodsOutcome = "vigie.kubelet_pods.outcome" // attribute: ok, failed

	PodScrapeTargets = "vigie.pod_scrape.targets" // {target}, by rule
	PodScrapeIgnored = "vigie.pod_scrape.ignored" // {pod}, by reason: those that ask and are not scraped, now

	PodScrapeRule   = "vigie.pod_scrape.rule"   // attribute: a rule's name, or annotations
	PodScrapeReason = "vigie.pod_scrape.reason" // attribute: port, path, scheme, no_port, address, limit
)

// Annotations by which a pod asks for its metrics to be scraped. Prometheus' own of
// the same meaning (prometheus.io/scrape, …) are understood too; these come first.
const (
	PodScrape       = "vigie.dev/scrape"        // "true", or "false"
	PodScrapePort   = "vigie.dev/scrape-port"   // number or name
	PodScrapePath   = "vigie.dev/scrape-path"   // default /metrics
	PodScrapeScheme = "vigie.dev/scrape-scheme" // http (default), https
)
