// Package conntrack reads the kernel's connection-tracking table over
// ctnetlink, and its counters over ctnetlink or /proc.
//
// Netlink messages enter; flow.Flow values, counters and events leave. It asks
// and listens only: nothing in here can add, change or delete an entry.
//
// The table of a busy node has a million entries, so reading it is built for
// cost: one 32 KiB buffer (the most that the kernel fills per call), one Flow
// that each entry is decoded into, no allocation per entry. The price is that
// a Flow is valid only until the next one; copy it to keep it.
//
// A Conn or Listener belongs to one goroutine at a time. The package starts no
// goroutine that outlives a call; entering another namespace takes a thread for
// the time of one Dial.
//
// What each option needs of the kernel stands beside it. A filter that the
// kernel ignores is applied again in user space, so the result is the same
// everywhere and only the cost differs: see Conn.KernelFilters.
//
// Reading needs CAP_NET_ADMIN in the user namespace that owns the network
// namespace; Proc needs nothing.
package conntrack
