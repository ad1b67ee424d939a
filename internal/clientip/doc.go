// Package clientip decides which address a request is charged to.
//
// In: the socket's peer, the raw X-Forwarded-For value, and the list of
// proxies that the operator trusts. Out: the first hop, counted from the
// server outwards, that no trusted proxy vouches for. Everything to the left of
// that hop was written by whoever sent the request and is never read, so a
// forged chain of fifty hops costs as much as one of one hop.
//
// Without trusted proxies the peer is the client and the header is not looked
// at. The package keeps no state, does no I/O, owns no goroutine, and allocates
// nothing per request; a Resolver may be shared between goroutines.
package clientip
