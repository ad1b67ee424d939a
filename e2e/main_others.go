//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "e2e: a Kubernetes node needs Linux; run it in a VM")
	os.Exit(2)
}
