package conntrackreceiver

import (
	"testing"

	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

// BenchmarkStats is T0 as the pipeline gets it: read, made into metrics, sent.
// The budget is 150 µs of CPU.
func BenchmarkStats(b *testing.B) {
	k := newKernel("")
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), defaultConfig().(*Config), k)
	if err != nil {
		b.Fatal(err)
	}
	defer k.close()
	r.metrics = consumertest.NewNop()
	r.readStats(b.Context())
	if k.proc == nil {
		b.Skip("no connection tracking in this kernel")
	}
	b.ReportAllocs()
	cpu := k.cpu(func() {
		for b.Loop() {
			r.readStats(b.Context())
		}
	})
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-µs/op")
}
