// Package configstate is what a process knows of its own configuration: which one
// runs, since when, and what became of those that came later.
//
// Whoever loads configurations tells it with Started, Applied, Refused and their
// like; the extension that speaks of it in health and metrics reads Now and waits on
// the channel that comes with it. It outlives both: pipelines come and go with each
// reload, the counts stay. It opens nothing and owns no goroutine.
package configstate
