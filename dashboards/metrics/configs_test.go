package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// scrapeJob is a job of a configuration, as far as it chooses.
type scrapeJob struct {
	Name    string    `yaml:"job_name"`
	Honor   bool      `yaml:"honor_labels"`
	Metrics []relabel `yaml:"metric_relabel_configs"`
}

type relabel struct {
	Source []string `yaml:"source_labels"`
	Regex  string   `yaml:"regex"`
	Action string   `yaml:"action"`
}

func jobs(t *testing.T) map[string]scrapeJob {
	t.Helper()
	paths, err := filepath.Glob("../../collector/configs/with/*.yaml")
	require.NoError(t, err)
	found := map[string]scrapeJob{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var doc struct {
			Receivers map[string]struct {
				Config struct {
					Jobs []scrapeJob `yaml:"scrape_configs"`
				} `yaml:"config"`
			} `yaml:"receivers"`
		}
		if yaml.Unmarshal(raw, &doc) != nil {
			continue // of another form: it scrapes nothing
		}
		for _, r := range doc.Receivers {
			for _, j := range r.Config.Jobs {
				found[j.Name] = j
			}
		}
	}
	return found
}

// kept reports whether a series of that name passes the job.
func (j scrapeJob) kept(t *testing.T, series string) bool {
	for _, r := range j.Metrics {
		if r.Action == "keep" && slices.Equal(r.Source, []string{"__name__"}) {
			re, err := regexp.Compile("^(?:" + r.Regex + ")$")
			require.NoError(t, err)
			if !re.MatchString(series) {
				return false
			}
		}
	}
	return true
}

// dropped are the labels that the job takes off.
func (j scrapeJob) dropped(t *testing.T, label string) bool {
	for _, r := range j.Metrics {
		if r.Action == "labeldrop" {
			re, err := regexp.Compile("^(?:" + r.Regex + ")$")
			require.NoError(t, err)
			if re.MatchString(label) {
				return true
			}
		}
	}
	return false
}

// notKept are metrics that a panel asks for and the configurations do not keep,
// so that the panel says so. One that is kept by now must go from the list.
var notKept = map[string]string{}

func TestTheConfigurationsScrapeWhatTheCatalogueSays(t *testing.T) {
	all := jobs(t)
	names := map[Source]string{CAdvisor: JobCAdvisor, Kubelet: JobKubelet, KubeState: JobKubeState, APIServer: JobAPIServer, CoreDNS: JobCoreDNS}
	checked := 0
	for _, m := range All() {
		name, ok := names[m.Source]
		if !ok {
			continue
		}
		job, ok := all[name]
		require.True(t, ok, "no configuration has a job %s", name)
		scraped := m.Series()
		if m.OTel != "" {
			scraped = []string{m.OTel}
		}
		for _, s := range scraped {
			_, excused := notKept[m.Name]
			if kept := job.kept(t, s); kept == excused {
				t.Errorf("job %s: %s is kept: %t, excused: %t", name, s, kept, excused)
			}
		}
		for _, l := range m.Labels {
			if job.dropped(t, l) {
				t.Errorf("job %s drops the label %s of %s", name, l, m.Name)
			}
		}
		checked++
	}
	require.Greater(t, checked, 50)
	require.True(t, all[JobKubeState].Honor, "without honor_labels its namespace becomes exported_namespace")
}

func TestScrapeRulesAreRead(t *testing.T) {
	j := scrapeJob{Metrics: []relabel{{Source: []string{"__name__"}, Regex: "a|b_.*", Action: "keep"}, {Regex: "id|name", Action: "labeldrop"}}}
	require.True(t, j.kept(t, "b_x"))
	require.False(t, j.kept(t, "ab_x"))
	require.True(t, j.dropped(t, "id"))
	require.False(t, j.dropped(t, "pod_id"))
}
