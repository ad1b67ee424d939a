package replaycmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/replay"
)

func run(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := New()
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func TestItWritesALogItsLabelsAndTheTruth(t *testing.T) {
	dir := t.TempDir()
	log, labels := filepath.Join(dir, "sf.log"), filepath.Join(dir, "sf.csv")
	_, stderr, err := run(t, "--scenario", "semi-final", "--seed", "7", "--scale", "0.001", "--out", log, "--labels", labels)
	require.NoError(t, err)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	rows, err := os.ReadFile(labels)
	require.NoError(t, err)
	if n, m := bytes.Count(text, []byte("\n")), bytes.Count(rows, []byte("\n")); n != m-1 || n < 36_000 {
		t.Errorf("%d lines, %d labels", n, m-1)
	}
	var truth replay.Truth
	summary, err := os.ReadFile(labels + replay.TruthSuffix)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(summary, &truth))
	if len(truth.Attacks) != 1 || truth.Attacks[0].Class != "http_flood" || truth.Seed != 7 {
		t.Errorf("truth %+v", truth)
	}
	if !strings.Contains(stderr, "attack semi-final: http_flood, 36000 requests") {
		t.Errorf("summary %q", stderr)
	}
}

func TestTheListDescribesEachScenario(t *testing.T) {
	out, _, err := run(t, "--list")
	require.NoError(t, err)
	for _, name := range replay.Names() {
		if !strings.Contains(out, "\n"+name+" ") {
			t.Errorf("%s is not in the list", name)
		}
	}
}

func TestTheLinesOfTwoRunsAreTheSameAtFullSpeed(t *testing.T) {
	args := []string{"--scenario", "goal-flood", "--seed", "3", "--scale", "0.001", "--out", "-", "--quiet"}
	a, _, err := run(t, args...)
	require.NoError(t, err)
	b, _, err := run(t, args...)
	require.NoError(t, err)
	if a != b || len(a) < 1000 {
		t.Errorf("%d and %d bytes", len(a), len(b))
	}
}

func TestRealTimeBeginsNow(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "live.log")
	before := time.Now().UTC()
	_, _, err := run(t, "--scenario", "flood", "--scale", "0.1", "--speed", "20", "--duration", "2s", "--out", log, "--format", "json")
	require.NoError(t, err)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	var first struct {
		Time time.Time `json:"time"`
	}
	line, _, _ := strings.Cut(string(text), "\n")
	require.NoError(t, json.Unmarshal([]byte(line), &first))
	if d := first.Time.Sub(before); d < -time.Second || d > 10*time.Second {
		t.Errorf("the first line is of %s, begun at %s", first.Time, before)
	}
}

func TestAScenarioFileIsReadAndItsErrorsNamed(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	text, err := replay.Source("scan")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(good, text, 0o600))
	require.NoError(t, os.WriteFile(bad, []byte("name: x\nduratoin: 5m\n"), 0o600))
	out, _, err := run(t, "--scenario", good, "--scale", "0.002", "--out", "-", "--quiet")
	if err != nil || out == "" {
		t.Errorf("%d bytes, error %v", len(out), err)
	}
	if _, _, err = run(t, "--scenario", bad, "--out", "-"); err == nil || !strings.Contains(err.Error(), bad+": read scenario: line 2: unknown key duratoin") {
		t.Errorf("error %v", err)
	}
}

func TestTheExampleOfTheDocumentationIsAScenario(t *testing.T) {
	text, err := os.ReadFile("../../docs/replay.md")
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(text), "```yaml\n")
	require.True(t, ok)
	example, _, ok := strings.Cut(after, "```")
	require.True(t, ok)
	s, err := replay.Parse([]byte(example))
	require.NoError(t, err)
	if len(s.Crowds) != 2 || len(s.Attacks) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestWhatMakesNoSenseIsSaid(t *testing.T) {
	for want, args := range map[string][]string{
		"--scenario is required":               nil,
		"no built-in scenario \"derby\"":       {"--scenario", "derby", "--out", "-"},
		"give one of --out FILE and --otlp":    {"--scenario", "scan"},
		"--speed must be max or a number":      {"--scenario", "scan", "--out", "-", "--speed", "fast"},
		"--start must be a time":               {"--scenario", "scan", "--out", "-", "--start", "noon"},
		"--format must be one of combined":     {"--scenario", "scan", "--out", "-", "--format", "xml"},
		"scale must be above 0":                {"--scenario", "scan", "--out", "-", "--scale", "-1"},
		"intensity and duration must not be n": {"--scenario", "scan", "--out", "-", "--intensity", "-1"},
	} {
		if _, _, err := run(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", args, err, want)
		}
	}
}
