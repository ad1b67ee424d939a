package metrics

import (
	order "cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.yaml.in/yaml/v3"
)

// declared is a metric as a metadata.yaml has it.
type declared struct {
	Unit       string   `yaml:"unit"`
	Attributes []string `yaml:"attributes"`
	Gauge      any      `yaml:"gauge"`
	Histogram  any      `yaml:"histogram"`
	Sum        *struct {
		Monotonic bool `yaml:"monotonic"`
	} `yaml:"sum"`
}

func (d declared) kind() Kind {
	switch {
	case d.Histogram != nil:
		return Histogram
	case d.Sum == nil:
		return Gauge
	case d.Sum.Monotonic:
		return Counter
	}
	return UpDown
}

// metadata is what all metadata.yaml under dirs declare, by name; the collector's
// telemetry under its prefix, attributes under the names that leave.
func metadata(t *testing.T, dirs ...string) map[string]declared {
	t.Helper()
	found := map[string]declared{}
	read := func(path string) {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var doc struct {
			Attributes map[string]struct {
				Name string `yaml:"name_override"`
			} `yaml:"attributes"`
			Metrics   map[string]declared `yaml:"metrics"`
			Telemetry struct {
				Metrics map[string]declared `yaml:"metrics"`
			} `yaml:"telemetry"`
		}
		require.NoError(t, yaml.Unmarshal(raw, &doc), path)
		take := func(prefix string, all map[string]declared) {
			for name, d := range all {
				for i, a := range d.Attributes {
					if o := doc.Attributes[a].Name; o != "" {
						d.Attributes[i] = o
					}
				}
				found[prefix+name] = d
			}
		}
		take("", doc.Metrics)
		take("otelcol_", doc.Telemetry.Metrics)
	}
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.Name() == "metadata.yaml" {
				read(path)
			}
			return err
		}))
	}
	require.NotEmpty(t, found)
	return found
}

// moduleDir is where the pinned version of a module lies.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	require.NoError(t, err, module)
	dir := strings.TrimSpace(string(out))
	require.DirExists(t, dir, module)
	return dir
}

// agree holds every metric of the sources against what is declared.
func agree(t *testing.T, found map[string]declared, sources ...Source) {
	t.Helper()
	checked := 0
	for _, m := range All() {
		if m.OTel == "" || !slices.Contains(sources, m.Source) {
			continue
		}
		d, ok := found[m.OTel]
		if !ok {
			if !slices.Contains(undeclared, m) {
				t.Errorf("%s: no metadata.yaml of %s declares it", m.OTel, m.Source)
			}
			continue
		}
		checked++
		if m.Unit != d.Unit || m.Kind != d.kind() {
			t.Errorf("%s: catalogue has unit %q kind %d, metadata.yaml %q %d", m.OTel, m.Unit, m.Kind, d.Unit, d.kind())
		}
		if len(d.Attributes) == 0 {
			continue // the collector's own telemetry declares none
		}
		var want []string
		for _, a := range d.Attributes {
			want = append(want, Label(a))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, m.Labels); diff != "" {
			t.Errorf("%s: labels (-metadata.yaml +catalogue)\n%s", m.OTel, diff)
		}
	}
	require.NotZero(t, checked)
}

// undeclared are metrics that a component makes in code, without metadata.yaml;
// package proof holds them against what the component emits.
var undeclared = []*Metric{
	TrafficRequests, TrafficErrors, TrafficClients, TrafficRate, TrafficExpected,
	AttackVerdict, AttackScore, AttackSuspected, AttackFindings, CalendarActive,
	ConntrackUtilization, ConntrackTimeToExhaustion, ConntrackGrowth, ConntrackWallNearest,
	MetricFamiliesSkipped,
}

func TestVigiesOwnMetricsAreAsTheirComponentsDeclareThem(t *testing.T) {
	agree(t, metadata(t, "../../receivers", "../../processors", "../../exporters"), AttackMetrics, Detector, Conntrack, ENA, HostStat, WarRoom, RemoteWrite)
}

func TestUpstreamMetricsAreAsThePinnedVersionDeclaresThem(t *testing.T) {
	const contrib = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/"
	const core = "go.opentelemetry.io/collector/"
	for source, modules := range map[Source][]string{
		HostMetrics: {contrib + "hostmetricsreceiver"},
		Collector: {core + "receiver/receiverhelper", core + "scraper/scraperhelper", core + "processor/processorhelper", core + "processor/batchprocessor",
			core + "processor/memorylimiterprocessor", core + "exporter/exporterhelper", core + "service"},
	} {
		var dirs []string
		for _, m := range modules {
			dirs = append(dirs, moduleDir(t, m))
		}
		found := metadata(t, dirs...)
		agree(t, found, source)
	}
}

// The catalogue translates by itself; the store and the remote write translate
// whole batches. Both must come to the same names.
func TestNamesAreThoseThatTheStoreGives(t *testing.T) {
	for _, m := range All() {
		if m.Kind == Totals {
			continue
		}
		md := pmetric.NewMetrics()
		pm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		pm.SetName(order.Or(m.OTel, m.Name))
		pm.SetUnit(m.Unit)
		switch m.Kind {
		case Gauge:
			pm.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
		case Histogram:
			h := pm.SetEmptyHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			p := h.DataPoints().AppendEmpty()
			p.ExplicitBounds().FromRaw([]float64{1})
			p.BucketCounts().FromRaw([]uint64{1, 0})
			p.SetCount(1)
			p.SetSum(1)
		default:
			s := pm.SetEmptySum()
			s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			s.SetIsMonotonic(m.Kind == Counter)
			s.DataPoints().AppendEmpty().SetIntValue(1)
		}
		all, err := prometheusremotewrite.FromMetrics(md, prometheusremotewrite.Settings{AddMetricSuffixes: true})
		require.NoError(t, err)
		got := map[string]bool{}
		for _, ts := range all {
			for _, l := range ts.Labels {
				if l.Name == "__name__" {
					got[l.Value] = true
				}
			}
		}
		want := map[string]bool{}
		for _, s := range m.Series() {
			want[s] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-catalogue +store)\n%s", m.Name, diff)
		}
	}
}

func TestEveryNameIsThereOnceAndIsFound(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		for _, s := range m.Series() {
			require.False(t, seen[s], "%s is in the catalogue twice", s)
			seen[s] = true
			require.Same(t, m, Find(s))
		}
	}
	require.Nil(t, Find("no_such_metric"))
	require.True(t, SpanDuration.HasLabel(SpanDuration.Bucket(), "le"))
	require.False(t, SpanDuration.HasLabel(SpanDuration.Count(), "le"))
	require.False(t, AttackScore.HasLabel(AttackScore.Name, "client_address"))
	require.Panics(t, func() { _ = AttackScore.Bucket() })
}
