// Package eventclock tells what time it is in a stream of recorded events.
//
// The time stamps of events enter in the order of arrival. What leaves is when
// event time has entered a new second, so that a detector can be ticked, and
// when the stream has gone back to the past for good, so that it must begin
// anew. A few stray stamps from the future or the past move nothing: a jump
// counts once several events in a row agree on it.
//
// The package reads no clock, does no I/O and starts no goroutine.
package eventclock
