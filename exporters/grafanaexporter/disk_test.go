package grafanaexporter

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/exporters/grafanaexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/testkit/grafanafake"
)

type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

func TestWithFilesOnDiskAndARealServerARestartGoesOnWhereItWas(t *testing.T) {
	fake := grafanafake.New("secret").Listen()
	t.Cleanup(fake.Close)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte("secret"), 0o600))
	id := component.MustNewID("file_storage")

	// live runs one exporter as the collector does, and stops it in good order,
	// which delivers what waits if Grafana takes it.
	live := func(fs ...finding.Finding) {
		t.Helper()
		factory := filestorage.NewFactory()
		disk := factory.CreateDefaultConfig().(*filestorage.Config)
		disk.Directory = dir
		ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), disk)
		require.NoError(t, err)
		require.NoError(t, ext.Start(t.Context(), extensions{}))
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint, cfg.TokenFile, cfg.Storage = fake.URL, filepath.Join(dir, "token"), &id
		set := exportertest.NewNopSettings(metadata.Type)
		set.ID = component.NewID(metadata.Type)
		e, err := NewFactory().CreateLogs(t.Context(), set, cfg)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), extensions{id: ext}))
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for _, f := range fs {
			f.ToLogRecord(records.AppendEmpty())
		}
		require.NoError(t, e.ConsumeLogs(t.Context(), ld))
		require.NoError(t, e.Shutdown(context.Background()))
		require.NoError(t, ext.Shutdown(context.Background()))
	}

	f := flood("player", time.Now())
	live(f)
	require.Len(t, fake.Annotations(), 1)

	fake.Inject(slices.Repeat([]grafanafake.Fault{{Status: 503}}, 1000)...)
	live(closed(f, time.Now()), flood("signin", time.Now()))
	require.Len(t, fake.Annotations(), 1)
	require.NotContains(t, fake.Annotations()[0].Text, "closed")

	fake.Heal()
	live()
	a := fake.Annotations()
	require.Len(t, a, 2)
	require.Contains(t, a[0].Text, "closed")
	require.Contains(t, a[1].Text, "signin")
	calls := len(fake.Requests())
	live()
	require.Len(t, fake.Requests(), calls, "what Grafana has is remembered")
}
