package ports

import (
	"fmt"
	"net"
	"testing"
)

// Address returns a host:port of 127.0.0.1 that nothing listens on, for TCP. It is
// nobody else's until t ends.
func Address(t testing.TB) string {
	t.Helper()
	address, release, err := hold()
	if err == nil {
		if err = try(address); err == nil {
			t.Cleanup(release)
			return address
		}
		release()
	}
	free, err2 := pick()
	if err2 != nil {
		t.Fatalf("find a port: %v; %v", err, err2)
	}
	return free
}

// try says whether one who asks for the address gets it.
func try(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen beside the one that holds the port: %w", err)
	}
	return l.Close()
}

// pick returns an address that was free a moment ago.
func pick() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
