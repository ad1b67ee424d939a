// Package readycmd is `vigie ready`: can the cluster take the audience that the
// calendar expects?
//
// A calendar, a kubeconfig (or a pod's service account), a Prometheus API and AWS
// credentials enter, each of which may be missing; findings leave as text or JSON,
// and with --patch the changes that would mend what can be mended, for a person to
// apply. What is missing is unknown, and unknown is not ready.
//
// It writes nothing but the files that --patch names. internal/ready judges,
// internal/ready/gather asks; nothing outlives the command.
package readycmd
