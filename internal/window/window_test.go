package window

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSeriesCountsWhatIsInTimeAndCountsWhatIsNot(t *testing.T) {
	s := NewSeries(3 * time.Second)
	require.False(t, s.Add(100, 1), "nothing has begun")
	s.Advance(100)
	require.True(t, s.Add(100, 5))
	require.True(t, s.Add(97, 2))
	require.False(t, s.Add(96, 7), "four seconds late")
	require.False(t, s.Add(101, 9), "ahead")
	require.EqualValues(t, 7, s.Late())
	require.EqualValues(t, 10, s.Future())
	require.EqualValues(t, 5, s.Last(1))
	require.EqualValues(t, 7, s.Last(10))
	require.EqualValues(t, 2, s.Second(97))
}

func TestSeriesForgetsByAgeInEachSpan(t *testing.T) {
	s := NewSeries(3 * time.Second)
	for sec := range int64(7200) {
		s.Advance(sec)
		s.Add(sec, 1)
	}
	require.EqualValues(t, 10, s.Last(10))
	require.EqualValues(t, 300, s.LastTens(30))
	require.EqualValues(t, 3600, s.LastMinutes(60))
}

func TestSeriesSurvivesAGapOfYearsAndAClockThatRunsBackwards(t *testing.T) {
	s := NewSeries(3 * time.Second)
	s.Advance(1000)
	s.Add(1000, 4)
	s.Advance(1000 + 20*365*86400)
	require.Zero(t, s.LastMinutes(60))
	s.Advance(5)
	require.False(t, s.Add(5, 1))
	s.Advance(-1 << 62)
	require.EqualValues(t, 1, s.Late())
}

func TestRingNumbersSecondsBeforeTheEpoch(t *testing.T) {
	r := NewRing(3, 10, func(n *int) { *n = 0 })
	r.Advance(-15)
	*r.At(-11)++
	*r.At(-20)++
	r.Advance(-1)
	require.Equal(t, 2, *r.At(-15))
	require.Nil(t, r.At(0))
	r.Advance(25)
	require.Nil(t, r.At(-15))
}

func BenchmarkSeriesAdd(b *testing.B) {
	s := NewSeries(3 * time.Second)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		s.Advance(i >> 10)
		s.Add(i>>10, 1)
	}
}
