//go:build !cgo

package main

import (
	"fmt"
	"os"
)

// main says what is missing: Fluent Bit loads a C library.
func main() {
	fmt.Fprintln(os.Stderr, "out_vigie.so needs a C compiler and CGO_ENABLED=1: make fluentbit")
	os.Exit(1)
}
