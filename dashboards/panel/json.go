package panel

// The classic dashboard JSON, as far as it is used here. Field order is the
// order in the files.
type (
	dashboardJSON struct {
		ID                   *int            `json:"id"`
		UID                  string          `json:"uid"`
		Title                string          `json:"title"`
		Description          string          `json:"description"`
		Tags                 []string        `json:"tags"`
		SchemaVersion        int             `json:"schemaVersion"`
		Version              int             `json:"version"`
		Editable             bool            `json:"editable"`
		GraphTooltip         int             `json:"graphTooltip"`
		FiscalYearStartMonth int             `json:"fiscalYearStartMonth"`
		LiveNow              bool            `json:"liveNow"`
		Timezone             string          `json:"timezone"`
		WeekStart            string          `json:"weekStart"`
		Refresh              string          `json:"refresh"`
		Time                 timeJSON        `json:"time"`
		Timepicker           struct{}        `json:"timepicker"`
		Annotations          annotationsJSON `json:"annotations"`
		Links                []linkJSON      `json:"links"`
		Templating           templatingJSON  `json:"templating"`
		Panels               []panelJSON     `json:"panels"`
	}
	timeJSON struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	annotationsJSON struct {
		List []annotationJSON `json:"list"`
	}
	templatingJSON struct {
		List []variableJSON `json:"list"`
	}
	sourceJSON struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	annotationJSON struct {
		Datasource      sourceJSON `json:"datasource"`
		Enable          bool       `json:"enable"`
		Hide            bool       `json:"hide"`
		IconColor       string     `json:"iconColor"`
		Name            string     `json:"name"`
		BuiltIn         int        `json:"builtIn,omitempty"`
		Type            string     `json:"type,omitempty"`
		Expr            string     `json:"expr,omitempty"`
		Step            string     `json:"step,omitempty"`
		TagKeys         string     `json:"tagKeys,omitempty"`
		TextFormat      string     `json:"textFormat,omitempty"`
		TitleFormat     string     `json:"titleFormat,omitempty"`
		UseValueForTime bool       `json:"useValueForTime,omitempty"`
		Target          any        `json:"target,omitempty"`
	}
	linkJSON struct {
		Title       string   `json:"title"`
		Type        string   `json:"type"`
		Icon        string   `json:"icon"`
		URL         string   `json:"url"`
		Tags        []string `json:"tags"`
		AsDropdown  bool     `json:"asDropdown"`
		IncludeVars bool     `json:"includeVars"`
		KeepTime    bool     `json:"keepTime"`
		TargetBlank bool     `json:"targetBlank"`
		Tooltip     string   `json:"tooltip"`
	}
	variableJSON struct {
		Name        string       `json:"name"`
		Label       string       `json:"label"`
		Description string       `json:"description,omitempty"`
		Type        string       `json:"type"`
		Datasource  *sourceJSON  `json:"datasource,omitempty"`
		Definition  string       `json:"definition,omitempty"`
		Query       any          `json:"query"`
		Refresh     int          `json:"refresh"`
		Regex       string       `json:"regex"`
		IncludeAll  bool         `json:"includeAll"`
		Multi       bool         `json:"multi"`
		AllValue    string       `json:"allValue,omitempty"`
		Sort        int          `json:"sort"`
		Hide        int          `json:"hide"`
		SkipURLSync bool         `json:"skipUrlSync"`
		Options     []optionJSON `json:"options"`
		Current     any          `json:"current"`
	}
	optionJSON struct {
		Selected bool `json:"selected"`
		Text     any  `json:"text"`
		Value    any  `json:"value"`
	}
	gridJSON struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}
	panelJSON struct {
		ID              int              `json:"id"`
		Type            string           `json:"type"`
		Title           string           `json:"title"`
		Description     string           `json:"description,omitempty"`
		Collapsed       *bool            `json:"collapsed,omitempty"`
		Panels          *[]panelJSON     `json:"panels,omitempty"`
		GridPos         gridJSON         `json:"gridPos"`
		Datasource      *sourceJSON      `json:"datasource,omitempty"`
		Targets         []any            `json:"targets,omitempty"`
		FieldConfig     *fieldConfigJSON `json:"fieldConfig,omitempty"`
		Options         any              `json:"options,omitempty"`
		Transformations []transformJSON  `json:"transformations,omitempty"`
		Links           []panelLinkJSON  `json:"links,omitempty"`
		Interval        string           `json:"interval,omitempty"`
	}
	panelLinkJSON struct {
		Title       string `json:"title"`
		URL         string `json:"url"`
		TargetBlank bool   `json:"targetBlank"`
	}
	transformJSON struct {
		ID      string `json:"id"`
		Options any    `json:"options"`
	}
	targetJSON struct {
		RefID        string     `json:"refId"`
		Datasource   sourceJSON `json:"datasource"`
		EditorMode   string     `json:"editorMode"`
		Expr         string     `json:"expr"`
		Format       string     `json:"format"`
		Instant      bool       `json:"instant"`
		Range        bool       `json:"range"`
		LegendFormat string     `json:"legendFormat"`
	}
	cloudTargetJSON struct {
		RefID            string              `json:"refId"`
		Datasource       sourceJSON          `json:"datasource"`
		QueryMode        string              `json:"queryMode"`
		MetricQueryType  int                 `json:"metricQueryType"`
		MetricEditorMode int                 `json:"metricEditorMode"`
		ID               string              `json:"id"`
		Region           string              `json:"region"`
		Namespace        string              `json:"namespace"`
		MetricName       string              `json:"metricName"`
		Dimensions       map[string][]string `json:"dimensions"`
		MatchExact       bool                `json:"matchExact"`
		Statistic        string              `json:"statistic"`
		Period           string              `json:"period"`
		Label            string              `json:"label"`
		Expression       string              `json:"expression"`
		SQLExpression    string              `json:"sqlExpression"`
	}
	fieldConfigJSON struct {
		Defaults  defaultsJSON   `json:"defaults"`
		Overrides []overrideJSON `json:"overrides"`
	}
	defaultsJSON struct {
		Unit       string         `json:"unit,omitempty"`
		Min        *float64       `json:"min,omitempty"`
		Max        *float64       `json:"max,omitempty"`
		Decimals   *int           `json:"decimals,omitempty"`
		NoValue    string         `json:"noValue,omitempty"`
		Color      map[string]any `json:"color"`
		Thresholds thresholdsJSON `json:"thresholds"`
		Mappings   []mappingJSON  `json:"mappings"`
		Custom     map[string]any `json:"custom,omitempty"`
	}
	thresholdsJSON struct {
		Mode  string          `json:"mode"`
		Steps []thresholdJSON `json:"steps"`
	}
	thresholdJSON struct {
		Color string   `json:"color"`
		Value *float64 `json:"value"`
	}
	mappingJSON struct {
		Type    string                    `json:"type"`
		Options map[string]mappedTextJSON `json:"options"`
	}
	mappedTextJSON struct {
		Color string `json:"color"`
		Index int    `json:"index"`
		Text  string `json:"text"`
	}
	overrideJSON struct {
		Matcher    matcherJSON    `json:"matcher"`
		Properties []propertyJSON `json:"properties"`
	}
	matcherJSON struct {
		ID      string `json:"id"`
		Options string `json:"options"`
	}
	propertyJSON struct {
		ID    string `json:"id"`
		Value any    `json:"value"`
	}
)
