// Command plaincmd writes the plain manifests: go run ./plaincmd DIR, from
// deploy/helm.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/vigie-otel/vigie/deploy/helm"
)

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("takes a directory (got %q)", args)
	}
	program, err := helm.Tool()
	if err != nil {
		return err
	}
	files, err := helm.Plain(helm.Chart{Helm: program, Dir: "vigie"})
	if err != nil {
		return err
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(args[0], name), body, 0o644); err != nil { //nolint:gosec // to be read
			return err
		}
	}
	return nil
}
