// Package netlab gives a test network namespaces of its own: links between
// them, NAT rules, sysctls, and a lowered or raised nf_conntrack_max.
//
// A namespace is held by a file descriptor of the test process and by nothing
// else: when the test ends, even by a crash, the kernel removes it with all
// links, rules and entries in it. Traffic made inside cannot leave it.
//
// Without root, or without the ip or nft command, New skips the test and says
// what was missing.
//
// On nf_conntrack_max: each namespace counts its own entries, but up to and
// including Linux 6.18 there is one limit, writable only in the initial
// namespace (elsewhere the file has mode 0444), and one hash table for all. So
// Limit changes it there, for the whole machine, under an exclusive file lock
// that every other lab shares; the value to go back to is kept in the lock
// file, so that the next lab repairs what a killed test left behind.
package netlab
