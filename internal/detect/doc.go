// Package detect decides whether a service's traffic is its crowd or an attack,
// names who and what, and says by which evidence.
//
// Requests enter by Observe, the passage of event time by Tick, the summaries
// of other detectors by MergeSummary. Marks, findings, verdicts and summaries
// leave. The same code runs on a node (Observe and AppendSummary), in the
// gateway (MergeSummary) and offline over recorded logs (Observe and Flush).
//
// How it decides, in the order in which it happens:
//
//  1. A request is reduced to an event (event.go, template.go) and, with what
//     its client did before (client.go), to a row of features that do not
//     depend on rate (row.go).
//  2. Rows are sampled by client, so that a sampled client's whole session is
//     seen (outbox.go), and compared with a reservoir of ordinary traffic that
//     stands still while something is suspicious (reference.go). A value is
//     strange when it is four times more common than among the baseline's
//     requests for the same path (excess.go); values that the baseline does not
//     know are pooled and held against Good and Turing's estimate.
//  3. A mixture of the baseline and one component more is estimated
//     (mixture.go). That component is an attack if a strong dimension — user
//     agents, networks, sessions, load, queries that never repeat, held
//     connections — and at least one other say so about the same requests
//     (judge.go). A path that is suddenly popular and clients that are new are
//     weak dimensions: a crowd has them too. Answers that are the site's doing
//     (5xx, 429) are none.
//     How a client comes by, given its kind of user agent, what it asks for and how
//     far into its session (manner.go), has a memory of its own: bots that are named
//     like browsers do not load, refer and pause like them.
//  4. What needs no surge — guessing paths, trying passwords, one client that
//     hammers, requests that never end — is judged client by client on
//     scale-free evidence, with no history (actor.go).
//  5. A finding opens at 3 of 5 looks (2 where the evidence is overwhelming, 8 within
//     25 s where it is not quite enough; look.go), is refined while it lasts, and closes a minute after the last
//     request that is of what it is about (episode.go, follow.go). One attack is
//     one finding: what turns out to be part of a flood goes on as the flood. Its classifier is what marks requests; its
//     rules are a greedy cover (cover.go).
//
// A client retry storm and a buggy release are told as the verdict crowd, with
// no finding: nobody's intent is behind them. finding.RetryStorm is not raised
// here.
//
// What it reaches over the scenarios of internal/replay, and on recorded logs, is
// printed by
//
//	VIGIE_SCENARIOS=all VIGIE_SEEDS=20 VIGIE_SCALE=0.05 go test -run AtLength ./internal/detect
//	VIGIE_DATA=folder go test -v -run 'Recorded|Peers' ./internal/detect
//
// It falls short where an attacker has the site's own audience — its networks,
// devices and paths, a request now and then from each of thousands of clients —
// and the site fails under it, or the bots load pages whole; and where the log
// begins with the attack and no client stands out.
//
// Decisions:
//
// 2026-11-22, sessions of the separated component by themselves. Bots that take the
// audience's networks, devices and pages differ in what their sessions are made of,
// which the window's mean hides: the component that the mixture separates is
// compared with the baseline given path and stage, by lift or, where a value is
// common already, by odds. Sessions that are hardly ever seen weigh more when they
// are all over the site: a crowd, a new release or a purge behaves oddly in one
// place. Where people enter a site lost as evidence: a crowd has deep links. None of
// it counts in a log's first minute, in sessions that are rounded, nor in sessions
// that the site failed; each of these raised false findings.
//
// 2026-11-22, a client's manner by the kind of its user agent. Sessions given the path
// could not tell bots with real browsers' names from applications that ask for the
// same pages; browsers load what belongs to a page, in the same second, and say
// where they come from. A kind is the products that the agent names: versions and
// devices make kinds too small to know. What a failing site brings about is left out
// of its shape instead of silencing all of it for two minutes, which hid every flood
// that the site buckled under. Rare ways are pooled like rare networks: a few machines
// each under many names never make one way common. That a kind begins where it never
// does lost: a push notification does that too.
//
// 2026-11-22, a client's requests speak for each other. The bar above which a request
// is marked goes as high as ordinary traffic demands (precision was 94 to 98 % where
// it stopped at 4.5), and what that loses comes back through the client: its requests'
// log odds are summed, each capped, and past leanActor it is an actor.
//
// 2026-11-22, a look is a tick. Counting each window as a look let the windows in
// which an attack does not show yet outvote the one in which it does.
//
// 2026-11-22, a class follows the evidence. A flood is distributed when a limit per
// client would not stop it: many clients, each at a light load. The number of
// clients alone lost, since a window shows only those that happened to ask.
//
// 2026-11-22, 499 without a duration. It counts as a held connection from one
// client that does nothing else, while hardly anybody else goes away.
//
// 2026-11-22, people behind an attacker's address. Carriers and proxies put both
// behind one. An actor's requests are its finding's when they are what it is accused
// of, when nobody else seems to be there, or when they come under a user agent that
// did wrong and not as a page's parts. Marking the whole address lost: nine marks in
// a hundred of some stuffing runs were people's. A stuffing signature, learned among
// refused sign-ins, no longer judges those that succeed. Under one user agent there is
// nobody else: a scanner that crawls with referers is marked whole.
//
// 2026-11-22, a young baseline. What a pod learned that started a minute before
// kick-off: nobody had been there for longer than a minute, so viewers who went on
// watching looked like nothing known, and a flood's end froze that. A client that is
// older than ordinary ones were seen to become counts as known; an attack's clients are
// no older than the attack. Leaving its session out of the evidence lost: what is left
// is the young part of the crowd, with nothing to speak for it. Of few refused
// sign-ins a larger share must be strange, and nothing is compared for ten seconds.
//
// 2026-11-22, a flood of refused sign-ins is called stuffing, whoever found it first,
// and what one client tries under ever other names too.
//
// 2026-11-22, what lasts. A flood by nearly the audience's own devices and networks never
// tells enough at one time: its score stayed between 1.6 and the bar of 2 for minutes,
// at half of all requests. Crowds reach that for moments, as they arrive: over twenty
// seeds of each, eight looks within 25 s never all scored above 1.4. So eight that lean
// towards the same thing open a finding, too, where a part of its user agents or
// networks is strange. Without that condition lost: a crowd that does a new thing on a
// new page scores 1.75, for as long as it stays. Where what they do is all that is odd,
// in one place, the full bar must be passed eight times as well: the first few dozen of
// such a crowd pass it, until there are enough of them to look like the audience.
//
// 2026-11-22, what is ordinary is older than a few seconds. A flood's first second alone
// filled the sample from which the baseline of rules is taken, before anybody had
// looked, and its own requests then spoke against each rule that would stop it.
//
// 2026-11-22, a scan is told at once. Waiting two seconds for a flood that it may
// be part of lost; the flood goes on under the scan's name instead.
//
// The package is pure: no clock, no I/O, no goroutine, no global state; the same
// input under the same seed gives the same output. A Detector is not safe for
// concurrent use; whoever owns it calls it from one goroutine or locks.
//
// Memory is fixed per service, and so is the number of services; what did not
// fit is counted (Stats) and judged together as OverflowService.
package detect
