package accesslog

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vigie-otel/vigie/internal/request"
)

// lines varies a sample as a real log does: the client and the path differ from
// line to line, the second once in a thousand.
func lines(f Format, sample string) [][]byte {
	out := make([][]byte, 4096)
	for i := range out {
		s := sample
		s = strings.Replace(s, ":45:03 ", fmt.Sprintf(":45:%02d ", 3+i/1000), 1)
		for _, old := range []string{"203.0.113.7", "198.51.100.4", "198.51.100.35", "192.0.2.131", "192.0.2.100", "198.51.100.41", "10.0.1.2", "198.51.100.71", "198.51.100.81", "198.51.100.23"} {
			s = strings.Replace(s, old, fmt.Sprintf("%d.%d.%d.%d", 11+i%200, i/7%256, i/3%256, 1+i%254), 1)
		}
		s = strings.Replace(s, "segment-1337", fmt.Sprintf("segment-%d", i), 1)
		out[i] = []byte(s)
	}
	return out
}

// BenchmarkParse's budget: nginx combined at 4 million lines a second a core,
// 250 ns a line.
func BenchmarkParse(b *testing.B) {
	for f := Nginx; f < formats; f++ {
		sample := samples[f][0]
		if f == CloudFront {
			sample = samples[f][2]
		}
		for _, as := range []Format{f, Auto} {
			b.Run(fmt.Sprintf("%s/as=%s", f, as), func(b *testing.B) {
				in := lines(f, sample)
				p := newParser(b, as, Options{})
				var r request.Request
				i, bytes := 0, 0
				b.ReportAllocs()
				before := cpu()
				for b.Loop() {
					line := in[i%len(in)]
					if err := p.Parse(line, &r); err != nil {
						b.Fatal(err)
					}
					bytes += len(line)
					i++
				}
				b.SetBytes(int64(bytes / i))
				// On a machine that is shared, the clock on the wall says little.
				b.ReportMetric(float64(i)/(cpu()-before).Seconds()/1e6, "Mlines/cpu-s")
			})
		}
	}
}

// cpu is the processor time that the process has used.
func cpu() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
