package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// notPods are the targets that Vigie scrapes for itself: only pods that ask to be
// scraped have a namespace.
const notPods = `namespace=""`

// ledger shows what became of all that was read. The accounts are gauges that
// begin at zero with each process.
func ledger() []p.Panel {
	of := metrics.LedgerSignal + ", " + metrics.LedgerTo
	book := "{{" + metrics.LedgerSignal + "}} to {{" + metrics.LedgerTo + "}}"
	account := func(name string) string { return fresh(metrics.LedgerItems, ours, is(metrics.LedgerAccount, name)) }
	off := number("Unexplained", "Items that no account explains: read, and neither sent, waiting, used up nor dropped for a reason. Anything but 0 is a mistake in Vigie: keep /ledger of that instance and report it.", bad(1, 1),
		"max(abs("+fresh(metrics.LedgerOff, ours)+"))", 4, 7)
	off.NoValue = "no ledger"
	return []p.Panel{
		off,
		number("Books not to be known", "Pairs of a signal and a destination of which some part can't be counted. /ledger of the instance says which; a component of your own, mostly.", bad(1, 1000),
			"count("+fresh(metrics.LedgerKnown, ours)+" == 0) or vector(0)", 4, 7),
		line("On the way", "Items that were read and have not arrived: in queues, in batches, between two components. Rising: the destination takes less than comes.", "short", 8, 7,
			ask(sum(of, account("waiting")), book)),
		line("Dropped, since the processes began", "Items that are gone, by destination and reason. filtered is what a processor left out on purpose; send_failed and enqueue_failed are losses.", "short", 8, 7,
			when(ask(sum(metrics.LedgerTo+", "+metrics.LedgerReason, account("dropped")), "{{"+metrics.LedgerTo+"}} {{"+metrics.LedgerReason+"}}"), "nothing was dropped")),
		{Kind: p.Table, Title: "The books, since the processes began", W: 24, H: 13, Decimals: p.P(0), NoValue: "no ledger",
			Description: "Every account that is not zero, of all instances, smallest first: read + queued_at_start + made = sent + removed + dropped + waiting, but for what is unexplained. Of a destination that lacks something the rows with a reason say why.",
			Columns:     map[string]string{metrics.LedgerSignal: "Signal", metrics.LedgerTo: "Destination", metrics.LedgerAccount: "Account", metrics.LedgerReason: "Reason", "Value": "Items"},
			Queries:     []p.Query{now("sort("+sum(of+", "+metrics.LedgerAccount+", "+metrics.LedgerReason, fresh(metrics.LedgerItems, ours))+" != 0)", "")}},
	}
}

// configuration shows what runs, and what became of what came later.
func configuration() []p.Panel {
	return []p.Panel{
		number("Run an earlier one", "Processes whose configuration does not work, so that the one before it runs. The log of each says what is wrong; helm rollback puts the last one back.", bad(1, 1),
			"count("+fresh(metrics.ConfigSuccessful, ours)+" == 0) or vector(0)", 4, 7),
		number("Different ones in a job", "How many configurations the instances of one job run: 1, and 2 during a rollout. Two for an hour: the rollout has stopped.", bad(2, 3),
			"max(count by (job) (count_values by (job) (\"hash\", "+fresh(metrics.ConfigHash, ours)+")))", 4, 7),
		line("Reloads in 5 min", "Configurations that came while Vigie ran: applied; refused, for they are not valid; reverted, for they did not start.", "short", 8, 7,
			ask(sum(metrics.ConfigOutcome, increase("5m", metrics.ConfigReloads, ours)), "{{"+metrics.ConfigOutcome+"}}")),
		line("What runs has run for", "Age of the youngest configuration of each job. A fall to zero is a reload or a restart: what else changed then?", "s", 8, 7,
			ask("time() - "+over("max", "job", fresh(metrics.ConfigTime, ours)), "{{job}}")),
	}
}

// podScrapes shows whose metrics are scraped on the nodes, and who reads the events.
func podScrapes() []p.Panel {
	answers := sel(metrics.Up, `namespace!=""`)
	return []p.Panel{
		line("Pods' endpoints that are scraped", "Endpoints of pods that ask for it, by annotation or by a rule of pod_scrape.", "short", 8, 7,
			ask(sum(metrics.PodTargetRule, fresh(metrics.PodTargets, ours)), "{{"+metrics.PodTargetRule+"}}")),
		line("Endpoints that don't answer", "Endpoints of pods that ask to be scraped and don't answer, or say more than they may, by workload: the ten with most. The agent's log on that node says why.", "short", 8, 7,
			when(ask(top(10, "count by (namespace, job) ("+answers+" == 0)"), "{{namespace}} {{job}}"), "none while each pod that asks answers")),
		line("Pods that ask and are not scraped", "By reason: a port, path or scheme that makes no sense, no port at all (set vigie.dev/scrape-port), no address, or limit: the node has more endpoints than max_targets.", "short", 8, 7,
			ask(sum(metrics.PodIgnoredReason, fresh(metrics.PodIgnored, ours)), "{{"+metrics.PodIgnoredReason+"}}")),
		line("Age of the list of a node's pods", "How old what an agent knows of its node's pods is: the ten oldest. Over a minute: its kubelet does not answer, or the right to ask is missing.", "s", 8, 7,
			ask(top(10, over("max", metrics.Instance, fresh(metrics.PodListAge, ours))), "{{instance}}")),
		line("The cluster's events", "Events a second that were read, and those that were given up. None for long: see who reads them.", "short", 8, 7,
			ask(sum("", rate(metrics.EventsRecords, ours)), "read"), ask(sum("", rate(metrics.EventsDropped, ours)), "given up")),
		line("Who reads the events", "1 for the gateway that holds the Lease, 0 for the others. All at 0 for minutes: nobody reads, and the API server forgets after an hour.", "short", 8, 7,
			ask(over("max", metrics.Instance, fresh(metrics.EventsLeading, ours)), "{{instance}}")),
	}
}
