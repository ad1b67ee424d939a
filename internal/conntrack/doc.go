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
// Measured in November 2026 on Linux 6.18 and 2 busy cores, CPU per entry of a
// table of 500,000 (go test -bench Table): a walk that looks at nothing 3.7 µs,
// nearly all of it the kernel's; a dump with decoding and internal/conntrack/tally
// the same within noise (0.95–1.07 ×), and no memory over the 32 KiB; !ASSURED,
// where a tenth is, 0.17–0.24 of that; conntrack -L 1.5–1.8 times as much;
// ti-mo/conntrack 3.2–3.8 times as much and 0.9 GB. So there is nothing left to
// gain in decoding: what helps is to ask for less, and less often.
//
// Lost (2026): mdlayher/netlink with ti-mo/conntrack, vishvananda/netlink and
// florianl/go-conntrack, which make a slice of the whole table before the first
// entry can be looked at.
//
// Reading needs CAP_NET_ADMIN in the user namespace that owns the network
// namespace; Proc needs nothing.
package conntrack
