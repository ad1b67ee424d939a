// Package score says how well a detector did on traffic whose truth is known.
//
// Two ways in. Files: Marks and Labels, line by line (`vigie eval --marks
// --labels`). In process: Case runs a replay scenario through a Judge — Vigie's
// detector, or one of the baselines that it is measured against — and gives an
// Outcome. Summarize condenses the outcomes of many seeds into rows, and Report
// writes these as the table of docs/detection-eval.md.
//
// What is measured: the delay from an attack's first request to the tick that
// opened a finding, and to the first marked request; precision and recall of the
// marks once a finding is open; findings that accuse nobody's attack; how long
// after the attack's last request it is declared over; and, by applying the
// proposed rules to the same traffic once more, how much of the attack they
// would have stopped and how many legitimate requests with it — measured, not
// the detector's own estimate.
//
// The package changes no state of its own outside the values it returns; Case
// runs in its caller's goroutine.
package score
