package sketch

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"
)

func key(i uint64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], i)
	return xxh3.HashSeed(b[:], 7)
}

func TestHLLStaysWithinItsErrorFromOneToTenMillion(t *testing.T) {
	var h HLL
	next := uint64(1)
	for i := uint64(1); i <= 10_000_000; i++ {
		h.Add(key(i))
		if i == next {
			off := math.Abs(float64(h.Estimate())/float64(i) - 1)
			require.Less(t, off, 0.10, "at %d: estimate %d", i, h.Estimate())
			next = next*3 + 1
		}
	}
}

func TestHLLMergedFromEightPartsEqualsTheWhole(t *testing.T) {
	var whole, merged HLL
	var parts [8]HLL
	for i := range uint64(50_000) {
		whole.Add(key(i))
		parts[i%8].Add(key(i))
	}
	for i := range parts {
		var back HLL
		require.NoError(t, back.Decode(parts[i].Append(nil)))
		require.Equal(t, parts[i], back)
		merged.Merge(&back)
	}
	require.Equal(t, whole, merged)
}

func TestTopKKeepsEveryHeavyValueAndNeverCountsTooLow(t *testing.T) {
	top := NewTopK(512, 8)
	r := rand.New(rand.NewPCG(1, 2))
	truth := map[uint64]uint64{}
	for range 400_000 {
		k := key(uint64(math.Pow(r.Float64(), 4) * 100_000)) // a heavy head, a long tail
		truth[k]++
		top.Add(k, 1, []byte("x"))
	}
	for k, n := range truth {
		e, ok := top.Get(k)
		if n > 4_000 {
			require.True(t, ok, "a value with 1 %% of the traffic was lost")
		}
		if ok {
			require.GreaterOrEqual(t, e.Count, n)
			require.LessOrEqual(t, e.Count-e.Err, n)
		}
	}
}

func TestTopKMergedFromEightPartsKeepsItsBounds(t *testing.T) {
	parts, merged := make([]*TopK, 8), NewTopK(512, 8)
	for i := range parts {
		parts[i] = NewTopK(512, 8)
	}
	r := rand.New(rand.NewPCG(3, 4))
	truth := map[uint64]uint64{}
	for i := range 200_000 {
		k := key(uint64(math.Pow(r.Float64(), 6) * 10_000))
		truth[k]++
		parts[i%8].Add(k, 1, []byte("label"))
	}
	for _, p := range parts {
		rest, err := merged.MergeEncoded(p.Append(nil, 512))
		require.NoError(t, err)
		require.Empty(t, rest)
	}
	for k, n := range truth {
		e, ok := merged.Get(k)
		if n > 4_000 {
			require.True(t, ok)
			require.Equal(t, "label", string(e.Label))
		}
		if ok {
			require.LessOrEqual(t, e.Count-e.Err, n)
		}
	}
}

func TestCountMinNeverCountsTooLowAndSeldomTooHigh(t *testing.T) {
	c := NewCountMin(4096)
	const n = 20_000
	for i := range uint64(n) {
		c.Add(key(i), uint32(i%3+1))
	}
	high := 0
	for i := range uint64(n) {
		got, want := c.Estimate(key(i)), uint32(i%3+1)
		require.GreaterOrEqual(t, got, want)
		if float64(got-want) > math.E*2*n/4096 {
			high++
		}
	}
	require.Less(t, high, n/50)
}

func TestCountMinMergedFromPartsEqualsTheWhole(t *testing.T) {
	whole, a, b := NewCountMin(1024), NewCountMin(1024), NewCountMin(1024)
	for i := range uint64(5000) {
		whole.Add(key(i), 1)
		if i%2 == 0 {
			a.Add(key(i), 1)
		} else {
			b.Add(key(i), 1)
		}
	}
	require.True(t, a.Merge(b))
	require.Equal(t, whole, a)
	require.False(t, a.Merge(NewCountMin(2048)))
}

func TestSeenRemembersTheLastHalfAndForgetsTheOld(t *testing.T) {
	s := NewSeen(10_000)
	wrong := 0
	for i := range uint64(100_000) {
		if s.Add(key(i)) {
			wrong++
		}
		if i >= 4000 {
			require.True(t, s.Add(key(i-4000)), "a recent value was forgotten")
		}
	}
	require.Less(t, wrong, 5_000)
	require.False(t, s.Add(key(1)), "a value from long ago is forgotten")
}

func TestLogHistQuantilesStayWithinTheirError(t *testing.T) {
	var whole, a, b LogHist
	for i := int64(1); i <= 100_000; i++ {
		whole.Add(i * 1000)
		if i%3 == 0 {
			a.Add(i * 1000)
		} else {
			b.Add(i * 1000)
		}
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99} {
		require.InEpsilon(t, q*1e8, float64(whole.Quantile(q)), 0.07)
	}
	rest, err := a.MergeEncoded(b.Append(nil))
	require.NoError(t, err)
	require.Empty(t, rest)
	require.Equal(t, whole, a)
}

func FuzzDecodersTakeAnyBytes(f *testing.F) {
	var h HLL
	var l LogHist
	top := NewTopK(64, 16)
	for i := range uint64(100) {
		h.Add(key(i))
		l.Add(int64(i * i))
		top.Add(key(i), i+1, []byte("label"))
	}
	f.Add(h.Append(nil))
	f.Add(l.Append(nil))
	f.Add(top.Append(nil, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h HLL
		if h.Decode(b) == nil {
			h.Estimate()
			var again HLL
			require.NoError(t, again.Decode(h.Append(nil)))
			require.Equal(t, h, again)
		}
		var l LogHist
		if _, err := l.MergeEncoded(b); err == nil {
			l.Quantile(0.99)
		}
		top := NewTopK(64, 16)
		if _, err := top.MergeEncoded(b); err == nil {
			for _, e := range top.Top(64) {
				require.LessOrEqual(t, e.Err, e.Count)
			}
		}
	})
}

func BenchmarkUpdates(b *testing.B) {
	keys := make([]uint64, 1<<16)
	for i := range keys {
		keys[i] = key(uint64(i))
	}
	run := func(name string, f func(uint64)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f(keys[i&(1<<16-1)])
			}
		})
	}
	var h HLL
	var l LogHist
	top, cm, seen := NewTopK(8192, 64), NewCountMin(8192), NewSeen(65536)
	label := []byte("/a/path")
	run("HLL", h.Add)
	run("TopK", func(k uint64) { top.Add(k, 1, label) })
	run("CountMin", func(k uint64) { cm.Add(k, 1) })
	run("Seen", func(k uint64) { seen.Add(k) })
	run("LogHist", func(k uint64) { l.Add(int64(k >> 20)) })
}
