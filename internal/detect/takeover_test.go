package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
)

// A flood of paths that do not exist is first seen as a scan. Once the flood has
// taken it over, its further clients belong to the flood: a second finding of
// the same attack would even have the same ID.
func TestWhatAFloodTookOverDoesNotOpenAgainBesideIt(t *testing.T) {
	d, err := New(Config{})
	require.NoError(t, err)
	s := d.service([]byte("shop"))
	bot := func(key uint64) *client {
		return &client{key: key, first: 100, last: 101e9, n: 6, rate: 0.2}
	}
	s.clock = 101e9
	s.accuse(bot(1), epScanning, 1)
	scan, flood := &s.eps[epScanning], &s.eps[epFlood]
	require.True(t, scan.open)
	id := scan.id

	s.clock = 102e9
	flood.begin(s, finding.HTTPFlood, 100e9)
	s.takeOver()
	require.False(t, scan.open)
	if flood.id != id {
		t.Errorf("the flood has the ID %s, requests are marked with %s already", flood.id, id)
	}

	s.accuse(bot(2), epScanning, 1)
	if scan.open || s.open != 1 {
		t.Errorf("a second finding is open (%v, %d in all)", scan.open, s.open)
	}

	// When the flood is over, a scan is a scan again.
	flood.end(s)
	s.accuse(bot(3), epScanning, 1)
	if !scan.open {
		t.Error("a scan after the flood was not told")
	}
}

// Who waits for a flood to tell of a scan tells it late. What was told already goes
// on under its name, as the flood.
func TestAScanIsToldAtOnceAndGoesOnAsTheFloodThatItWasPartOf(t *testing.T) {
	d, err := New(Config{})
	require.NoError(t, err)
	s := d.service([]byte("shop"))
	tick := func(second int64) []finding.Finding {
		s.clock, s.second, s.newest = second*1e9, second, second*1e9
		return s.follow(nil)
	}
	s.clock = 101e9
	s.accuse(&client{key: 1, first: 100, last: 101e9, n: 6, rate: 0.2}, epScanning, 1)
	told := tick(101)
	require.Len(t, told, 1)
	require.Equal(t, finding.Open, told[0].Status)
	require.Equal(t, finding.PathScanning, told[0].Class)

	s.clock = 103e9
	s.eps[epFlood].begin(s, finding.HTTPFlood, 100e9)
	s.takeOver()
	grown := tick(103)
	require.Len(t, grown, 1)
	require.Equal(t, finding.Update, grown[0].Status)
	require.Equal(t, finding.HTTPFlood, grown[0].Class)
	require.Equal(t, told[0].ID, grown[0].ID)
}
