package enareceiver

import (
	"fmt"
	"net"

	"github.com/safchain/ethtool"
)

type ethtoolDriver struct{ handle *ethtool.Ethtool }

func openEthtool() (driver, error) {
	h, err := ethtool.NewEthtool()
	if err != nil {
		return nil, fmt.Errorf("open ethtool socket: %w", err)
	}
	return ethtoolDriver{h}, nil
}

func (d ethtoolDriver) interfaces() ([]iface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	out := make([]iface, 0, len(all))
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 {
			out = append(out, iface{i.Index, i.Name})
		}
	}
	return out, nil
}

func (d ethtoolDriver) name(iface string) (string, error) { return d.handle.DriverName(iface) }

func (d ethtoolDriver) stats(iface string) (map[string]uint64, error) { return d.handle.Stats(iface) }

func (d ethtoolDriver) close() { d.handle.Close() }
