// Command cmd writes what people import: out/grafana, a file a dashboard;
// out/rules and out/alertmanager, by the packages of those names; and docs/dashboards.md, which shows the dashboards.
// `make dashboards` runs it.
//
//	go run ./dashboards/cmd [-out dashboards/out] [-docs docs]
//
// It removes dashboards of which there is no more, so that git shows them gone.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vigie-otel/vigie/dashboards"
	"github.com/vigie-otel/vigie/dashboards/alertmanager"
	"github.com/vigie-otel/vigie/dashboards/rules"
)

func main() {
	out := flag.String("out", "dashboards/out", "directory to write into")
	docs := flag.String("docs", "docs", "directory for dashboards.md")
	flag.Parse()
	if err := write(*out, *docs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(out, docs string) error {
	if err := dashboards.Write(out); err != nil {
		return fmt.Errorf("write dashboards: %w", err)
	}
	if err := rules.Write(out); err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	if err := alertmanager.Write(out); err != nil {
		return fmt.Errorf("write Alertmanager's configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(docs, "dashboards.md"), dashboards.Page(), 0o644); err != nil {
		return fmt.Errorf("write the page on dashboards: %w", err)
	}
	return nil
}
