package cloudwatchexporter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
)

var noon = time.Date(2026, 7, 11, 12, 0, 0, 0, time.UTC)

// batches cuts as sendPart does.
func batches(events []event, now time.Time) (all [][]event, old, ahead int) {
	sortEvents(events)
	from, until := acceptable(events, now)
	old, ahead = from, len(events)-until
	for events = events[from:until]; len(events) > 0; {
		n := nextBatch(events)
		all = append(all, events[:n])
		events = events[n:]
	}
	return all, old, ahead
}

func TestAnyEventsGiveBatchesWithinEveryLimitAndLoseNone(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		spread := []int64{1000, 86_400_000, 3 * 86_400_000, 20 * 86_400_000}[r.IntN(4)]
		sizes := []int{1, 100, 30_000, maxMessage}[r.IntN(4)]
		events := make([]event, 1+r.IntN([]int{200, 2000, 25_000}[r.IntN(3)]/(sizes/10_000+1)))
		long := strings.Repeat("x", sizes)
		for i := range events {
			events[i] = event{at: noon.UnixMilli() - spread/2 + r.Int64N(spread), records: int32(i), message: long[:1+r.IntN(sizes)]}
		}
		seen := make([]bool, len(events))
		all, old, ahead := batches(events, noon)
		total := old + ahead
		for _, b := range all {
			require.NotEmpty(t, b)
			require.LessOrEqual(t, len(b), 10_000)
			bytes := 0
			for i, e := range b {
				bytes += len(e.message) + 26
				require.False(t, seen[e.records], "seed %d: twice", seed)
				seen[e.records] = true
				if i > 0 {
					require.GreaterOrEqual(t, e.at, b[i-1].at)
				}
			}
			require.LessOrEqual(t, bytes, 1_048_576)
			require.LessOrEqual(t, b[len(b)-1].at-b[0].at, int64(24*3600*1000))
			require.LessOrEqual(t, noon.UnixMilli()-b[0].at, int64(14*24*3600*1000))
			require.LessOrEqual(t, b[len(b)-1].at-noon.UnixMilli(), int64(2*3600*1000))
			total += len(b)
		}
		require.Equal(t, len(events), total, "seed %d", seed)
	}
}

func TestALimitIsUsedToTheLastByteAndEvent(t *testing.T) {
	at := noon.UnixMilli()
	full := []event{{at: at, message: strings.Repeat("x", 1_048_550)}, {at: at, message: "y"}}
	require.Equal(t, 1, nextBatch(full))
	full[0].message = full[0].message[:1_048_550-27]
	require.Equal(t, 2, nextBatch(full))

	many := make([]event, 10_001)
	for i := range many {
		many[i] = event{at: at, message: "x"}
	}
	require.Equal(t, 10_000, nextBatch(many))
	day := []event{{at: at, message: "x"}, {at: at + 86_400_000, message: "x"}, {at: at + 86_400_001, message: "x"}}
	require.Equal(t, 2, nextBatch(day))

	edge := []event{
		{at: noon.Add(-14*24*time.Hour).UnixMilli() - 1}, {at: noon.Add(-14 * 24 * time.Hour).UnixMilli()},
		{at: noon.Add(2 * time.Hour).UnixMilli()}, {at: noon.Add(2*time.Hour).UnixMilli() + 1},
	}
	from, until := acceptable(edge, noon)
	require.Equal(t, []int{1, 3}, []int{from, until})
}

// some makes a request of n events over a few streams; the texts tell them apart.
func some(r *rand.Rand, n int, tag string) *request {
	req := newRequest()
	for i := range n {
		at := req.part(destination{group: "g", stream: fmt.Sprint(r.IntN(4)), emf: r.IntN(2) == 0})
		req.add(at, event{at: noon.UnixMilli() + int64(i), records: 1, message: fmt.Sprintf("%s-%d %s", tag, i, strings.Repeat("x", r.IntN(200)))})
	}
	return req
}

// texts lists what requests hold, by stream, in order.
func texts(all ...xexporterhelper.Request) map[destination][]string {
	found := map[destination][]string{}
	for _, one := range all {
		for _, p := range one.(*request).parts {
			for _, e := range p.events {
				found[p.to] = append(found[p.to], e.message)
			}
		}
	}
	return found
}

func TestMergingAndSplittingKeepsEveryEventAndItsOrderInTheStream(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		a, b := some(r, r.IntN(100), "a"), some(r, r.IntN(100), "b")
		want := texts(a)
		for to, more := range texts(b) {
			want[to] = append(want[to], more...)
		}
		count, bytes := a.ItemsCount()+b.ItemsCount(), a.BytesSize()+b.BytesSize()
		limit := r.IntN(3) * 1000
		sizer := exporterhelper.RequestSizerTypeBytes
		if seed%2 == 0 {
			sizer, limit = exporterhelper.RequestSizerTypeItems, r.IntN(20)
		}
		got, err := a.MergeSplit(t.Context(), limit, sizer, b)
		require.NoError(t, err)
		require.NotEmpty(t, got)
		require.Equal(t, want, texts(got...))
		for _, one := range got {
			count -= one.ItemsCount()
			bytes -= one.BytesSize()
			if limit > 0 && sizer == exporterhelper.RequestSizerTypeBytes {
				require.LessOrEqual(t, one.BytesSize(), limit)
			} else if limit > 0 {
				require.LessOrEqual(t, one.ItemsCount(), limit)
			}
		}
		require.Zero(t, count)
		require.Zero(t, bytes)
	}
}

func TestAnEventLargerThanTheLimitGoesAlone(t *testing.T) {
	r := newRequest()
	at := r.part(destination{group: "g", stream: "s"})
	for _, n := range []int{10, 5000, 10} {
		r.add(at, event{at: 1, records: 1, message: strings.Repeat("x", n)})
	}
	got, err := r.MergeSplit(t.Context(), 100, exporterhelper.RequestSizerTypeBytes, nil)
	require.NoError(t, err)
	require.Len(t, got, 3)
}

func TestWhatIsQueuedComesBackAsItWas(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 4))
		want := some(r, r.IntN(50), "ünï\x00")
		stored, err := encoding{}.Marshal(t.Context(), want)
		require.NoError(t, err)
		_, got, err := encoding{}.Unmarshal(stored)
		require.NoError(t, err)
		require.Equal(t, want.parts, got.(*request).parts)
		require.Equal(t, want.ItemsCount(), got.ItemsCount())
		require.Equal(t, want.BytesSize(), got.BytesSize())
	}
}

func FuzzUnmarshalTakesAnyBytes(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	stored, _ := encoding{}.Marshal(context.Background(), some(r, 5, "s"))
	f.Add(stored)
	f.Add([]byte{})
	f.Add([]byte{1, 0, 1, 'g', 1, 's', 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, req, err := encoding{}.Unmarshal(b)
		if err != nil {
			return
		}
		again, err := encoding{}.Marshal(t.Context(), req)
		require.NoError(t, err)
		_, same, err := encoding{}.Unmarshal(again)
		require.NoError(t, err)
		require.Equal(t, texts(req), texts(same))
	})
}

func TestAVersionThatIsNotOursIsRefused(t *testing.T) {
	_, _, err := encoding{}.Unmarshal([]byte{9, 1, 2})
	require.ErrorIs(t, err, errStored)
}
