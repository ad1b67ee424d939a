//go:build !linux

package hoststatreceiver

import "errors"

func diagSockets(socketCounts) error { return errors.New("sock_diag is Linux's") }
