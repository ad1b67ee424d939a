package output

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// The receiver that an agent has, with its own way of unpacking.
func TestACollectorsReceiverUnderstandsEachCompression(t *testing.T) {
	address := ports.Address(t)
	f := otlpreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"grpc": map[string]any{"endpoint": address}}}).Unmarshal(cfg))
	sink := new(consumertest.LogsSink)
	r, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	for n, compression := range []string{"none", "gzip", "zstd"} {
		c, err := Read(func(k string) string {
			return map[string]string{"endpoint": address, "plaintext": "on", "compression": compression}[k]
		})
		require.NoError(t, err)
		i, err := Open(c, new(bytes.Buffer))
		require.NoError(t, err)
		require.Equal(t, OK, i.Flush(t.Context(), strings.Repeat(now(map[string]any{"log": "goal"}), 100), "t"), compression)
		require.NoError(t, i.Close())
		require.Equal(t, 100*(n+1), sink.LogRecordCount(), compression)
	}
}
