// Package replay makes labelled HTTP traffic: a site's ordinary day, the crowds
// that are no attack, and the attacks, in any mixture.
//
// A Scenario (YAML; the built-in ones are embedded) and a seed enter; requests
// leave one by one, in event time, each with the truth about it. The same
// scenario, seed, scale and start give the same bytes on every machine.
//
// People are sessions: a device opens the app or a page, loads its assets, signs
// in, looks around, watches with a heartbeat, fails and retries. A timing wheel
// holds the sessions that are running, so memory follows the number of people
// present and never the number of requests made. Attackers are drawn a request
// at a time, so that the number of their requests is exact. Every population
// draws from a generator of its own: adding an attack to a scenario leaves its
// background as it was, which makes runs with and without it comparable.
//
// What differs from seed to seed is what differs from site to site and from
// attacker to attacker: paths, parameter names, networks, devices, pace, and for
// each kind of attack its style. A detector that learns one of them by heart
// fails on the next.
//
// The package sends nothing by itself except through Run with an OTLP sink, and
// owns no goroutine.
package replay
