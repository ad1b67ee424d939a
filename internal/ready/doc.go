// Package ready answers one question before an event: can this cluster take the
// audience that the calendar expects?
//
// What enters is Inputs: the event, what the cluster's API and the metrics said,
// and what could not be read. What leaves is a Result: findings (ok, warn, fail,
// unknown) with the number, the limit, where both are from, why it matters and
// what to do; the need of each service; and patches that a person can apply.
//
// Three rules hold everywhere. Each number says where it is from: read from an
// object, measured, given by the user, or assumed. What is missing is unknown, and
// unknown is never ok. A need that rests on an assumption is a warning at best, and
// no failure either; what is compared with a rule of thumb names the rule.
//
// The package asks nobody, keeps nothing, has no clock and owns no goroutine;
// internal/ready/gather fills in the Inputs, and Rights lists what it needs for
// that.
package ready
