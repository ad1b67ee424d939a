package panel

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// SchemaVersion is of the classic format that Grafana 10.4 writes, and that 9.4
// to 13 read.
const SchemaVersion = 39

// Columns of Grafana's grid.
const Columns = 24

// Dashboard is one page.
type Dashboard struct {
	UID, Title  string
	Description string
	Refresh     string // e.g. 10s
	From        string // e.g. now-1h
	Tags        []string
	Variables   []Variable
	Annotations []Annotation
	Links       []Link
	Rows        []Row
}

// Row is a band of panels, which flow from left to right and wrap.
type Row struct {
	Title  string // empty: no heading
	Panels []Panel
}

// Link leads from the dashboard elsewhere: to the dashboards with a tag, or to a
// URL, which may hold variables.
type Link struct {
	Title, Tag, URL, Tooltip string
}

// Annotation marks times at which the expression has a value.
type Annotation struct {
	Name, Color  string
	Expr, Step   string
	Title, Text  string // may hold {{label}}
	Conditional  string // why there may be none; not in the JSON
	TagKeys      string
	OffByDefault bool
}

// Place is a panel's place in the grid.
type Place struct{ X, Y, W, H int }

// Placed is a panel with its place; a heading has no Panel.
type Placed struct {
	Place
	Heading string
	Panel   *Panel
}

// Flow places the rows' panels: a panel goes beside the one before it if it fits,
// else below the highest row of panels so far.
func (d *Dashboard) Flow() []Placed {
	var out []Placed
	y := 0
	for r := range d.Rows {
		row := &d.Rows[r]
		if row.Title != "" {
			out = append(out, Placed{Place{0, y, Columns, 1}, row.Title, nil})
			y++
		}
		x, high := 0, 0
		for i := range row.Panels {
			p := &row.Panels[i]
			if x+p.W > Columns {
				x, y, high = 0, y+high, 0
			}
			out = append(out, Placed{Place{x, y, p.W, p.H}, "", p})
			x, high = x+p.W, max(high, p.H)
		}
		y += high
	}
	return out
}

// JSON is the file that Grafana imports.
func (d *Dashboard) JSON() ([]byte, error) {
	out := dashboardJSON{
		UID: d.UID, Title: d.Title, Description: d.Description, Tags: d.Tags,
		SchemaVersion: SchemaVersion, Version: 1, Editable: true, GraphTooltip: 1,
		Timezone: "browser", Refresh: d.Refresh, Time: timeJSON{d.From, "now"},
		Links: []linkJSON{},
	}
	for _, l := range d.Links {
		out.Links = append(out.Links, l.json())
	}
	for i := range d.Variables {
		out.Templating.List = append(out.Templating.List, d.Variables[i].json())
	}
	out.Annotations.List = []annotationJSON{builtIn()}
	for _, a := range d.Annotations {
		out.Annotations.List = append(out.Annotations.List, a.json())
	}
	for i, p := range d.Flow() {
		j, err := p.json(i + 1)
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
		}
		out.Panels = append(out.Panels, j)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return buf.Bytes(), nil
}

func (l Link) json() linkJSON {
	j := linkJSON{Title: l.Title, Tooltip: l.Tooltip, Icon: "external link", Tags: []string{}, KeepTime: true}
	if l.Tag != "" {
		j.Type, j.Tags, j.AsDropdown, j.IncludeVars = "dashboards", []string{l.Tag}, true, true
		return j
	}
	j.Type, j.URL, j.TargetBlank, j.KeepTime = "link", l.URL, true, false
	return j
}

// builtIn shows what is written as Grafana's own annotations: Vigie's Grafana
// exporter writes the event's phases and the findings there, with the tag vigie.
func builtIn() annotationJSON {
	return annotationJSON{
		BuiltIn: 1, Datasource: sourceJSON{"grafana", "-- Grafana --"}, Enable: true, Hide: false,
		IconColor: Sky, Name: "Annotations", Type: "dashboard",
		Target: map[string]any{"limit": 100, "matchAny": true, "tags": []string{"vigie"}, "type": "tags"},
	}
}

func (a Annotation) json() annotationJSON {
	return annotationJSON{
		Datasource: prometheus(), Enable: !a.OffByDefault, IconColor: a.Color, Name: a.Name,
		Expr: a.Expr, Step: a.Step, TitleFormat: a.Title, TextFormat: a.Text, TagKeys: a.TagKeys,
	}
}
