package checkcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"

	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter"
	"github.com/vigie-otel/vigie/exporters/grafanaexporter"
	"github.com/vigie-otel/vigie/exporters/remotewriteexporter"
	"github.com/vigie-otel/vigie/extensions/awssigv4extension"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// factories are the ones whose settings are read as their own types.
func factories() (f otelcol.Factories, err error) {
	f.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](
		remotewriteexporter.NewFactory(), prometheusremotewriteexporter.NewFactory(), otlpexporter.NewFactory(),
		otlphttpexporter.NewFactory(), eventbridgeexporter.NewFactory(), grafanaexporter.NewFactory(),
	)
	if err != nil {
		return f, err
	}
	f.Extensions, err = otelcol.MakeFactoryMap[extension.Factory](awssigv4extension.NewFactory(), bearertokenauthextension.NewFactory())
	return f, err
}

func settings(t *testing.T, config string) otelcol.CollectorSettings {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	return otelcol.CollectorSettings{
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs: []string{"file:" + file}, ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
		}},
	}
}

// run checks a configuration, with more time a part than one that answers takes on
// any machine.
func run(t *testing.T, config string) Results {
	t.Helper()
	return runFor(t, config, 20*time.Second)
}

// runUntil is run for a line with a text: one that names the time a part has waited
// for an answer is not waited for longer than that.
func runUntil(t *testing.T, config, text string) Results {
	t.Helper()
	if text == "no answer in 2s" {
		return runFor(t, config, 2*time.Second)
	}
	return run(t, config)
}

func runFor(t *testing.T, config string, part time.Duration) Results {
	t.Helper()
	got, err := Run(t.Context(), settings(t, config), part)
	require.NoError(t, err)
	return got
}

// line is the one result of a part.
func line(t *testing.T, rs Results, part string) Result {
	t.Helper()
	var found []Result
	for _, r := range rs {
		if r.Part == part {
			found = append(found, r)
		}
	}
	require.Len(t, found, 1, "%s in %+v", part, rs)
	return found[0]
}

func wants(t *testing.T, r Result, level Level, text, fix string) {
	t.Helper()
	require.Equal(t, level, r.Level, "%+v", r)
	require.Contains(t, r.Text, text)
	if fix == "" {
		return
	}
	require.Contains(t, r.Fix, fix)
}

// fakeAWS is an AWS that this process' SDK talks to.
func fakeAWS(t *testing.T, o awsfake.Options) *awsfake.Server {
	t.Helper()
	aws := awsfake.Start(t, o)
	for _, name := range []string{"AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	for _, kv := range aws.Env() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	return aws
}

// inPipelines uses exporters for one signal each: "metrics a, logs b".
func inPipelines(pairs string) string {
	b := "service:\n  pipelines:\n"
	for i, p := range strings.Split(pairs, ", ") {
		signal, id, _ := strings.Cut(p, " ")
		b += "    " + signal + "/" + string(rune('a'+i)) + ": {receivers: [otlp], exporters: [" + id + "]}\n"
	}
	return b
}

func TestOnlyWhatIsInUseHasALine(t *testing.T) {
	got := run(t, `
exporters:
  otlp_http/used: {endpoint: "http://127.0.0.1:1"}
  otlp_http/idle: {endpoint: "http://127.0.0.1:1"}
  debug:
  forward/not: 
connectors: {forward: }
extensions: {file_storage: {directory: /}, pprof: }
`+inPipelines("traces otlp_http/used, logs debug, logs forward"))
	require.Len(t, got, 1)
	require.Equal(t, "exporters::otlp_http/used", got[0].Part)
	require.Error(t, got.err())
}

func TestAnExporterWithoutACheckIsSaidToHaveNone(t *testing.T) {
	got := run(t, "exporters: {carrier_pigeon: {}}\n"+inPipelines("logs carrier_pigeon"))
	wants(t, got[0], Warn, "no check for exporters of type carrier_pigeon", "by hand")
	require.NoError(t, got.err(), "a warning is no failure")
}

func TestLinesComeInTheConfigurationsOrderHoweverLongTheyTake(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) }))
	t.Cleanup(slow.Close)
	got := run(t, `
exporters:
  otlp_http/a: {endpoint: "`+slow.URL+`"}
  otlp_http/b: {endpoint: "http://127.0.0.1:1"}
  otlp_http/c: {endpoint: "`+slow.URL+`"}
`+inPipelines("logs otlp_http/c, metrics otlp_http/b, traces otlp_http/a"))
	var parts []string
	for _, r := range got {
		parts = append(parts, strings.TrimPrefix(r.Part, "exporters::"))
	}
	require.Equal(t, "otlp_http/a otlp_http/b otlp_http/c clock", strings.Join(parts, " "))
}

func TestAProbeThatNeverReturnsIsLeftBehind(t *testing.T) {
	block := make(chan struct{})
	t.Cleanup(func() { close(block) })
	begun := time.Now()
	got := try(t.Context(), probe{"disk", func(context.Context) []Result { <-block; return nil }}, 50*time.Millisecond)
	require.Less(t, time.Since(begun), 10*time.Second)
	wants(t, got[0], Fail, "no answer in 50ms", "--timeout")
}

func TestThePrintedLinesHaveColoursOnlyOnATerminal(t *testing.T) {
	rs := Results{
		{Level: OK, Part: "clock", Text: "as that of x"},
		{Level: Fail, Part: "exporters::grafana", Text: "says \x1b[31mred", Fix: "mend it"},
		{Level: Warn, Part: "calendar", Text: "no event"},
	}
	var plain, colour bytes.Buffer
	require.NoError(t, rs.print(&plain, false))
	want := `ok    clock               as that of x
fail  exporters::grafana  says ` + "\uFFFD" + `[31mred
                          → mend it
warn  calendar            no event
1 ok, 1 to look at, 1 failed
`
	require.Equal(t, want, plain.String())
	require.NoError(t, rs.print(&colour, true))
	require.Contains(t, colour.String(), "\x1b[31mfail\x1b[0m")
}

func command(t *testing.T, config string, args ...string) (string, error) {
	t.Helper()
	cmd := New(Source{
		AddFlags: func(*cobra.Command) {},
		Settings: func() (otelcol.CollectorSettings, error) { return settings(t, config), nil },
		Validate: func(context.Context, otelcol.CollectorSettings) error { return nil },
	})
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestTheExitIsAnErrorOnlyWhereSomethingFailed(t *testing.T) {
	fine := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(fine.Close)
	config := "exporters: {otlp_http: {endpoint: \"" + fine.URL + "\"}}\n" + inPipelines("logs otlp_http")
	out, err := command(t, config)
	require.NoError(t, err)
	require.Contains(t, out, "takes OTLP logs")
	require.Contains(t, out, "2 ok, 0 to look at, 0 failed")
	require.NotContains(t, out, "\x1b")

	out, err = command(t, strings.ReplaceAll(config, fine.URL, "http://127.0.0.1:1"), "--json")
	require.EqualError(t, err, "1 of 1 checks failed")
	var got struct {
		OK      bool
		Results []Result
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.False(t, got.OK)
	require.Equal(t, Fail, got.Results[0].Level)
	require.NotEmpty(t, got.Results[0].Fix)

	_, err = command(t, config, "--timeout", "1ms")
	require.ErrorContains(t, err, "--timeout must be 1s or more")
}

func TestAClockThatIsOffFails(t *testing.T) {
	for _, c := range []struct {
		shift time.Duration
		level Level
		text  string
	}{
		{0, OK, "within 2 s"}, {10 * time.Second, OK, "10s behind"}, {-time.Minute, Warn, "1m0s ahead of"},
		{20 * time.Minute, Fail, "20m0s behind"}, {-6 * time.Minute, Fail, "6m0s ahead of"},
	} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(c.shift).UTC().Format(http.TimeFormat))
		}))
		got := run(t, "exporters: {otlp_http: {endpoint: \""+other.URL+"\"}}\n"+inPipelines("logs otlp_http"))
		other.Close()
		r := line(t, got, "clock")
		require.Equal(t, c.level, r.Level, "%s: %+v", c.shift, r)
		switch {
		case c.shift == 0:
			require.Contains(t, r.Text, c.text)
		default: // whole seconds: one more or less
			require.Contains(t, r.Text, strings.Fields(c.text)[1])
		}
		if c.level == Fail {
			require.Contains(t, r.Fix, "chrony")
			require.Contains(t, r.Text, "AWS refuses")
		}
	}
}
