//go:build !linux

package enareceiver

func openEthtool() (driver, error) { return nil, errNotSupported }
