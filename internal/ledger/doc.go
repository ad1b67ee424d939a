// Package ledger says what became of everything that was read: for each signal
// and destination, read = sent + waiting + dropped by reason.
//
// The process's own counters enter (a Snapshot, which a Tap reads when it is asked)
// and the pipelines (a list of Ways, from the configuration); Books leave. These
// steps are pure: no clock, no I/O. A Keeper does them for one service, remembers
// what its queues began with, and waits with a verdict for what is on its way. The
// package owns no goroutine.
//
// What the words mean:
//
//   - read: a receiver took responsibility. It told its sender so, or moved its
//     place in a file.
//   - made: by a component on the way: findings, summaries. It says how many by
//     vigie.ledger.made (a Tally), and by .removed what it used up.
//   - pushed back: a receiver said no and the sender still has it. No loss of ours,
//     and not read.
//   - sent: the destination's exporter was told that it arrived.
//   - dropped: gone, with the reason: filtered (a processor left it out), send
//     failed (retries ended, or the destination said never), enqueue failed (the
//     queue was full behind a batch processor, which had already said yes),
//     sacrificed and others of a reader's own.
//   - waiting: the rest: on its way, in a batch, in the queue. It is reckoned, not
//     measured, since a queue counts requests unless its sizer is items. The
//     queue's own size is what it is checked against: an empty queue and something
//     waiting do not go together.
//
// What cannot be known is said in Book.Unknown rather than guessed: a connector that
// does not say what it makes, a processor that does not count, one that is shared
// with pipelines that end elsewhere, a receiver whose refusals reached one
// destination and not another, a queue on disk that began with what an earlier
// process left and does not count items. Its book has no verdict.
//
// Counters of one collection are read one after the other, so while data flows a
// book may be off by what moved in between: it is moving. Off is what stays so when
// nothing has moved for longer than batches hold theirs, or for a minute by more than
// they can hold.
package ledger
