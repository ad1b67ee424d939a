//go:build !linux

package conntrack

import (
	"context"
	"iter"
	"net/netip"
	"time"

	"github.com/vigie-otel/vigie/internal/flow"
)

// Options say where to read.
type Options struct{ NetNS string }

// ListenOptions say which events to hear.
type ListenOptions struct {
	Options
	Events     EventType
	ReadBuffer int
}

// Conn can't be had on this system.
type Conn struct{}

// Listener can't be had on this system.
type Listener struct{}

// Dial gives ErrUnsupported.
func Dial(Options) (*Conn, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Conn) Close() error { return nil }

// Usage gives ErrUnsupported.
func (*Conn) Usage() (Usage, error) { return Usage{}, ErrUnsupported }

// CPUStats gives ErrUnsupported.
func (*Conn) CPUStats(dst []CPUStats) ([]CPUStats, error) { return dst, ErrUnsupported }

// KernelFilters gives FilterUnknown.
func (*Conn) KernelFilters() FilterSupport { return FilterUnknown }

// Dump yields ErrUnsupported.
func (*Conn) Dump(context.Context, Filter) iter.Seq2[*flow.Flow, error] {
	return func(yield func(*flow.Flow, error) bool) { yield(nil, ErrUnsupported) }
}

// Listen gives ErrUnsupported.
func Listen(ListenOptions) (*Listener, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Listener) Close() error { return nil }

// Events yields ErrUnsupported.
func (*Listener) Events(context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) { yield(nil, ErrUnsupported) }
}

// InNetNS gives ErrUnsupported for any path; without one it runs fn.
func InNetNS(path string, fn func() error) error {
	if path == "" {
		return fn()
	}
	return ErrUnsupported
}

// Addresses are what a network namespace has at its own end.
type Addresses struct {
	Interfaces, HostRoutes []netip.Addr
	Bridges                []netip.Prefix
}

// LocalAddresses gives ErrUnsupported.
func LocalAddresses(Options) (Addresses, error) { return Addresses{}, ErrUnsupported }

// CPU runs fn; the CPU time is not measured on this system.
func CPU(fn func()) time.Duration {
	fn()
	return 0
}

// NewCounter can't be had on this system.
type NewCounter struct{}

// CountNew gives ErrUnsupported.
func CountNew(Options) (*NewCounter, error) { return nil, ErrUnsupported }

// Count gives ErrUnsupported.
func (*NewCounter) Count() (uint64, error) { return 0, ErrUnsupported }

// Close does nothing.
func (*NewCounter) Close() error { return nil }
