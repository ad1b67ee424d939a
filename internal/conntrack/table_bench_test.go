//go:build linux

package conntrack_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	ticonntrack "github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/conntrack/tally"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/testkit/netlab"
)

// BenchmarkTable reads one table in several ways and prints CPU time (user and
// system, of this process or the child) per entry of the whole table, and the
// ratios that are budgeted:
//
//	dump + tally       ≤ 1.35 × the raw walk, ≥ 4 × better than ti-mo/conntrack
//	!ASSURED + tally   ≤ 0.35 × dump + tally (a tenth of the entries are half-open)
//	memory             ≤ 10 MB over the baseline
//
// Run it with -benchtime=3x: an iteration is a whole dump.
func BenchmarkTable(b *testing.B) {
	for _, n := range []int{100_000, 500_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) { benchTable(b, n) })
	}
}

func benchTable(b *testing.B, n int) {
	netlab.Limit(b, 2*n)
	ns := netlab.New(b, "full")
	service := netip.MustParseAddrPort("10.255.0.1:443")
	ns.Fill(netlab.TCPFlows(n*9/10, service, flow.StateEstablished, flow.SeenReply|flow.Assured))
	syn := netip.MustParseAddrPort("10.255.0.2:443")
	ns.Fill(netlab.TCPFlows(n-n*9/10, syn, flow.StateSynSent, 0))
	locals := &tally.Locals{Nodes: map[netip.Addr]bool{service.Addr(): true}, Pods: map[netip.Addr]bool{syn.Addr(): true}}

	perEntry := map[string]float64{}
	run := func(name string, dump func(*testing.B) time.Duration, ratios ...string) {
		b.Run(name, func(b *testing.B) {
			var cpu time.Duration
			before := peak(b)
			for b.Loop() {
				cpu += dump(b)
			}
			b.ReportMetric(peak(b)-before, "peak-MB")
			b.ReportMetric(0, "ns/op")
			perEntry[name] = float64(cpu) / float64(b.N) / float64(n)
			b.ReportMetric(perEntry[name], "cpu-ns/entry")
			for _, base := range ratios {
				b.ReportMetric(perEntry[name]/perEntry[base], "×"+strings.ReplaceAll(base, " ", "_"))
			}
		})
	}
	run("raw walk", func(b *testing.B) time.Duration { return inNS(b, ns, func() { rawWalk(b, n) }) })

	c, err := conntrack.Dial(conntrack.Options{NetNS: ns.Path})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	y := tally.New(locals, tally.Limits{})
	read := func(x conntrack.Filter, want int) func(*testing.B) time.Duration {
		return func(b *testing.B) time.Duration {
			start := spent(unix.RUSAGE_SELF)
			y.Reset(locals)
			for f, err := range c.Dump(context.Background(), x) {
				if err != nil {
					b.Fatal(err)
				}
				y.Add(f)
			}
			if got := y.Totals().Entries; got != uint64(want) {
				b.Fatalf("%d entries, want %d", got, want)
			}
			return spent(unix.RUSAGE_SELF) - start
		}
	}
	run("dump + tally", read(conntrack.Filter{}, n), "raw walk")
	run("not assured + tally", read(conntrack.NotAssured(), n-n*9/10), "dump + tally")

	if _, err := exec.LookPath("conntrack"); err == nil {
		run("conntrack -L", func(b *testing.B) time.Duration {
			start := spent(unix.RUSAGE_CHILDREN)
			cmd := exec.Command("conntrack", "-L")
			inNS(b, ns, func() {
				if err := cmd.Run(); err != nil {
					b.Error(err)
				}
			})
			return spent(unix.RUSAGE_CHILDREN) - start
		}, "dump + tally")
	}
	run("ti-mo conntrack", func(b *testing.B) time.Duration {
		return inNS(b, ns, func() {
			c, err := ticonntrack.Dial(nil)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			flows, err := c.Dump(nil)
			if err != nil || len(flows) != n {
				b.Errorf("%d entries: %v", len(flows), err)
			}
		})
	}, "dump + tally")
}

// inNS runs fn in the namespace and returns the CPU time that it took.
func inNS(b *testing.B, ns *netlab.NS, fn func()) (cpu time.Duration) {
	err := conntrack.InNetNS(ns.Path, func() error {
		start := spent(unix.RUSAGE_SELF)
		fn()
		cpu = spent(unix.RUSAGE_SELF) - start
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return cpu
}

// rawWalk reads the table and looks at nothing but the length and type of each
// message: what any reader has to pay.
func rawWalk(b *testing.B, want int) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		b.Error(err)
		return
	}
	defer unix.Close(fd)
	req := []byte{20, 0, 0, 0, 1, 1, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		b.Error(err)
		return
	}
	buf := make([]byte, 32<<10)
	got := 0
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			b.Error(err)
			return
		}
		for m := buf[:n]; len(m) >= 16; {
			length := int(m[0]) | int(m[1])<<8 | int(m[2])<<16
			if m[4] == 3 { // NLMSG_DONE
				if got != want {
					b.Errorf("%d entries, want %d", got, want)
				}
				return
			}
			got++
			m = m[(length+3)&^3:]
		}
	}
}

func spent(who int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that the process has had resident, in MB: how far a
// dump raises it is what the dump needs. conntrack -L runs in a child.
func peak(b *testing.B) float64 {
	s, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, line, _ := strings.Cut(string(s), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(line)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// BenchmarkStats is T0: usage and all counters. The budget is 150 µs.
func BenchmarkStats(b *testing.B) {
	ns := netlab.New(b, "a")
	var p *conntrack.Proc
	if err := conntrack.InNetNS(ns.Path, func() (err error) { p, err = conntrack.OpenProc("/proc"); return err }); err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	c, err := conntrack.Dial(conntrack.Options{NetNS: ns.Path})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	type reader interface {
		Usage() (conntrack.Usage, error)
		CPUStats([]conntrack.CPUStats) ([]conntrack.CPUStats, error)
	}
	for name, r := range map[string]reader{"proc": p, "ctnetlink": c} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var cpus []conntrack.CPUStats
			start := spent(unix.RUSAGE_SELF)
			for b.Loop() {
				if _, err := r.Usage(); err != nil {
					b.Fatal(err)
				}
				if cpus, err = r.CPUStats(cpus[:0]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(spent(unix.RUSAGE_SELF)-start)/float64(b.N)/1000, "cpu-µs/op")
		})
	}
}

// BenchmarkEvents makes 100,000 entries as fast as the kernel takes them, and
// hears of each: by reading the NEW events, and by counting them in the kernel.
// The budget is 50,000 a second without loss. The CPU time has making the
// entries in it.
func BenchmarkEvents(b *testing.B) {
	const n = 100_000
	netlab.Limit(b, 2*n)
	measure := func(b *testing.B, hear func(ns *netlab.NS, fill func())) {
		for b.Loop() {
			b.StopTimer()
			ns := netlab.New(b, "a")
			b.StartTimer()
			start, cpu := time.Now(), spent(unix.RUSAGE_SELF)
			hear(ns, func() {
				ns.Fill(netlab.TCPFlows(n, netip.MustParseAddrPort("10.255.0.1:443"), flow.StateSynSent, 0))
			})
			b.ReportMetric(n/time.Since(start).Seconds(), "events/s")
			b.ReportMetric(float64(spent(unix.RUSAGE_SELF)-cpu)/n, "cpu-ns/event")
		}
	}
	b.Run("none", func(b *testing.B) {
		measure(b, func(_ *netlab.NS, fill func()) { fill() })
	})
	b.Run("count", func(b *testing.B) {
		measure(b, func(ns *netlab.NS, fill func()) {
			c, err := conntrack.CountNew(conntrack.Options{NetNS: ns.Path})
			if err != nil {
				b.Skip(err)
			}
			defer c.Close()
			fill()
			if got, err := c.Count(); err != nil || got != n {
				b.Fatalf("%d events counted: %v", got, err)
			}
		})
	})
	b.Run("read", func(b *testing.B) {
		measure(b, func(ns *netlab.NS, fill func()) {
			l, err := conntrack.Listen(conntrack.ListenOptions{Options: conntrack.Options{NetNS: ns.Path}})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			go fill()
			got := 0
			for _, err := range l.Events(context.Background()) {
				if err != nil {
					b.Fatalf("after %d events: %v", got, err)
				}
				if got++; got == n {
					break
				}
			}
		})
	})
}
