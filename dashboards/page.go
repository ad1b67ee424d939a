package dashboards

import (
	"bytes"
	"fmt"
	"strings"

	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// Page is docs/dashboards.md: what each dashboard answers, its picture, and what
// to do with each panel.
func Page() []byte {
	var b bytes.Buffer
	all := All()
	panels := 0
	for i := range all {
		for _, placed := range all[i].Flow() {
			if placed.Panel != nil {
				panels++
			}
		}
	}
	fmt.Fprintf(&b, `# Dashboards

<!-- Written by make dashboards: change dashboards/*.go instead. -->

%d dashboards with %d panels for Grafana 9.4 to 13, in [dashboards/out/grafana](../dashboards/out/grafana).
Import a file as it is (Dashboards, New, Import) and choose a Prometheus data
source at the top: Amazon Managed Prometheus, any other, or Vigie's embedded
store. Where Amazon Managed Prometheus has a data source type of its own, Grafana
lists it under Prometheus from 12 on; before, use the Prometheus type with SigV4.

The pictures are drawn from query results: a replayed kick-off into which a flood
falls, judged by the real detector, on a modelled cluster of four nodes. What
Vigie's own page shows beside this is in [warroom.md](warroom.md).

`, len(all), panels)
	for i := range all {
		d := &all[i]
		name := strings.TrimPrefix(d.Title, "Vigie / ")
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", name, anchor(name), d.Description)
	}
	for i := range all {
		d := &all[i]
		name := strings.TrimPrefix(d.Title, "Vigie / ")
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n![%s](dashboards/%s.svg)\n\n| Panel | What it shows, and what to do |\n|---|---|\n", name, d.Description, name, d.UID)
		for _, placed := range d.Flow() {
			switch {
			case placed.Panel == nil:
				fmt.Fprintf(&b, "| **%s** | |\n", cell(placed.Heading))
			case placed.Panel.Kind != p.Text:
				fmt.Fprintf(&b, "| %s | %s |\n", cell(placed.Panel.Title), cell(placed.Panel.Description))
			}
		}
	}
	return b.Bytes()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func anchor(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }
