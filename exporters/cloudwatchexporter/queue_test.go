package cloudwatchexporter

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// onDisk runs the logs half on a queue in a directory.
func onDisk(t *testing.T, dir string) (x *running, stop func()) {
	t.Helper()
	factory := filestorage.NewFactory()
	storage := factory.CreateDefaultConfig().(*filestorage.Config)
	storage.Directory = dir
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), storage)
	require.NoError(t, err)
	id := component.NewID(factory.Type())
	h := newHost()
	h.extensions = map[component.ID]component.Component{id: ext}
	require.NoError(t, ext.Start(t.Context(), h))

	c := createDefaultConfig()
	c.Logs.Group, c.Logs.Stream = "/vigie/{k8s.cluster.name}", "{k8s.pod.name}"
	c.BackOff.InitialInterval, c.BackOff.MaxInterval = 10*time.Millisecond, 50*time.Millisecond
	c.Queue.Get().StorageID = &id
	c.Queue.Get().Batch.Get().FlushTimeout = 10 * time.Millisecond
	set, tel := settings(t)
	logs, err := createLogs(t.Context(), set, c)
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), h))
	return &running{t: t, tel: tel, host: h, logs: logs}, func() {
		require.NoError(t, logs.Shutdown(context.Background()))
		require.NoError(t, ext.Shutdown(context.Background()))
	}
}

func TestWhatWasAcceptedDuringAnOutageArrivesAfterARestart(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	dir := t.TempDir()
	fake.Down()
	x, stop := onDisk(t, dir)
	var want []string
	for i := range 50 {
		line := fmt.Sprintf("%03d", i)
		want = append(want, line)
		x.send(pods(map[string][]string{"a": {line}}))
	}
	stop()

	fake.Up(t)
	x, stop = onDisk(t, dir)
	for x.counted("vigie.cloudwatch.events.sent", "none")[""] < 50 {
		select {
		case <-t.Context().Done():
			t.Fatal("the queue did not drain")
		case <-time.After(5 * time.Millisecond):
		}
	}
	stop()
	got := messages(fake.Events("/vigie/final", "a"))
	slices.Sort(got) // what was under way when it stopped is queued behind the rest
	require.Equal(t, want, got, "each once")
}

// gate is a CloudWatch that denies one group.
func gate(t *testing.T, denied string) (*httptest.Server, *[]string) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		group := strings.Split(string(body), `"`)[3]
		if group == denied {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"com.amazonaws.logs#AccessDeniedException","Message":"not authorized"}`)
			return
		}
		got = append(got, group)
		fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(server.Close)
	return server, &got
}

func TestOneDeniedGroupDoesNotKeepTheOthersWaitingForEver(t *testing.T) {
	server, got := gate(t, "/denied")
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	x := startLogs(t, direct(func(c *Config) {
		c.Region, c.Endpoint, c.Compression, c.Concurrency = "eu-west-3", server.URL, "none", 1
		c.Create.Enabled = false
		c.Logs.Group, c.Logs.Stream = "/{k8s.pod.name}", "s"
		c.DeniedAfter = 50 * time.Millisecond
	}))
	x.send(pods(map[string][]string{"fine": {"1"}, "denied": {"2"}, "good": {"3"}}))
	x.send(pods(map[string][]string{"good": {"3"}, "denied": {"4"}}))
	slices.Sort(*got)
	require.Equal(t, []string{"/fine", "/good", "/good"}, *got, "what arrived is not sent again")
	require.Equal(t, map[string]int64{dropDenied: 2}, x.dropped())
	kind, err := x.logs.(*logsExporter).instance.source.State()
	require.Equal(t, awsclient.Denied, kind)
	require.ErrorContains(t, err, "logs:PutLogEvents")
}
