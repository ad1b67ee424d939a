// Package alertmanager is the configuration of Alertmanager that belongs to
// Vigie's alerts: who is told, how fast, and what an attack makes redundant.
//
// Nothing enters; [Write] writes it twice, from the same routes and inhibitions:
// plain.yaml for an Alertmanager of one's own (0.25 or later), with PagerDuty and
// Slack, whose secrets are read from files; amp.yaml for Amazon Managed
// Prometheus' alert manager, which knows SNS and PagerDuty, wraps the
// configuration in a document of its own, and takes PagerDuty's key from Secrets
// Manager. What has to be put in is in capitals, or has the account
// 111122223333.
//
// # Who is told
//
// wake gets what is critical, look the rest. An attack is told after five
// seconds, once a service, whatever its classes.
//
// # What is not told
//
// Under an open attack the symptoms of the same service are inhibited (errors,
// burnt budgets), and in the same cluster what load does to nodes and pods. Not
// inhibited are walls, which say how long one can bear it, faults, which are
// broken attack or not, other services, and whatever concerns Vigie itself: an
// attack that blinds is worse than one that shows.
package alertmanager
