package alertmanager_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/dashboards/alertmanager"
	"github.com/vigie-otel/vigie/dashboards/rules"
)

var update = flag.Bool("update", false, "write dashboards/out/alertmanager, as make dashboards does")

func TestTheWrittenConfigurationsAreFresh(t *testing.T) {
	out := filepath.Join("..", "out")
	if *update {
		require.NoError(t, alertmanager.Write(out))
	}
	dir := t.TempDir()
	require.NoError(t, alertmanager.Write(dir))
	for _, name := range []string{"plain.yaml", "amp.yaml"} {
		want, err := os.ReadFile(filepath.Join(dir, "alertmanager", name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(out, "alertmanager", name))
		require.NoError(t, err, "run make dashboards and commit")
		require.Equal(t, string(want), string(got), "dashboards/out/alertmanager/%s is stale: run make dashboards and commit", name)
	}
}

// tool finds a program of Debian's package prometheus-alertmanager.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install prometheus-alertmanager, or make tools", name)
	}
	return path
}

// inner is the configuration that AMP runs, with PagerDuty's key as upstream
// spells it, for upstream's tools don't know AMP's.
func inner(t *testing.T) string {
	t.Helper()
	body, err := alertmanager.AMP()
	require.NoError(t, err)
	var doc struct {
		Config string `yaml:"alertmanager_config"`
	}
	require.NoError(t, yaml.Unmarshal(body, &doc))
	key := regexp.MustCompile(`routing_key:\n\s+aws_secrets_manager:\n\s+secret_arn: \S+\n\s+secret_key: \S+\n\s+refresh_interval: \S+`)
	require.Len(t, key.FindAllString(doc.Config, -1), 1)
	return key.ReplaceAllString(doc.Config, "routing_key: from-secrets-manager")
}

// files are both configurations on disk, as amtool reads them.
func files(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	plain, err := alertmanager.Plain()
	require.NoError(t, err)
	out := map[string]string{"plain": filepath.Join(dir, "plain.yaml"), "amp": filepath.Join(dir, "amp.yaml")}
	require.NoError(t, os.WriteFile(out["plain"], plain, 0o600))
	require.NoError(t, os.WriteFile(out["amp"], []byte(inner(t)), 0o600))
	return out
}

func TestAmtoolAcceptsBoth(t *testing.T) {
	amtool := tool(t, "amtool")
	for name, path := range files(t) {
		out, err := exec.CommandContext(t.Context(), amtool, "check-config", path).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
	}
}

func TestWhatIsCriticalWakesAndTheRestIsLookedAt(t *testing.T) {
	amtool := tool(t, "amtool")
	for name, path := range files(t) {
		for _, a := range rules.Alerts() {
			want := alertmanager.Look
			if a.Severity == rules.Critical {
				want = alertmanager.Wake
			}
			args := []string{"config", "routes", "test", "--config.file", path, "alertname=" + a.Name}
			for l, v := range a.AllLabels() {
				args = append(args, l+"="+v)
			}
			out, err := exec.CommandContext(t.Context(), amtool, args...).Output()
			require.NoError(t, err, "%s", out)
			require.Equal(t, want, strings.TrimSpace(string(out)), "%s: %s", name, a.Name)
		}
	}
}

func TestAMPTakesTheDefinition(t *testing.T) {
	body, err := alertmanager.AMP()
	require.NoError(t, err)
	require.Less(t, len(body), 1<<20)
	var doc map[string]string
	require.NoError(t, yaml.Unmarshal(body, &doc))
	require.Len(t, doc, 1, "AMP knows template_files and alertmanager_config only")

	var c struct {
		Route struct {
			Routes []struct {
				Repeat string `yaml:"repeat_interval"`
			}
		}
		Inhibit   []any `yaml:"inhibit_rules"`
		Receivers []map[string]any
	}
	require.NoError(t, yaml.Unmarshal([]byte(doc["alertmanager_config"]), &c))
	require.LessOrEqual(t, len(c.Inhibit), 100)
	require.LessOrEqual(t, len(c.Route.Routes), 99)
	for _, r := range c.Route.Routes {
		d, err := time.ParseDuration(r.Repeat)
		require.NoError(t, err)
		require.LessOrEqual(t, d, 5*24*time.Hour)
	}
	for _, r := range c.Receivers {
		for kind, list := range r {
			require.Contains(t, []string{"name", "sns_configs", "pagerduty_configs"}, kind, "AMP has no such receiver")
			if kind != "sns_configs" {
				continue
			}
			for _, one := range list.([]any) {
				topic := one.(map[string]any)
				require.Contains(t, topic, "sigv4")
				require.Contains(t, topic["sigv4"], "region")
				require.NotContains(t, topic, "api_url")
				require.NotContains(t, topic, "http_config")
			}
		}
	}
}

// A template that fails shows when somebody should have been told, so amtool
// renders each with an alert as Prometheus sends it.
func TestEachNotificationSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	amtool := tool(t, "amtool")
	data := filepath.Join(t.TempDir(), "data.json")
	require.NoError(t, os.WriteFile(data, []byte(`{
		"receiver": "wake", "status": "firing", "externalURL": "http://alertmanager.example.com",
		"groupLabels": {"alertname": "VigieDetectorLimited", "cluster": "live-events-eu-south-1", "service_name": "player-api"},
		"commonLabels": {"alertname": "VigieDetectorLimited", "cluster": "live-events-eu-south-1", "severity": "critical", "kind": "vigie"},
		"commonAnnotations": {},
		"alerts": [
			{"status": "firing", "startsAt": "2026-11-22T20:45:07Z", "labels": {}, "annotations": {"summary": "It is limited", "description": "Much is.", "runbook_url": "https://example.com/page"}},
			{"status": "resolved", "startsAt": "2026-11-22T20:40:00Z", "endsAt": "2026-11-22T20:44:00Z", "labels": {}, "annotations": {"summary": "Another", "description": "Was.", "runbook_url": "https://example.com/other"}}
		]}`), 0o600))
	render := func(text string) string {
		out, err := exec.CommandContext(t.Context(), amtool, "template", "render", "--template.glob", "/dev/null",
			"--template.data", data, "--template.text", text).CombinedOutput()
		require.NoError(t, err, "%s\n%s", text, out)
		return strings.TrimSpace(string(out))
	}
	for name, c := range map[string]struct {
		receiver string
		key      string
		want     []string
	}{
		"the page's title": {"pagerduty_configs", "description", []string{"It is limited and 2 in all"}},
		"a subject":        {"sns_configs", "subject", []string{"[firing] critical VigieDetectorLimited live-events-eu-south-1 player-api"}},
		"a message": {"sns_configs", "message", []string{
			"It is limited\nMuch is.\nWhat to do: https://example.com/page\nSince 20:45:07 UTC\n", "Since 20:40:00 UTC, over at 20:44:00 UTC"}},
		"a channel's title": {"slack_configs", "title", []string{"It is limited and 2 in all"}},
		"a channel's link":  {"slack_configs", "title_link", []string{"https://example.com/page"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := render(field(t, c.receiver, c.key))
			for _, w := range c.want {
				require.Contains(t, text, w)
			}
			if c.key == "subject" {
				require.Regexp(t, `^[ -~]{1,99}$`, text, "SNS takes fewer than 100 characters of ASCII")
			}
		})
	}
}

// field finds a receiver's setting in the configurations.
func field(t *testing.T, kind, key string) string {
	t.Helper()
	plain, err := alertmanager.Plain()
	require.NoError(t, err)
	for _, body := range []string{string(plain), inner(t)} {
		var c struct{ Receivers []map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(body), &c))
		for _, r := range c.Receivers {
			if list, ok := r[kind].([]any); ok {
				return list[0].(map[string]any)[key].(string)
			}
		}
	}
	t.Fatalf("no %s with %s", kind, key)
	return ""
}
