package reportcmd

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/timeline"
)

func run(t *testing.T, args ...string) (stderr string, err error) {
	t.Helper()
	t.Setenv("VIGIE_DATA_DIR", "")
	t.Setenv("VIGIE_CALENDAR", "")
	var b bytes.Buffer
	cmd := New("0.0.0-test")
	cmd.SetOut(&b)
	cmd.SetErr(&b)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return b.String(), err
}

// left is a data directory as a Vigie leaves it that was killed in an attack.
func left(t *testing.T) (dir string, store *promstore.Store) {
	t.Helper()
	dir = t.TempDir()
	store, err := promstore.Open(promstore.Config{Dir: filepath.Join(dir, "store")}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	require.NoError(t, err)
	now := time.Now()
	for ago := 60; ago >= 0; ago-- {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "vigie")
		ms := rm.ScopeMetrics().AppendEmpty().Metrics()
		at := pcommon.NewTimestampFromTime(now.Add(-time.Duration(ago) * time.Second))
		for name, unit := range map[string]string{names.TrafficRate: "{request}/s", names.AttackVerdict: ""} {
			m := ms.AppendEmpty()
			m.SetName(name)
			m.SetUnit(unit)
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			p.SetTimestamp(at)
			p.SetDoubleValue(1)
			p.Attributes().PutStr(names.ServiceName, "player")
			if name == names.AttackVerdict {
				p.Attributes().PutStr(names.AttackVerdictState, string(finding.Attack))
			}
		}
		_, err := store.AppendMetrics(t.Context(), md)
		require.NoError(t, err)
	}
	log, err := timeline.Open(filepath.Join(dir, "store", "room", "timeline.ndjson"))
	require.NoError(t, err)
	_, err = log.Add(timeline.Entry{At: now.Add(-30 * time.Second), Kind: timeline.Note, Text: "the WAF is on", Who: "Ada"})
	require.NoError(t, err)
	require.NoError(t, log.Close())
	known, _, err := timeline.OpenFindings(filepath.Join(dir, "store", "room", "findings.ndjson"), 10)
	require.NoError(t, err)
	require.NoError(t, known.Put(finding.Finding{
		ID: "0d74701e1a7a6a61", Class: finding.HTTPFlood, Service: "player", Status: finding.Open,
		StartedAt: now.Add(-50 * time.Second), DetectedAt: now.Add(-48 * time.Second),
	}, now, nil))
	require.NoError(t, known.Close())
	return dir, store
}

func TestTheDataDirectoryIsReadWhereNothingRuns(t *testing.T) {
	dir, store := left(t)
	out := filepath.Join(t.TempDir(), "event.html")
	_, err := run(t, "--from", "-10m", "--out", out, "--data-dir", dir)
	require.ErrorIs(t, err, promstore.ErrLocked)
	require.ErrorContains(t, err, "--server")
	require.NoFileExists(t, out)
	require.NoError(t, store.Close())

	said, err := run(t, "--from", "-10m", "--out", out, "--data-dir", dir)
	require.NoError(t, err)
	require.Contains(t, said, "event.ndjson")
	page, err := os.ReadFile(out)
	require.NoError(t, err)
	for _, want := range []string{"the WAF is on", `id="f-0d74701e1a7a6a61"`, "an end that nobody told", "ATTACK", "0.0.0-test"} {
		require.Contains(t, string(page), want)
	}
	lines, err := os.ReadFile(filepath.Join(filepath.Dir(out), "event.ndjson"))
	require.NoError(t, err)
	require.Contains(t, string(lines), `"stale":true`)
	info, err := os.Stat(out)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o007, "it names clients")
}

func TestAnEventIsFoundInTheCalendar(t *testing.T) {
	dir, store := left(t)
	require.NoError(t, store.Close())
	path, out := filepath.Join(t.TempDir(), "calendar.yaml"), filepath.Join(t.TempDir(), "x.html")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "events:\n  - name: Semi-final\n    kick_off: %s\n", time.Now().Add(-time.Minute).Format(time.RFC3339)), 0o600))
	_, err := run(t, "--from", "event:Semi-final", "--calendar", path, "--out", out, "--data-dir", dir)
	require.NoError(t, err)
	page, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(page), "<h1><bdi>Semi-final</bdi></h1>")
}

func TestARunningVigieIsAskedForBothForms(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/room/api/warroom/report", r.URL.Path)
		require.Equal(t, "Bearer s3cret", r.Header.Get("Authorization"))
		q := r.URL.Query()
		asked = append(asked, q.Get("from")+" "+q.Get("to"))
		fmt.Fprint(rw, "the ", q.Get("format"))
	}))
	defer server.Close()
	dir := t.TempDir()
	out, token := filepath.Join(dir, "event.html"), filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte("s3cret\n"), 0o600))
	_, err := run(t, "--from", "-2h", "--out", out, "--server", server.URL+"/room", "--token-file", token)
	require.NoError(t, err)
	for _, ext := range []string{"html", "ndjson"} {
		got, err := os.ReadFile(filepath.Join(dir, "event."+ext))
		require.NoError(t, err)
		require.Equal(t, "the "+ext, string(got))
	}
	require.Len(t, asked, 2)
	require.Equal(t, asked[0], asked[1], "both of the same range")
	_, err = time.Parse(time.RFC3339, asked[0][:20])
	require.NoError(t, err)
}

func TestWhatTheServerRefusesIsTold(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, "from names the event \x1b[31m", http.StatusBadRequest)
	}))
	defer server.Close()
	out := filepath.Join(t.TempDir(), "event.html")
	_, err := run(t, "--from", "event:x", "--out", out, "--server", server.URL)
	require.ErrorContains(t, err, "400")
	require.ErrorContains(t, err, "names the event")
	require.NotContains(t, err.Error(), "\x1b")
	require.NoFileExists(t, out)
	server.Close()
	_, err = run(t, "--from", "-1h", "--out", out, "--server", server.URL)
	require.ErrorContains(t, err, "leave --server out")
}

func TestFlagsThatMakeNoSenseAreToldAtOnce(t *testing.T) {
	_, err := run(t, "--out", "event.pdf", "--slo", "99", "--server", "http://127.0.0.1:1", "--data-dir", "x")
	for _, want := range []string{"--from", ".html", "--slo", "not both"} {
		require.ErrorContains(t, err, want)
	}
	out := filepath.Join(t.TempDir(), "e.html")
	_, err = run(t, "--from", "-1h", "--out", out, "--data-dir", t.TempDir())
	require.ErrorContains(t, err, "no store")
	_, err = run(t, "--from", "yesterday", "--out", out)
	require.ErrorContains(t, err, "--from must be")
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("x"), 0o600))
	_, err = run(t, "--from", "-1h", "--out", out, "--server", "http://room.example", "--token-file", token)
	require.ErrorContains(t, err, "https")
}
