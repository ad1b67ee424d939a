package evalcmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/score"
)

func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := New()
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

const labels = "line,label,class,attack_id\n1,legit,viewer,\n2,attack,http_flood,a1\n3,attack,http_flood,a1\n4,attack,http_flood,a1\n"

const truth = `{"start":"2026-07-14T20:00:00Z","lines_per_second":"1 1 2","attacks":[{"id":"a1","first_request":"2026-07-14T20:00:01Z","last_request":"2026-07-14T20:00:02Z"}]}`

func TestItSaysPrecisionRecallAndDelay(t *testing.T) {
	dir := write(t, map[string]string{
		"m.tsv": "3\t0.9\tf1\n4\t0.9\tf1\n", "l.csv": labels, "l.csv.truth.json": truth,
		"f.jsonl": `{"id":"f1","class":"http_flood","status":"closed","detected_at":"2026-07-14T20:00:02Z","closed_at":"2026-07-14T20:01:02Z"}` + "\n",
	})
	out, err := run(t, "--marks", filepath.Join(dir, "m.tsv"), "--labels", filepath.Join(dir, "l.csv"), "--findings", filepath.Join(dir, "f.jsonl"))
	require.NoError(t, err)
	for _, want := range []string{"precision  1.0000", "recall     1.0000", "(2 of 2)", "0.6667 of the whole", "opened     1.0 s", "marked     1.0 s", "closed     60.0 s"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, err = run(t, "--marks", filepath.Join(dir, "m.tsv"), "--labels", filepath.Join(dir, "l.csv"), "--json")
	require.NoError(t, err)
	var s score.MarkScore
	require.NoError(t, json.Unmarshal([]byte(out), &s))
	if s.Precision != 1 || s.Attacks[0].AfterOpen != 2 {
		t.Errorf("%+v", s)
	}
}

func TestWithoutASummaryItSaysThatThereAreNoDelays(t *testing.T) {
	dir := write(t, map[string]string{"m.tsv": "", "l.csv": labels})
	out, err := run(t, "--marks", filepath.Join(dir, "m.tsv"), "--labels", filepath.Join(dir, "l.csv"))
	require.NoError(t, err)
	if !strings.Contains(out, "not marked") || !strings.Contains(out, "no delays") {
		t.Error(out)
	}
}

func TestMissingFilesAreNamed(t *testing.T) {
	dir := write(t, map[string]string{"m.tsv": "", "l.csv": labels})
	for _, args := range [][]string{nil, {"--marks", filepath.Join(dir, "m.tsv")}, {"--marks", filepath.Join(dir, "x"), "--labels", filepath.Join(dir, "l.csv")},
		{"--marks", filepath.Join(dir, "m.tsv"), "--labels", filepath.Join(dir, "l.csv"), "--truth", filepath.Join(dir, "x")}} {
		if _, err := run(t, args...); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}

func TestARunWritesTheTable(t *testing.T) {
	dir := t.TempDir()
	out, raw := filepath.Join(dir, "eval.md"), filepath.Join(dir, "raw.jsonl")
	_, err := run(t, "run", "--scenario", "scan", "--seeds", "1", "--out", out, "--raw", raw)
	require.NoError(t, err)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	for _, want := range []string{"`vigie eval run --seeds 1 --scenario scan`", "| scan | own |", "| per-client | scan |", "| ewma | scan |"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	lines, err := os.ReadFile(raw)
	require.NoError(t, err)
	if n := bytes.Count(lines, []byte("\n")); n != 2 {
		t.Errorf("%d lines, want the build and one run", n)
	}
}

// Interrupted amid a line, a run goes on with what is whole; the table is that of
// one sitting.
func TestAnInterruptedRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	out, raw := filepath.Join(dir, "eval.md"), filepath.Join(dir, "raw.jsonl")
	table := func(args ...string) string {
		_, err := run(t, append([]string{"run", "--scenario", "scan", "--baselines=false", "--out", out, "--raw", raw}, args...)...)
		require.NoError(t, err)
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		_, rows, found := strings.Cut(string(text), "\n| ")
		require.True(t, found)
		return rows
	}
	want := table("--seeds", "2")
	whole, err := os.ReadFile(raw)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(raw, whole[:len(whole)-20], 0o600))
	if d := cmp.Diff(want, table("--seeds", "2", "--resume")); d != "" {
		t.Error(d)
	}
	again, err := os.ReadFile(raw)
	require.NoError(t, err)
	if !bytes.Equal(whole, again) {
		t.Error("the file of the resumed run is another")
	}
	// Nothing is missing: nothing runs.
	_, err = run(t, "run", "--scenario", "scan", "--baselines=false", "--seeds", "2", "--out", out, "--raw", raw, "--resume")
	require.NoError(t, err)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	if !strings.Contains(string(text), "0 of the 2 runs in the last") {
		t.Errorf("it ran again:\n%s", text)
	}
}

func TestAnotherBuildsOutcomesAreRefused(t *testing.T) {
	raw := filepath.Join(t.TempDir(), "raw.jsonl")
	require.NoError(t, os.WriteFile(raw, []byte(`{"build":"0"}`+"\n"), 0o600))
	_, err := run(t, "run", "--scenario", "scan", "--seeds", "1", "--raw", raw, "--resume")
	if err == nil || !strings.Contains(err.Error(), "another build wrote it") {
		t.Errorf("%v", err)
	}
	if _, err := run(t, "run", "--scenario", "scan", "--resume"); err == nil || !strings.Contains(err.Error(), "name the file") {
		t.Errorf("%v", err)
	}
}
