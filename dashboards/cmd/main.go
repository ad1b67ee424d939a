// Command cmd writes what people import: out/grafana, a file a dashboard.
// `make dashboards` runs it.
//
//	go run ./dashboards/cmd [-out dashboards/out]
//
// It removes dashboards of which there is no more, so that git shows them gone.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/vigie-otel/vigie/dashboards"
)

func main() {
	out := flag.String("out", "dashboards/out", "directory to write into")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(out string) error {
	if err := dashboards.Write(out); err != nil {
		return fmt.Errorf("write dashboards: %w", err)
	}
	return nil
}
