package detect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
)

// A viewer of the page expects a crowd while the traffic is at its peak, however
// short the time in which the site's usual rate was learned.
func TestACrowdIsACrowdUntilItsRateComesBack(t *testing.T) {
	for _, quiet := range []int{40, 120, 600} {
		t.Run(fmt.Sprintf("after %d s", quiet), func(t *testing.T) {
			s := newSite(t)
			visits := func(seconds, each int) (crowd int) {
				for range seconds {
					for i := range each {
						s.page(s.at.Second()*each + i)
					}
					s.at = s.at.Truncate(time.Second)
					s.wait(time.Second)
					st, _ := s.d.Status("")
					if st.Verdict == finding.Crowd {
						crowd++
					}
				}
				return crowd
			}
			require.LessOrEqual(t, visits(quiet, 4), 5)
			require.GreaterOrEqual(t, visits(240, 24), 225)
			visits(90, 4)
			st, _ := s.d.Status("")
			require.Equal(t, finding.Normal, st.Verdict)
			require.Empty(t, s.classes())
		})
	}
}

// page is a visitor who loads all at once.
func (s *site) page(i int) {
	ip, ua := fmt.Sprintf("81.2.%d.%d", i%200, i%250+1), fmt.Sprintf("%s v%d", browser, i%9)
	s.get(ip, "GET", "/", ua, "", 200)
	for j := range 6 {
		s.get(ip, "GET", fmt.Sprintf("/static/a%c.css", 'a'+j), ua, "https://example.org/", 200)
	}
	s.get(ip, "GET", "/news/"+string(rune('a'+i%20)), ua, "https://example.org/", 200)
}

// A crowd of new people who come for one new thing, and do nothing else for as long as
// they stay, is odd in all it does but in who it is.
func TestACrowdForANewThingIsNoAttackHoweverLongItStays(t *testing.T) {
	s := newSite(t)
	for range 300 {
		for i := range 5 {
			s.page(s.at.Second()*5 + i)
		}
		s.at = s.at.Truncate(time.Second)
		s.wait(time.Second)
	}
	for came := range 180 {
		for i := range 20 * min(came, 60) { // who came by now, each every four seconds
			if (i+came)%4 == 0 {
				s.get(fmt.Sprintf("81.2.%d.%d", i%200, 254-i/200), "GET", "/live/final", fmt.Sprintf("%s v%d", browser, i%9), "", 200)
			}
		}
		s.at = s.at.Truncate(time.Second)
		s.wait(time.Second)
	}
	require.Empty(t, s.classes())
	require.Zero(t, s.marks)
}
