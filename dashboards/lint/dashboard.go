package lint

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vigie-otel/vigie/dashboards/panel"
)

// Document is a dashboard's file, as far as it is judged.
type Document struct {
	ID            *int            `json:"id"`
	UID           string          `json:"uid"`
	Title         string          `json:"title"`
	Description   string          `json:"description"`
	SchemaVersion int             `json:"schemaVersion"`
	Tags          []string        `json:"tags"`
	Inputs        json.RawMessage `json:"__inputs"`
	Links         []Link          `json:"links"`
	Panels        []Panel         `json:"panels"`
	Templating    struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []Annotation `json:"list"`
	} `json:"annotations"`
}

// The parts of a Document.
type (
	Link       struct{ Title, Type, URL string }
	DataSource struct{ Type, UID string }
	Grid       struct{ X, Y, W, H int }
	Panel      struct {
		ID          int         `json:"id"`
		Type        string      `json:"type"`
		Title       string      `json:"title"`
		Description string      `json:"description"`
		GridPos     Grid        `json:"gridPos"`
		Datasource  *DataSource `json:"datasource"`
		Targets     []Target    `json:"targets"`
		Links       []Link      `json:"links"`
		FieldConfig struct {
			Defaults struct{ Unit string } `json:"defaults"`
		} `json:"fieldConfig"`
	}
	Target struct {
		RefID        string      `json:"refId"`
		Datasource   *DataSource `json:"datasource"`
		Expr         string      `json:"expr"`
		LegendFormat string      `json:"legendFormat"`
		Format       string      `json:"format"`
		Instant      bool        `json:"instant"`
		MetricName   string      `json:"metricName"`
		Namespace    string      `json:"namespace"`
	}
	Variable struct {
		Name       string      `json:"name"`
		Type       string      `json:"type"`
		Datasource *DataSource `json:"datasource"`
		Query      any         `json:"query"`
		Definition string      `json:"definition"`
		AllValue   string      `json:"allValue"`
		IncludeAll bool        `json:"includeAll"`
	}
	Annotation struct {
		Name        string     `json:"name"`
		BuiltIn     int        `json:"builtIn"`
		Datasource  DataSource `json:"datasource"`
		Expr        string     `json:"expr"`
		TitleFormat string     `json:"titleFormat"`
		TextFormat  string     `json:"textFormat"`
	}
)

// panelTypes are of Grafana's core in every version from 9.4 on.
var panelTypes = []string{"row", "text", "stat", "timeseries", "bargauge", "state-timeline", "table"}

// Files judges dashboards by file name: each by itself, and that uids and titles
// are not taken twice and links lead somewhere.
func Files(files map[string][]byte) []string {
	var problems []string
	uids, titles := map[string]string{}, map[string]string{}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	docs := map[string]*Document{}
	for _, name := range names {
		var d Document
		if err := json.Unmarshal(files[name], &d); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		docs[name] = &d
		if first, ok := uids[d.UID]; ok {
			problems = append(problems, fmt.Sprintf("%s: uid %q is %s's", name, d.UID, first))
		}
		if first, ok := titles[d.Title]; ok {
			problems = append(problems, fmt.Sprintf("%s: title %q is %s's", name, d.Title, first))
		}
		uids[d.UID], titles[d.Title] = name, name
	}
	for _, name := range names {
		if d := docs[name]; d != nil {
			for _, p := range append(Dashboard(d), d.deadLinks(uids)...) {
				problems = append(problems, name+": "+p)
			}
		}
	}
	return problems
}

// Dashboard judges one dashboard by itself.
func Dashboard(d *Document) []string {
	var problems []string
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if d.ID != nil {
		bad("id is %d; it must be null, Grafana gives it", *d.ID)
	}
	if !regexp.MustCompile(`^vigie-[a-z-]{1,34}$`).MatchString(d.UID) {
		bad("uid %q: want vigie-…, at most 40 characters", d.UID)
	}
	if d.SchemaVersion != panel.SchemaVersion {
		bad("schemaVersion is %d, want %d", d.SchemaVersion, panel.SchemaVersion)
	}
	if d.Inputs != nil {
		bad("__inputs: the data source is a variable")
	}
	if d.Description == "" {
		bad("no description")
	}
	if !slices.Contains(d.Tags, "vigie") {
		bad("no tag vigie, by which the dashboards link to each other")
	}
	vars := d.variables(bad)
	d.annotations(bad)
	ids := map[int]bool{}
	for i := range d.Panels {
		p := &d.Panels[i]
		here := func(format string, args ...any) { bad("panel %q: "+format, append([]any{p.Title}, args...)...) }
		if ids[p.ID] || p.ID <= 0 {
			here("id %d is taken or not positive", p.ID)
		}
		ids[p.ID] = true
		p.judge(here)
		p.judgeTargets(here, vars)
	}
	d.grid(bad)
	return problems
}

type report func(format string, args ...any)

// ownSource reports whether a data source is a variable.
func ownSource(s *DataSource) bool {
	return s != nil && (s.Type == "prometheus" && s.UID == "${"+panel.DataSource+"}" || s.Type == "cloudwatch" && s.UID == "${"+panel.CloudDataSource+"}")
}

func (d *Document) variables(bad report) map[string]bool {
	vars, sources := map[string]bool{}, 0
	for _, v := range d.Templating.List {
		if vars[v.Name] {
			bad("variable %s twice", v.Name)
		}
		vars[v.Name] = true
		switch v.Type {
		case "datasource":
			sources++
		case "query":
			if !ownSource(v.Datasource) {
				bad("variable %s has a data source that is no variable", v.Name)
			}
			if v.Definition == "" {
				continue // CloudWatch's
			}
			for _, p := range LabelValues(v.Definition) {
				bad("variable %s: %s", v.Name, p)
			}
			if v.IncludeAll && v.AllValue != ".*" {
				bad("variable %s: All must be .*, which matches what has no such label", v.Name)
			}
		}
	}
	if sources != 1 {
		bad("%d data source variables, want 1", sources)
	}
	return vars
}

var labelValues = regexp.MustCompile(`^label_values\((?:(.*),\s*)?(\w+)\)$`)

// LabelValues judges the query of a variable.
func LabelValues(query string) []string {
	m := labelValues.FindStringSubmatch(query)
	if m == nil {
		return []string{fmt.Sprintf("%q is no label_values(selector, label)", query)}
	}
	if m[1] == "" {
		return nil
	}
	has, problems := Expr(Substitute(m[1]), true)
	if len(problems) == 0 && !has[m[2]] {
		problems = append(problems, fmt.Sprintf("%s has no label %s", m[1], m[2]))
	}
	return problems
}

func (d *Document) annotations(bad report) {
	for _, a := range d.Annotations.List {
		if a.BuiltIn == 1 {
			continue
		}
		if !ownSource(&a.Datasource) {
			bad("annotation %s has a data source that is no variable", a.Name)
		}
		has, problems := Expr(Substitute(a.Expr), true)
		for _, p := range problems {
			bad("annotation %s: %s", a.Name, p)
		}
		for _, l := range legendLabels(a.TitleFormat + a.TextFormat) {
			if len(problems) == 0 && !has[l] {
				bad("annotation %s: {{%s}} is not in %s", a.Name, l, set(has))
			}
		}
	}
}

func (p *Panel) judge(bad report) {
	if !slices.Contains(panelTypes, p.Type) {
		bad("type %s is not one of %s", p.Type, strings.Join(panelTypes, ", "))
	}
	if p.Title == "" {
		bad("no title")
	}
	if p.Type == "row" || p.Type == "text" {
		return
	}
	if len(p.Description) < 20 {
		bad("the description must say what it shows and what to do (got %q)", p.Description)
	}
	if p.FieldConfig.Defaults.Unit == "" && (p.Type == "timeseries" || p.Type == "bargauge") {
		bad("no unit")
	}
	if !ownSource(p.Datasource) {
		bad("the data source is no variable")
	}
	if len(p.Targets) == 0 {
		bad("no targets")
	}
}

// grid objects to panels that overlap or stand out.
func (d *Document) grid(bad report) {
	for i, p := range d.Panels {
		g := p.GridPos
		if g.X < 0 || g.Y < 0 || g.W <= 0 || g.H <= 0 || g.X+g.W > panel.Columns {
			bad("panel %q is outside of the grid: %+v", p.Title, g)
		}
		for _, q := range d.Panels[:i] {
			o := q.GridPos
			if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
				bad("panels %q and %q overlap", q.Title, p.Title)
			}
		}
	}
}

var toDashboard = regexp.MustCompile(`^/d/([^/?]+)`)

func (d *Document) deadLinks(uids map[string]string) (problems []string) {
	links := slices.Clone(d.Links)
	for _, p := range d.Panels {
		links = append(links, p.Links...)
	}
	for _, l := range links {
		if m := toDashboard.FindStringSubmatch(l.URL); m != nil && uids[m[1]] == "" {
			problems = append(problems, fmt.Sprintf("link %q leads to %s, which is not there", l.Title, m[1]))
		}
	}
	return problems
}
