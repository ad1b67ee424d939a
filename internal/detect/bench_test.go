package detect

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/request"
)

// stream makes rate requests a second from clients different addresses, cheaply:
// the benchmark should measure the detector.
func stream(clients uint32) func(i uint64, r *request.Request, at int64) {
	paths := [][]byte{[]byte("/"), []byte("/live/12345"), []byte("/api/v2/heartbeat"), []byte("/assets/app.0a1b2c.js"), []byte("/img/8891/poster.webp"), []byte("/api/v2/catalogue/4411"), []byte("/hls/9/seg0012.ts"), []byte("/login")}
	agents := make([][]byte, 40)
	for i := range agents {
		agents[i] = fmt.Appendf(nil, "Mozilla/5.0 (Linux; Android %d; SM-%d) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36", i%9+6, i*31, 100+i)
	}
	get := []byte("GET")
	return func(i uint64, r *request.Request, at int64) {
		x := mix(i * 0x9e3779b97f4a7c15)
		who := uint32(x) % clients
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], who*2654435761)
		*r = request.Request{UnixNano: at, Client: netip.AddrFrom4(a), Method: get, Path: paths[x>>33&7], UserAgent: agents[who%40], Status: 200, Bytes: 4000, Duration: 20 * time.Millisecond}
	}
}

// The budget is 1.5 million requests a second and core, 667 ns.
func BenchmarkObserve(b *testing.B) {
	for _, c := range []struct {
		name          string
		clients, rate uint64
	}{{"10k_clients_at_10k_rps", 10_000, 10_000}, {"1M_clients_at_100k_rps", 1_000_000, 100_000}, {"10k_clients_at_1k_rps", 10_000, 1_000}} {
		b.Run(c.name, func(b *testing.B) {
			d, _ := New(Config{})
			next := stream(uint32(c.clients))
			var r request.Request
			const start = 1_800_000_000 * int64(1e9)
			i := uint64(0)
			step := func() {
				at := start + int64(i*1_000_000_000/c.rate)
				if i%c.rate == 0 {
					d.Tick(time.Unix(0, at))
				}
				next(i, &r, at)
				d.Observe(&r)
				i++
			}
			for range 20 * c.rate {
				step()
			}
			b.ReportAllocs()
			began := cpuTime()
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

func TestMemoryIsFlatFromTenThousandToTenMillionClients(t *testing.T) {
	const limit = 8 << 20
	for _, clients := range []uint32{10_000, 10_000_000} {
		before := heap()
		d, err := New(Config{})
		require.NoError(t, err)
		base := heap() - before
		next := stream(clients)
		var r request.Request
		const start, rate = 1_800_000_000 * int64(1e9), 50_000
		for i := range uint64(rate * 40) {
			at := start + int64(i*1_000_000_000/rate)
			if i%rate == 0 {
				d.Tick(time.Unix(0, at))
			}
			next(i, &r, at)
			d.Observe(&r)
		}
		used := heap() - before
		t.Logf("%d clients: detector %d KiB alone, %d KiB with one service, of which %d KiB its own", clients, base>>10, used>>10, (used-base-d.x.size())>>10)
		// What all services share, the reader's and the window's tables, counts once.
		require.Less(t, used-base-d.x.size(), int64(limit))
		st, _ := d.Status("")
		want := float64(min(clients, rate*10))
		require.InEpsilon(t, want, float64(st.Clients), 0.12) // 10 s of requests meet some clients twice
		runtime.KeepAlive(d)
	}
}

// size is what x's reused memory takes, in bytes.
func (x *excess) size() int64 {
	slots := len(x.now.slots) + len(x.att.slots) + len(x.leg.slots)
	return int64(slots)*int64(unsafe.Sizeof(tallySlot{})) +
		int64(cap(x.rows))*int64(unsafe.Sizeof(row{})) +
		int64(cap(x.mask))*int64(unsafe.Sizeof(x.mask[0])) + int64(cap(x.post)+cap(x.spare))*int64(unsafe.Sizeof(x.post[0]))
}

// cpuTime is the process's, which a busy machine does not stretch.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Every kind of row, of finding and of table that a service can have at once.
func TestMemoryStaysWithinItsBoundWhileAFloodIsOfRefusedSignIns(t *testing.T) {
	const limit = 8 << 20
	before := heap()
	d, err := New(Config{})
	require.NoError(t, err)
	base := heap() - before
	next := stream(100_000)
	var r request.Request
	const start, rate = 1_800_000_000 * int64(1e9), 10_000
	for i := range uint64(rate * 130) {
		at := start + int64(i*1_000_000_000/rate)
		if i%rate == 0 {
			d.Tick(time.Unix(0, at))
		}
		next(i, &r, at)
		x := uint32(mix(i))
		switch {
		case i%16 == 0: // people mistype, and fill the baseline of it
			r.Method, r.Path, r.Status = []byte("POST"), []byte("/login"), 401
		case i > rate*60 && i%2 == 1:
			r.Client = netip.AddrFrom4([4]byte{45, byte(x >> 16 & 15), byte(x >> 8), byte(x)})
			r.Method, r.Path, r.Status = []byte("POST"), []byte("/login"), 401
			r.Account = fmt.Appendf(nil, "u%d", x)
			r.UserAgent = fmt.Appendf(nil, "Mozilla/5.0 (X%d) Made/%d", x%900, x%70)
		case i > rate*60 && i%64 == 2: // one of them looks for more
			r.Client = netip.AddrFrom4([4]byte{46, 0, 0, byte(x & 31)})
			r.Path, r.Status = fmt.Appendf(nil, "/%c%c/admin.php", 'a'+x%26, 'a'+x>>8%26), 404
		}
		d.Observe(&r)
	}
	own := heap() - before - base - d.x.size()
	st, _ := d.Status("")
	require.NotEmpty(t, st.Findings)
	require.Len(t, d.services[""].refAuth.rows, baselineAuthRows)
	t.Logf("%d KiB of one service with %d findings", own>>10, len(st.Findings))
	require.Less(t, own, int64(limit)*15/16)
}
