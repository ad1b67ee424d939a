package metrics

import "github.com/vigie-otel/vigie/internal/names"

// Labels of the ledger.
var (
	LedgerSignal  = Label(names.LedgerSignal)
	LedgerTo      = Label(names.LedgerTo)
	LedgerAccount = Label(names.LedgerAccount)
	LedgerReason  = Label(names.LedgerReason)
)

// What became of all that was read, by signal and destination; by component what
// the accounts are made of.
var (
	LedgerItems   = otel(Ledger, names.LedgerItems, "{item}", Gauge, names.LedgerSignal, names.LedgerTo, names.LedgerAccount, names.LedgerReason)
	LedgerOff     = otel(Ledger, names.LedgerOff, "{item}", Gauge, names.LedgerSignal, names.LedgerTo)
	LedgerKnown   = otel(Ledger, names.LedgerKnown, "{ledger}", Gauge, names.LedgerSignal, names.LedgerTo)
	LedgerMade    = otel(Tally, names.LedgerMade, "{item}", Counter, "processor", "connector", "otel.signal")
	LedgerRemoved = otel(Tally, names.LedgerRemoved, "{item}", Counter, "processor", "connector", "otel.signal")
	LedgerLost    = otel(Tally, names.LedgerLost, "{item}", Counter, "exporter", "otel.signal", names.LedgerReason)
)

// Labels of what is configured and of the node's pods.
var (
	ConfigOutcome    = Label(names.ConfigOutcome)
	PodTargetRule    = Label(names.PodScrapeRule)
	PodIgnoredReason = Label(names.PodScrapeReason)
)

// The configuration that runs, by instance.
var (
	ConfigSuccessful = otel(ConfigReload, names.ConfigReloadSuccessful, "1", Gauge)
	ConfigTime       = otel(ConfigReload, names.ConfigReloadTime, "s", Gauge)
	ConfigReloads    = otel(ConfigReload, names.ConfigReloads, "{reload}", Counter, names.ConfigOutcome)
	ConfigHash       = otel(ConfigReload, names.ConfigHash, "1", Gauge)
)

// The reader of the cluster's events: one of the gateways leads and reads.
var (
	EventsRecords     = otel(K8sEvents, names.K8sEventsRecords, "{record}", Counter)
	EventsDuplicates  = otel(K8sEvents, names.K8sEventsDuplicates, "{event}", Counter)
	EventsDropped     = otel(K8sEvents, names.K8sEventsDropped, "{record}", Counter, names.K8sEventsReason)
	EventsRetries     = otel(K8sEvents, names.K8sEventsRetries, "{batch}", Counter)
	EventsGaps        = otel(K8sEvents, names.K8sEventsGaps, "{gap}", Counter)
	EventsFolded      = otel(K8sEvents, names.K8sEventsFolded, "{event}", Counter)
	EventsErrors      = otel(K8sEvents, names.K8sEventsErrors, "{request}", Counter)
	EventsWatches     = otel(K8sEvents, names.K8sEventsWatches, "{watch}", Counter)
	EventsCheckpoints = otel(K8sEvents, names.K8sEventsCheckpoints, "{write}", Counter, names.K8sEventsOutcome)
	EventsLeading     = otel(K8sEvents, names.K8sEventsLeading, "1", Gauge)
)

// What an agent knows of its node's pods, and which of them it scrapes.
var (
	PodLists   = otel(PodList, names.KubeletPodsLists, "{request}", Counter, names.KubeletPodsOutcome)
	PodsKnown  = otel(PodList, names.KubeletPodsPods, "{pod}", UpDown)
	PodListAge = otel(PodList, names.KubeletPodsAge, "s", Gauge)

	PodTargets = otel(PodScrape, names.PodScrapeTargets, "{target}", UpDown, names.PodScrapeRule)
	PodIgnored = otel(PodScrape, names.PodScrapeIgnored, "{pod}", UpDown, names.PodScrapeReason)

	PodResources = otel(PodAttributes, names.PodAttributesResources, "{resource}", Counter, names.PodAttributesOutcome)
)
