package detect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
)

// The address of a scanner may be a visitor's as well, and nothing that a visitor
// asks for is a scan.
func TestAScanClosesThoughItsAddressGoesOnToVisit(t *testing.T) {
	s := newSite(t)
	for i := range 40 {
		s.visitor(i)
		s.wait(time.Second)
	}
	const scanner = "198.51.100.7"
	for i := range 30 {
		s.get(scanner, "GET", fmt.Sprintf("/backup%c%c.zip", 'a'+i%26, 'a'+i/26), "Go-http-client/1.1", "", 404)
		s.wait(200 * time.Millisecond)
	}
	over := s.at
	for i := range 150 {
		s.visitor(i)
		s.get(scanner, "GET", "/news/a", browser, "https://example.org/", 200)
		s.wait(time.Second)
	}
	require.Len(t, s.found, 1)
	for _, f := range s.found {
		require.Equal(t, finding.PathScanning, f.Class)
		require.Equal(t, finding.Closed, f.Status)
		if lag := f.ClosedAt.Sub(over); lag > 90*time.Second {
			t.Errorf("closed %s after the last request of the scan", lag)
		}
	}
}

// Without durations a connection that was held shows as one that its client gave
// up. People give up too, when the site is slow: all of them.
func TestOneClientThatGoesAwayAgainAndAgainHoldsConnectionsAndACrowdThatDoesIsSlow(t *testing.T) {
	for _, all := range []bool{false, true} {
		s := newSite(t)
		for i := range 60 {
			s.visitor(i)
			s.wait(500 * time.Millisecond)
		}
		for i := range 120 {
			if i%3 == 0 {
				s.get("203.0.113.9", "GET", "/search", browser, "", 499)
			}
			if all {
				s.get(fmt.Sprintf("81.2.%d.%d", i%200, i%250+1), "GET", "/news/a", browser, "https://example.org/", 499)
			}
			s.visitor(i)
			s.wait(500 * time.Millisecond)
		}
		if all {
			require.Empty(t, s.classes())
		} else {
			require.Equal(t, []finding.Class{finding.Slowloris}, s.classes())
		}
	}
}
