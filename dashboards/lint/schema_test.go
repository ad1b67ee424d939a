package lint

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cloudwatch"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/stretchr/testify/require"
)

// unknown are the fields of a dashboard that Grafana's own types, generated from
// its schema, don't have: options of panels and queries included. What they have
// and a file lacks is left to Grafana's defaults: they are of a newer version.
func unknown(t *testing.T, raw []byte) (fields []string) {
	t.Helper()
	//lint:ignore SA1019 the classic format is the one that Grafana 9.4 to 13 import
	var d dashboard.Dashboard
	err := d.UnmarshalJSONStrict(raw)
	var all cog.BuildErrors
	if err != nil {
		require.True(t, errors.As(err, &all), "%T: %v", err, err)
	}
	for _, e := range all {
		if !strings.Contains(e.Error(), "required field is missing") {
			fields = append(fields, e.Error())
		}
	}
	return fields
}

func TestGrafanasOwnTypesKnowEveryField(t *testing.T) {
	r := cog.NewRuntime()
	r.RegisterPanelcfgVariant(bargauge.VariantConfig())
	r.RegisterPanelcfgVariant(stat.VariantConfig())
	r.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	r.RegisterPanelcfgVariant(table.VariantConfig())
	r.RegisterPanelcfgVariant(text.VariantConfig())
	r.RegisterPanelcfgVariant(timeseries.VariantConfig())
	r.RegisterDataqueryVariant(prometheus.VariantConfig())
	r.RegisterDataqueryVariant(cloudwatch.VariantConfig())
	all := files(t)
	for name, raw := range all {
		require.Empty(t, unknown(t, raw), name)
	}
	raw := all["vigie-nodes.json"]
	for was, is := range map[string]string{
		`"valueMode"`:     `"valueStyle"`, // an option of bar gauges
		`"legendFormat"`:  `"legend"`,     // of a query
		`"fillOpacity"`:   `"opacity"`,    // of a field's custom options
		`"schemaVersion"`: `"schema"`,
		`"placement"`:     `"place"`, // deep in a time series' legend
		`"includeAll"`:    `"all"`,
		`"reduceOptions"`: `"reduce"`,
		`"gridPos"`:       `"grid"`,
		`"colorMode"`:     `"colors"`,
		`"editorMode"`:    `"editing"`,
		`"fieldConfig"`:   `"fields"`,
		`"displayMode"`:   `"display"`,
		`"datasource"`:    `"source"`,
	} {
		if bytes.Contains(raw, []byte(was)) {
			require.NotEmpty(t, unknown(t, bytes.Replace(raw, []byte(was), []byte(is), 1)), "%s for %s was not found out", is, was)
		}
	}
}
