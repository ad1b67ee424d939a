package panel

// Names of the variables that hold data sources.
const (
	DataSource      = "datasource"
	CloudDataSource = "cloudwatch"
)

func prometheus() sourceJSON { return sourceJSON{"prometheus", "${" + DataSource + "}"} }
func cloudwatch() sourceJSON { return sourceJSON{"cloudwatch", "${" + CloudDataSource + "}"} }

// Variable is a choice at the top of the page. Exactly one of Source, Query,
// Cloud and Text says what it is.
type Variable struct {
	Name, Label, Description string

	Source string         // a data source of this type
	Query  string         // values of a Prometheus query, as label_values(…)
	Cloud  map[string]any // values of a CloudWatch query
	Text   string         // a text to be typed; its default

	// Conditional is why a Prometheus query may have no values; not in the JSON.
	Conditional string
	One         bool // one value at a time, and not all of them
}

// all is selected by default. It becomes .* in a query and not the list of
// values, so that it matches a label that is absent too.
var all = map[string]any{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}

func (v *Variable) json() variableJSON {
	j := variableJSON{Name: v.Name, Label: v.Label, Description: v.Description, Options: []optionJSON{}}
	switch {
	case v.Source != "":
		j.Type, j.Query, j.Refresh, j.Current = "datasource", v.Source, 1, map[string]any{}
	case v.Cloud != nil:
		src := cloudwatch()
		j.Type, j.Datasource, j.Query, j.Refresh, j.Sort = "query", &src, v.Cloud, 1, 1
		j.Current = map[string]any{}
	case v.Query != "":
		src := prometheus()
		j.Type, j.Datasource, j.Definition, j.Refresh, j.Sort = "query", &src, v.Query, 2, 1
		j.Query = map[string]any{"query": v.Query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
		j.Current = map[string]any{}
		if !v.One {
			j.IncludeAll, j.Multi, j.AllValue, j.Current = true, true, ".*", all
		}
	default:
		o := optionJSON{true, v.Text, v.Text}
		j.Type, j.Query, j.Current, j.Options = "textbox", v.Text, o, []optionJSON{o}
	}
	return j
}
