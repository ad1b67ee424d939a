package panel

import (
	"regexp"
	"slices"
	"strings"
)

// fields are what the panel says of its values.
func (p *Panel) fields() *fieldConfigJSON {
	d := defaultsJSON{
		Unit: p.Unit, Min: p.Min, Max: p.Max, Decimals: p.Decimals, NoValue: p.NoValue,
		Color:      map[string]any{"mode": "thresholds"},
		Thresholds: thresholdsJSON{"absolute", []thresholdJSON{}},
		Mappings:   []mappingJSON{},
	}
	steps := p.Thresholds
	if len(steps) == 0 {
		steps = []Threshold{{Color: Sky}}
	}
	for i, t := range steps {
		s := thresholdJSON{Color: t.Color}
		if i > 0 {
			s.Value = P(t.From)
		}
		d.Thresholds.Steps = append(d.Thresholds.Steps, s)
	}
	if len(p.Mappings) > 0 {
		m := mappingJSON{"value", map[string]mappedTextJSON{}}
		for i, w := range p.Mappings {
			m.Options[w.Value] = mappedTextJSON{w.Color, i, w.Text}
		}
		d.Mappings = append(d.Mappings, m)
	}
	switch p.Kind {
	case Series:
		d.Color = map[string]any{"mode": "palette-classic"}
		d.Custom = p.lines()
	case Timeline:
		d.Custom = map[string]any{"fillOpacity": 85, "lineWidth": 0}
	case Table:
		d.Custom = map[string]any{"align": "auto", "cellOptions": map[string]any{"type": "auto"}}
	}
	return &fieldConfigJSON{d, p.overrides()}
}

func (p *Panel) lines() map[string]any {
	c := map[string]any{
		"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 2, "fillOpacity": p.Fill,
		"showPoints": "never", "spanNulls": 60_000, "axisSoftMin": 0,
		"stacking":        map[string]any{"mode": "none", "group": "A"},
		"thresholdsStyle": map[string]any{"mode": "off"},
	}
	if p.Stack {
		c["stacking"], c["lineWidth"], c["fillOpacity"] = map[string]any{"mode": "normal", "group": "A"}, 1, max(p.Fill, 60)
	}
	if p.Lines {
		c["thresholdsStyle"] = map[string]any{"mode": "dashed"}
	}
	if p.Log {
		c["scaleDistribution"] = map[string]any{"type": "log", "log": 10}
	}
	return c
}

// overrides are the panel's styles, and Okabe and Ito's colours in turn for lines
// whose names are known beforehand. Names that come out of labels get Grafana's
// own palette: it can't be replaced.
func (p *Panel) overrides() []overrideJSON {
	out := []overrideJSON{}
	for _, s := range append(p.named(), p.Styles...) {
		o := overrideJSON{Matcher: matcherJSON{"byRegexp", "/^(?:" + s.Match + ")$/"}}
		add := func(id string, v any) { o.Properties = append(o.Properties, propertyJSON{id, v}) }
		if s.Color != "" {
			add("color", map[string]any{"mode": "fixed", "fixedColor": s.Color})
		}
		if s.Dashed {
			add("custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 6}})
			add("custom.stacking", map[string]any{"mode": "none", "group": "A"})
		}
		if s.Dashed || s.NoFill {
			add("custom.fillOpacity", 0)
		}
		if s.Width > 0 {
			add("custom.lineWidth", s.Width)
		}
		if s.Unit != "" {
			add("unit", s.Unit)
		}
		if s.Right {
			add("custom.axisPlacement", "right")
		}
		out = append(out, o)
	}
	return out
}

func (p *Panel) named() (styles []Style) {
	for _, q := range p.Queries {
		known := p.Kind == Series && q.Legend != "" && !strings.Contains(q.Legend, "{{")
		styled := slices.ContainsFunc(p.Styles, func(s Style) bool {
			return s.Color != "" && regexp.MustCompile("^(?:"+s.Match+")$").MatchString(q.Legend)
		})
		if known && !styled {
			styles = append(styles, Style{Match: regexp.QuoteMeta(q.Legend), Color: Palette[len(styles)%len(Palette)]})
		}
	}
	return styles
}

func (p *Panel) options() any {
	last := map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.Kind {
	case Stat:
		o := map[string]any{"reduceOptions": last, "colorMode": "value", "graphMode": "area", "justifyMode": "auto",
			"orientation": "auto", "textMode": "auto", "wideLayout": true}
		if p.Background {
			o["colorMode"], o["graphMode"] = "background", "none"
		}
		if slices.ContainsFunc(p.Queries, func(q Query) bool { return q.Instant }) {
			o["graphMode"] = "none"
		}
		return o
	case Bars:
		return map[string]any{"reduceOptions": last, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true,
			"valueMode": "color", "minVizHeight": 12, "minVizWidth": 0, "namePlacement": "auto"}
	case Timeline:
		return map[string]any{"mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.85,
			"legend": map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": map[string]any{"mode": "single", "sort": "none"}}
	case Table:
		return map[string]any{"showHeader": true, "cellHeight": "sm", "footer": map[string]any{"show": false, "reducer": []string{"sum"}, "fields": ""}}
	}
	legend := map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}}
	if p.Right {
		legend = map[string]any{"displayMode": "table", "placement": "right", "showLegend": true, "calcs": []string{"lastNotNull"}, "sortBy": "Last *", "sortDesc": true}
	}
	return map[string]any{"legend": legend, "tooltip": map[string]any{"mode": "multi", "sort": "desc"}}
}

// columns make one table of a panel's queries and name its columns.
func (p *Panel) columns() []transformJSON {
	exclude, rename := map[string]bool{"Time": true}, map[string]string{}
	for name, heading := range p.Columns {
		if heading == "" {
			exclude[name] = true
		} else {
			rename[name] = heading
		}
	}
	return []transformJSON{
		{"merge", map[string]any{}},
		{"organize", map[string]any{"excludeByName": exclude, "indexByName": map[string]int{}, "renameByName": rename}},
	}
}
