//go:generate go tool mdatagen metadata.yaml

// Package hoststatreceiver reads from Linux what AWS's unified agent has and the
// host_metrics receiver leaves out: CPU time with guest and guest_nice, UDP as
// well as TCP sockets by state, and file descriptors and threads with the limits
// that the kernel sets to them.
//
// It reads /proc/stat, /proc/loadavg, three files under /proc/sys and the kernel's
// sock_diag interface (or, where that is not to be had, /proc/net/{tcp,udp}{,6});
// pmetric leaves on each tick. It needs no privilege. The scraper controller owns the only goroutine;
// nothing is kept between ticks but buffers. Counting sockets through sock_diag
// costs a tenth of parsing /proc/net/tcp, and TIME_WAIT, often the longest list
// of all, is taken from /proc/net/sockstat as one number.
package hoststatreceiver
