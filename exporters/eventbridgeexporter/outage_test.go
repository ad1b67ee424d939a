package eventbridgeexporter

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

func TestFindingsOfAnOutageArriveAfterARestartEachOnce(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{})
	point(t, aws)
	dir, id := t.TempDir(), component.MustNewID("file_storage")
	start := func() (exporter.Logs, func()) {
		t.Helper()
		factory := filestorage.NewFactory()
		disk := factory.CreateDefaultConfig().(*filestorage.Config)
		disk.Directory = dir
		ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), disk)
		require.NoError(t, err)
		require.NoError(t, ext.Start(t.Context(), extensions{}))
		cfg := createDefaultConfig().(*Config)
		cfg.QueueConfig.Get().StorageID = &id
		cfg.BackOffConfig.InitialInterval = 20 * time.Millisecond
		cfg.BackOffConfig.MaxInterval = 100 * time.Millisecond
		set := exportertest.NewNopSettings(metadata.Type)
		set.ID = component.NewID(metadata.Type)
		e, err := NewFactory().CreateLogs(t.Context(), set, cfg)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), extensions{id: ext}))
		return e, func() {
			require.NoError(t, e.Shutdown(context.Background()))
			require.NoError(t, ext.Shutdown(context.Background()))
		}
	}

	aws.Down()
	e, stop := start()
	const n = 40
	for i := range n {
		require.NoError(t, e.ConsumeLogs(t.Context(), logs(flood(fmt.Sprint(i), finding.Open))))
	}
	stop()

	aws.Up(t)
	aws.Inject(awsfake.EventBridge, awsfake.Fault{Kind: awsfake.Throttle, Times: 3})
	aws.Inject(awsfake.EventBridge, awsfake.Fault{Kind: awsfake.InternalError, Times: 2})
	_, stop = start()
	for limit := time.Now().Add(20 * time.Second); len(aws.BusEvents("default")) < n && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond) // the queue's own clock
	}
	stop()
	seen := map[string]int{}
	for _, ev := range aws.BusEvents("default") {
		info, _ := object(t, ev.Detail).Get("finding_info")
		uid, _ := info.Map().Get("uid")
		seen[uid.Str()]++
	}
	require.Len(t, seen, n)
	for uid, times := range seen {
		require.Equal(t, 1, times, uid)
	}
}
