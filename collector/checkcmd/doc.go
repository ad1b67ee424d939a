// Package checkcmd is `vigie check`: a dry run that a person does before the
// match.
//
// A configuration enters, resolved and validated as `vigie` would. For each part
// that is in use and talks to somewhere, a line leaves: ok, warn or fail, what was
// found, and what to do about it, a missing permission by its IAM name. It
// resolves credentials and asks whose they are, sends endpoints one signed and
// empty request as the part itself would, with the same client and authenticator,
// and reads directories, calendars and the kernel's answer.
//
// It writes nothing anywhere but a file that it removes at once from directories
// that must be writable, creates nothing in AWS or Grafana, and starts no
// receiver, no exporter and no queue. Not every permission can be tried like that;
// the line then says which was not.
//
// Probes run in parallel, a few at a time, each with a time-out, and print in the
// configuration's order. Nothing outlives the command.
package checkcmd
