//go:build linux

package conntrack

import (
	"fmt"
	"slices"
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

// BenchmarkDecode: the budget is 60 ns of CPU and no allocation an entry, as the
// kernel sends it by default; with accounting, timestamps and a zone it sends more.
func BenchmarkDecode(b *testing.B) {
	for _, c := range captures(b) {
		var f flow.Flow
		attrs := c.body[nfgenHeader:]
		if decodeFlow(attrs, &f) != nil || f.Proto != flow.TCP {
			continue
		}
		for name, msg := range map[string][]byte{
			"default":  without(attrs, ctaCountersOrig, ctaCountersReply, ctaTimestamp, ctaZone),
			"accounts": attrs,
		} {
			b.Run(fmt.Sprintf("%s/%s", f.NetworkType(), name), func(b *testing.B) {
				b.ReportAllocs()
				start := cpuTime()
				for b.Loop() {
					if err := decodeFlow(msg, &f); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// without copies attributes except those of the kinds.
func without(attrs []byte, kinds ...int) (out []byte) {
	for {
		kind, _, rest, ok := nextAttr(attrs)
		if !ok {
			return out
		}
		if !slices.Contains(kinds, kind) {
			out = append(out, attrs[:len(attrs)-len(rest)]...)
		}
		attrs = rest
	}
}
