package panel

import "fmt"

// Kind is a panel type of Grafana's core.
type Kind string

// The kinds that are used.
const (
	Stat     Kind = "stat"
	Series   Kind = "timeseries"
	Bars     Kind = "bargauge"
	Timeline Kind = "state-timeline"
	Table    Kind = "table"
	Text     Kind = "text"
)

// Panel is one picture.
type Panel struct {
	Kind        Kind
	Title       string
	Description string // what it shows, and what to do when it is bad
	W, H        int    // in Grafana's grid: 24 columns, a row is 30 pixels high
	Unit        string // Grafana's spelling: reqps, percentunit, bytes, s, short …
	Min, Max    *float64
	Decimals    *int
	NoValue     string      // shown instead of "No data"
	Thresholds  []Threshold // the first has no From
	Mappings    []Mapping   // value → word and colour
	Queries     []Query
	Stack       bool
	Fill        int // opacity of the area under lines, 0–100
	Lines       bool
	Styles      []Style
	Markdown    string            // of a text
	Columns     map[string]string // of a table: label → heading; "" hides it
	Links       []Link
	Background  bool // a stat in full colour
	Log         bool // logarithmic axis
	Right       bool // legend on the right, with the last value
}

// Threshold is a colour from a value on.
type Threshold struct {
	From  float64
	Color string
}

// Mapping is a word for a value.
type Mapping struct {
	Value, Text, Color string
}

// Style is how the series whose name matches (a regular expression, whole name)
// look. Zero fields change nothing.
type Style struct {
	Match  string
	Color  string
	Dashed bool
	Width  int
	Unit   string
	Right  bool // its own axis
	NoFill bool
}

// Query is one question of a panel.
type Query struct {
	Expr, Legend string
	Instant      bool
	// Conditional is why the answer may be empty in good order; not in the JSON.
	Conditional string
	Cloud       *Cloud
}

// Cloud is a question for CloudWatch. A dimension with "*" means each of them.
type Cloud struct {
	Region, Namespace, Metric, Stat string
	Dimensions                      map[string]string
	Label                           string
}

// P is a value where none is also possible.
func P[T any](v T) *T { return &v }

// refID counts A, B, … Z, AA.
func refID(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return refID(i/26-1) + refID(i%26)
}

func (p *Placed) json(id int) (panelJSON, error) {
	grid := gridJSON{p.H, p.W, p.X, p.Y}
	if p.Panel == nil {
		none := []panelJSON{}
		return panelJSON{ID: id, Type: "row", Title: p.Heading, Collapsed: P(false), Panels: &none, GridPos: grid}, nil
	}
	q := p.Panel
	j := panelJSON{ID: id, Type: string(q.Kind), Title: q.Title, Description: q.Description, GridPos: grid}
	for _, l := range q.Links {
		j.Links = append(j.Links, panelLinkJSON{l.Title, l.URL, false})
	}
	if q.Kind == Text {
		j.Options = map[string]any{"mode": "markdown", "content": q.Markdown}
		return j, nil
	}
	if len(q.Queries) == 0 {
		return j, fmt.Errorf("panel %q asks nothing", q.Title)
	}
	src := prometheus()
	for i, t := range q.Queries {
		if t.Cloud != nil {
			src = cloudwatch()
			j.Targets = append(j.Targets, t.Cloud.json(refID(i)))
			continue
		}
		j.Targets = append(j.Targets, t.json(refID(i), q.Kind))
	}
	j.Datasource = &src
	j.FieldConfig, j.Options = q.fields(), q.options()
	if q.Kind == Table {
		j.Transformations = q.columns()
	}
	return j, nil
}

func (t Query) json(ref string, k Kind) targetJSON {
	j := targetJSON{RefID: ref, Datasource: prometheus(), EditorMode: "code", Expr: t.Expr, Format: "time_series",
		Instant: t.Instant, Range: !t.Instant, LegendFormat: t.Legend}
	if k == Table {
		j.Format, j.Instant, j.Range = "table", true, false
	}
	return j
}

func (c *Cloud) json(ref string) cloudTargetJSON {
	j := cloudTargetJSON{RefID: ref, Datasource: cloudwatch(), QueryMode: "Metrics", Region: c.Region, Namespace: c.Namespace,
		MetricName: c.Metric, Statistic: c.Stat, Dimensions: map[string][]string{}, MatchExact: true, Label: c.Label}
	for k, v := range c.Dimensions {
		j.Dimensions[k] = []string{v}
	}
	return j
}
