package alertmanager_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/dashboards/alertmanager"
	"github.com/vigie-otel/vigie/dashboards/rules"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// The inhibitions run in a real Alertmanager on loopback, whose receivers tell
// nobody.

func TestAnAttackInhibitsTheSymptomsOfItsServiceAndClusterAndNothingElse(t *testing.T) {
	am := start(t)
	var posted []map[string]string
	for _, a := range rules.Alerts() {
		for _, cluster := range []string{"live", "test"} {
			if a.Kind == rules.KindAttack && cluster == "test" {
				continue
			}
			labels := labelsOf(a)
			labels["cluster"] = cluster
			if !slices.ContainsFunc(posted, func(l map[string]string) bool { return maps.Equal(l, labels) }) {
				posted = append(posted, labels)
			}
		}
	}
	other := labelsOf(find(t, "MatchBudget"))
	other["cluster"], other["service_name"] = "live", "blog"
	posted = append(posted, other)
	am.post(t, posted)

	for _, labels := range posted {
		if find(t, labels["alertname"]).Kind == rules.KindSymptom && labels["cluster"] == "live" && labels["service_name"] != "blog" {
			am.awaitInhibited(t, labels)
		}
	}
	for _, labels := range posted {
		a := find(t, labels["alertname"])
		inhibited := am.inhibited(t, labels)
		switch {
		case labels["service_name"] == "blog":
			require.False(t, inhibited, "another service: %v", labels)
		case a.Kind == rules.KindSymptom && labels["cluster"] == "live":
			require.True(t, inhibited, "a symptom under an attack: %v", labels)
		case labels["cluster"] == "live" && a.Kind == rules.KindAttack:
			require.Equal(t, a.Name == "AttackVerdict", inhibited, "%v", labels)
		}
	}
	// What an attack must never hide, where nothing else of its kind is open.
	for _, kind := range []rules.Kind{rules.KindWall, rules.KindFault, rules.KindVigie} {
		shown := 0
		for _, labels := range posted {
			if find(t, labels["alertname"]).Kind == kind && labels["cluster"] == "live" && !am.inhibited(t, labels) {
				shown++
			}
		}
		require.Greater(t, shown, 2, "alerts of kind %s are hidden", kind)
	}
	t.Logf("%d alerts in a real Alertmanager", len(posted))
}

func TestWhatSaysMoreInhibitsWhatSaysLess(t *testing.T) {
	for _, c := range []struct {
		source, target string
		same           []string
	}{
		{"AttackOpen", "AttackVerdict", []string{"service_name"}},
		{"MatchBudget", "ErrorBudgetFast", []string{"service_name"}},
		{"MatchBudget", "ErrorBudgetSlow", []string{"service_name"}},
		{"MatchBudget", "RetryStorm", []string{"service_name"}},
		{"ErrorBudgetFast", "ErrorBudgetSlow", []string{"service_name"}},
		{"ConntrackDropping", "ConntrackWallNear", []string{"instance"}},
		{"NodeDiskFull", "NodeDiskFillsSoon", []string{"instance", "mountpoint"}},
		{"NodeNotReady", "NodePressure", []string{"node"}},
		{"VigieAbsent", "VerdictUnknown", []string{"cluster"}},
		{"VigieAbsent", "VigieAgentsMissing", []string{"cluster"}},
		{"VigieStoreDiskFull", "VigieSamplesDropped", []string{"instance"}},
	} {
		t.Run(c.source+" "+c.target, func(t *testing.T) {
			am := start(t)
			source, near := labelsOf(find(t, c.source)), labelsOf(find(t, c.target))
			source["cluster"], near["cluster"] = "live", "live"
			far := labelsOf(find(t, c.target))
			far["cluster"] = "live"
			far[c.same[0]] = "another"
			am.post(t, []map[string]string{source, near, far})
			am.awaitInhibited(t, near)
			require.False(t, am.inhibited(t, far))
			require.False(t, am.inhibited(t, source))
		})
	}
}

// labelsOf gives an alert the labels that its texts speak of.
func labelsOf(a rules.Alert) map[string]string {
	labels := a.AllLabels()
	labels["alertname"] = a.Name
	for _, m := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(a.Summary+a.Description, -1) {
		if labels[m[1]] == "" {
			labels[m[1]] = "some"
		}
	}
	if labels["service_name"] != "" {
		labels["service_name"] = "shop"
	}
	return labels
}

func find(t *testing.T, name string) rules.Alert {
	t.Helper()
	all := rules.Alerts()
	i := slices.IndexFunc(all, func(a rules.Alert) bool { return a.Name == name })
	require.GreaterOrEqual(t, i, 0, "no alert %s", name)
	return all[i]
}

// running is an Alertmanager.
type running struct{ base string }

func start(t *testing.T) *running {
	t.Helper()
	bin := tool(t, "prometheus-alertmanager")
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(path, silenced(t), 0o600))
	port := ports.Address(t)
	cmd := exec.CommandContext(t.Context(), bin, "--config.file="+path, "--storage.path="+dir,
		"--web.listen-address="+port, "--cluster.listen-address=", "--log.level=warn")
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	am := &running{"http://" + port}
	deadline := time.Now().Add(20 * time.Second)
	for {
		res, err := http.Get(am.base + "/-/ready")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return am
			}
		}
		require.True(t, time.Now().Before(deadline), "Alertmanager did not start: %s", log.String())
		time.Sleep(50 * time.Millisecond) // another process: there is nothing to wait on
	}
}

// silenced is the plain configuration with receivers that send nothing.
func silenced(t *testing.T) []byte {
	t.Helper()
	body, err := alertmanager.Plain()
	require.NoError(t, err)
	var c map[string]any
	require.NoError(t, yaml.Unmarshal(body, &c))
	c["receivers"] = []map[string]string{{"name": alertmanager.Wake}, {"name": alertmanager.Look}}
	body, err = yaml.Marshal(c)
	require.NoError(t, err)
	return body
}

func (am *running) post(t *testing.T, alerts []map[string]string) {
	t.Helper()
	type alert struct {
		Labels map[string]string `json:"labels"`
	}
	var body []alert
	for _, l := range alerts {
		body = append(body, alert{l})
	}
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	res, err := http.Post(am.base+"/api/v2/alerts", "application/json", bytes.NewReader(raw))
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	// Another process: until it knows all, ask again.
	deadline := time.Now().Add(10 * time.Second)
	for len(am.alerts(t)) < len(alerts) {
		require.True(t, time.Now().Before(deadline), "only %d of %d alerts arrived", len(am.alerts(t)), len(alerts))
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitInhibited asks until the alert is inhibited: the inhibitor hears of new
// alerts by a subscription.
func (am *running) awaitInhibited(t *testing.T, labels map[string]string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !am.inhibited(t, labels); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "nothing inhibits %v", labels)
	}
}

type status struct {
	Labels map[string]string `json:"labels"`
	Status struct {
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status"`
}

func (am *running) alerts(t *testing.T) []status {
	t.Helper()
	res, err := http.Get(am.base + "/api/v2/alerts")
	require.NoError(t, err)
	defer res.Body.Close()
	var all []status
	require.NoError(t, json.NewDecoder(res.Body).Decode(&all))
	return all
}

func (am *running) inhibited(t *testing.T, labels map[string]string) bool {
	t.Helper()
	for _, a := range am.alerts(t) {
		if fmt.Sprint(a.Labels) == fmt.Sprint(labels) {
			return len(a.Status.InhibitedBy) > 0
		}
	}
	t.Fatalf("Alertmanager does not know %v", labels)
	return false
}

// lockedBuffer is written by the process' copier and read when it fails.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder // guarded by mu
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
