// Package awsclient gives a component its AWS configuration without ever making
// it wait.
//
// What enters is Settings (a component's configuration) and the process'
// surroundings; what leaves is an aws.Config with a region and credentials that
// were seen to work. Start returns at once: a goroutine asks the SDK's chain
// (environment, shared profile, IRSA's web identity, EKS Pod Identity, instance
// metadata by IMDSv2), then the region (settings, environment, profile,
// metadata), then the role that is to be assumed, and asks again with a growing
// pause until all are there. Until then Config answers with a NotReadyError that
// says what is missing and how to grant it; the caller keeps its data queued.
//
// State changes are told once each: one log line, and one component status event
// (a recoverable error, then OK). Callers hand the outcome of their calls to
// Told, so that a permission that is missing, or credentials that expire during
// a match, are on health as well.
//
// A Source owns one goroutine, from Start until it has what it needs or
// Shutdown. The package makes no calls of its own after that; refreshing is the
// SDK's credentials cache at its next use.
package awsclient
