//go:build linux

package conntrack

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/flow"
)

// cpuTime is what the process has used, user and system: on a busy machine the
// wall clock measures the neighbours.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecode: the budget is 60 ns of CPU and no allocation an entry. The
// messages are the longest there are, with counters, timestamps, mark and zone.
func BenchmarkDecode(b *testing.B) {
	for _, c := range captures(b) {
		var f flow.Flow
		if decodeFlow(c.body[nfgenHeader:], &f) != nil || f.Proto != flow.TCP {
			continue
		}
		b.Run(fmt.Sprintf("%s %s", f.Proto, f.NetworkType()), func(b *testing.B) {
			b.ReportAllocs()
			start := cpuTime()
			for b.Loop() {
				if err := decodeFlow(c.body[nfgenHeader:], &f); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
		})
	}
}
