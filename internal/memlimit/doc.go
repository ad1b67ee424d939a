// Package memlimit derives how much memory the process may use.
//
// The cgroup's limit (v2 or v1) enters, or the machine's memory where there is
// none; a budget in bytes and the reason for it leave. The caller sets GOMEMLIMIT
// and the memory_limiter from the same budget, so that the garbage collector
// works harder before the limiter refuses data, and the limiter refuses data
// before the kernel kills the process. The package sets nothing itself.
package memlimit
