// Package ports gives a test addresses on loopback for programs that are told
// where to listen and are not there yet.
//
// A port that was picked by opening a listener and closing it again is anyone's
// until the program has it: the next pick can be the same one, and so can the
// listener or the connection of any other process. On Linux a port from here is
// held by a socket that is bound to it and does not listen. The kernel then gives
// it to nobody who leaves the choice to it, and refuses connections to it; a
// program that asks for it by number gets it, where it sets SO_REUSEADDR, as Go's
// net package and most servers do. The socket is closed when the test ends, so
// that the port is the test's own however often what listens there comes and goes.
//
// Where a port cannot be held so (another system, or a kernel that lets nobody
// else in), it is one that was free a moment ago.
//
// It serves tests and nothing else, and starts no goroutine.
package ports
