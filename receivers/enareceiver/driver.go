package enareceiver

import "errors"

// errNotSupported says that this system has no ethtool ioctl.
var errNotSupported = errors.New("the ENA driver is read on Linux only")

// driver is the kernel's side, or a test's.
type driver interface {
	// interfaces lists the network interfaces of this namespace.
	interfaces() ([]iface, error)
	// name gives the driver that runs an interface: "ena", "veth", …
	name(iface string) (string, error)
	// stats gives all statistics of the interface's driver, as ethtool -S does.
	stats(iface string) (map[string]uint64, error)
	close()
}

// iface is one network interface. The kernel never reuses an index while the
// system runs, a name it does.
type iface struct {
	index int
	name  string
}
