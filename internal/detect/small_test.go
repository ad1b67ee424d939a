package detect

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/request"
)

// site is a small site's log: requests are added at times, then played in order.
type site struct {
	t     *testing.T
	d     *Detector
	at    time.Time
	found map[string]finding.Finding
	marks int
}

const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

func newSite(t *testing.T) *site {
	d, err := New(Config{Seed: 3})
	require.NoError(t, err)
	return &site{t: t, d: d, at: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), found: map[string]finding.Finding{}}
}

func (s *site) wait(by time.Duration) {
	next := s.at.Add(by)
	for sec := s.at.Truncate(time.Second).Add(time.Second); !sec.After(next); sec = sec.Add(time.Second) {
		s.take(s.d.Tick(sec))
	}
	s.at = next
}

func (s *site) take(fs []finding.Finding) {
	for _, f := range fs {
		s.found[f.ID] = f
	}
}

func (s *site) get(ip, method, path, ua, referer string, status int) Mark {
	r := request.Request{UnixNano: s.at.UnixNano(), Client: netip.MustParseAddr(ip), Method: []byte(method), Path: []byte(path),
		Status: status, Bytes: 1000, Duration: request.Unknown}
	if ua != "" {
		r.UserAgent = []byte(ua)
	}
	if referer != "" {
		r.Referer = []byte(referer)
	}
	m := s.d.Observe(&r)
	if m.FindingID != "" {
		s.marks++
	}
	return m
}

// visitor loads a page with what belongs to it, and reads.
func (s *site) visitor(i int) {
	ip, ua := fmt.Sprintf("81.2.%d.%d", i%200, i%250+1), fmt.Sprintf("%s v%d", browser, i%9)
	s.get(ip, "GET", "/", ua, "", 200)
	for j := range 6 {
		s.get(ip, "GET", fmt.Sprintf("/static/a%c.css", 'a'+j), ua, "https://example.org/", 200)
		s.wait(40 * time.Millisecond)
	}
	s.get(ip, "GET", "/news/"+string(rune('a'+i%20)), ua, "https://example.org/", 200)
}

func (s *site) classes() (out []finding.Class) {
	s.take(s.d.Flush())
	for _, c := range finding.Classes() {
		for _, f := range s.found {
			if f.Class == c {
				out = append(out, c)
			}
		}
	}
	return out
}

func TestAFloodOfThreeClientsIsNamedOnATinySiteWithinSeconds(t *testing.T) {
	s := newSite(t)
	for i := range 5 {
		s.visitor(i)
		s.wait(time.Second)
	}
	began := s.at
	for i := range 856 {
		s.get(fmt.Sprintf("203.0.113.%d", i%3+1), "GET", "/", "Mozilla/5.0", "", 200)
		s.wait(4 * time.Second / 856)
	}
	require.Equal(t, []finding.Class{finding.HTTPFlood}, s.classes())
	for _, f := range s.found {
		require.Less(t, f.DetectedAt.Sub(began), 3*time.Second)
		require.Equal(t, finding.Closed, f.Status)
		require.Len(t, f.Rules[0].Match[0].Values, 3)
		require.NotEmpty(t, f.Evidence)
	}
	require.Greater(t, s.marks, 500)
}

func TestALoginThatIsGuessedAtIsNamed(t *testing.T) {
	s := newSite(t)
	for range 20 {
		s.get("198.51.100.7", "POST", "/wp-login.php", browser, "", 401)
		s.wait(700 * time.Millisecond)
	}
	require.Equal(t, []finding.Class{finding.CredentialStuffing}, s.classes())
}

func TestAFormThatIsShownAgainTwoDozenTimesIsAGuessedLogin(t *testing.T) {
	s := newSite(t)
	for range 60 {
		s.get("198.51.100.7", "POST", "/user/login", browser, "", 200)
		s.wait(time.Second)
	}
	require.Equal(t, []finding.Class{finding.CredentialStuffing}, s.classes())
}

func TestDozensOfMissingPathsFromOneClientAreAScan(t *testing.T) {
	s := newSite(t)
	for i := range 36 {
		s.get("198.51.100.9", "GET", fmt.Sprintf("/%c%c/admin.php", 'a'+i%26, 'a'+i/3), "", "", 404)
		s.wait(200 * time.Millisecond)
	}
	require.Equal(t, []finding.Class{finding.PathScanning}, s.classes())
}

func TestRequestsThatNeverEndAreNamed(t *testing.T) {
	s := newSite(t)
	for range 40 {
		s.get("198.51.100.9", "POST", "/upload", browser, "", 408)
		s.wait(500 * time.Millisecond)
	}
	require.Equal(t, []finding.Class{finding.Slowloris}, s.classes())
}

func TestOrdinaryVisitorsOfASmallSiteRaiseNothing(t *testing.T) {
	for name, visit := range map[string]func(s *site){
		"monitors every ten seconds": func(s *site) {
			for i := range 200 {
				s.get(fmt.Sprintf("192.0.2.%d", i%4+1), "HEAD", "/health", "UptimeRobot/2.0", "", 200)
				s.wait(2500 * time.Millisecond)
			}
		},
		"a crawler that reads 300 pages": func(s *site) {
			s.get("66.249.66.1", "GET", "/robots.txt", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", 200)
			for i := range 300 {
				status := 200
				if i%15 == 0 {
					status = 404
				}
				s.get("66.249.66.1", "GET", fmt.Sprintf("/story/%c%c", 'a'+i%26, 'a'+i/26), "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", status)
				s.wait(400 * time.Millisecond)
			}
		},
		"a fast browser with eighty assets": func(s *site) {
			for page := range 10 {
				s.get("81.2.69.142", "GET", fmt.Sprintf("/p/%c", 'a'+page), browser, "", 200)
				for i := range 80 {
					s.get("81.2.69.142", "GET", fmt.Sprintf("/static/%c%c.js", 'a'+i%26, 'a'+i/26), browser, "https://example.org/p", 200)
					s.wait(25 * time.Millisecond)
				}
				s.wait(10 * time.Second)
			}
		},
		"feed readers and an API client that polls": func(s *site) {
			for i := range 600 {
				s.get("192.0.2.50", "GET", "/api/v1/status", "okhttp/4.12.0", "", 200)
				if i%5 == 0 {
					s.get(fmt.Sprintf("192.0.2.%d", 100+i%30), "GET", "/feed.xml", "Feedly/1.0", "", 304)
				}
				s.wait(time.Second)
			}
		},
		"an office behind one address": func(s *site) {
			for i := range 400 {
				ua := fmt.Sprintf("%s v%d", browser, i%23)
				s.get("81.2.69.1", "GET", fmt.Sprintf("/p/%c", 'a'+i%24), ua, "", 200)
				for j := range 8 {
					s.get("81.2.69.1", "GET", fmt.Sprintf("/static/%c.css", 'a'+j), ua, "https://example.org/", 200)
				}
				if i%10 == 0 {
					s.get("81.2.69.1", "POST", "/login", ua, "https://example.org/login", 200+201*((i/10)%8/7))
				}
				s.wait(150 * time.Millisecond)
			}
		},
		"somebody who forgot the password": func(s *site) {
			for range 5 {
				s.get("81.2.69.9", "POST", "/login", browser, "https://example.org/login", 401)
				s.wait(9 * time.Second)
			}
			s.get("81.2.69.9", "POST", "/login", browser, "https://example.org/login", 302)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			visit(s)
			require.Empty(t, s.classes())
			require.Zero(t, s.marks)
		})
	}
}

func TestSilenceIsUnknownAndNeverNormal(t *testing.T) {
	s := newSite(t)
	s.visitor(1)
	s.wait(2 * time.Second)
	st, ok := s.d.Status("")
	require.True(t, ok)
	require.Equal(t, finding.Normal, st.Verdict)
	s.wait(61 * time.Second)
	st, _ = s.d.Status("")
	require.Equal(t, finding.Unknown, st.Verdict)
	require.Zero(t, st.Confidence)
	_, ok = s.d.Status("nobody")
	require.False(t, ok)
}

func TestServicesBeyondTheLimitAreJudgedTogetherAndCounted(t *testing.T) {
	d, err := New(Config{MaxServices: 3})
	require.NoError(t, err)
	for i := range 1000 {
		d.Observe(&request.Request{UnixNano: 1e18, Client: netip.MustParseAddr("192.0.2.1"), Service: fmt.Appendf(nil, "host-%d", i), Path: []byte("/")})
	}
	d.Tick(time.Unix(1e9, 5e8))
	require.Equal(t, []string{"host-0", "host-1", "host-2", OverflowService}, d.Services())
	require.EqualValues(t, 997, d.Stats().Overflowed)
	st, _ := d.Status(OverflowService)
	require.EqualValues(t, 997, st.Requests)
}

func TestClocksThatJumpAndLateLinesAreCountedAndHarmless(t *testing.T) {
	s := newSite(t)
	for i := range 30 {
		s.visitor(i)
	}
	now := s.at
	s.at = now.Add(20 * 365 * 24 * time.Hour)
	s.get("81.2.69.9", "GET", "/", browser, "", 200)
	s.at = now.Add(-10 * time.Minute)
	s.get("81.2.69.9", "GET", "/", browser, "", 200)
	s.at = now
	require.EqualValues(t, 1, s.d.Stats().Future)
	require.EqualValues(t, 1, s.d.Stats().Late)
	s.d.Observe(&request.Request{Path: []byte("/")})
	require.EqualValues(t, 1, s.d.Stats().Timeless)
	s.wait(3 * time.Second)
	st, _ := s.d.Status("")
	require.Equal(t, finding.Normal, st.Verdict)
	s.take(s.d.Tick(now.Add(3 * 365 * 24 * time.Hour))) // a gap is stepped over
	require.Nil(t, s.d.Tick(now), "time does not run backwards")
	require.Empty(t, s.classes())
}

func TestTheSameInputUnderTheSameSeedGivesTheSameFindings(t *testing.T) {
	run := func() map[string]finding.Finding {
		s := newSite(t)
		for i := range 40 {
			s.visitor(i)
		}
		for i := range 400 {
			s.get(fmt.Sprintf("203.0.113.%d", i%3+1), "GET", "/", "Mozilla/5.0", "", 200)
			s.wait(10 * time.Millisecond)
		}
		s.classes()
		return s.found
	}
	require.Empty(t, cmp.Diff(run(), run()))
}

func TestConfigIsCheckedWhole(t *testing.T) {
	_, err := New(Config{MaxServices: -1, Lateness: -time.Second, SilentAfter: -1, CloseAfter: -1, MinFloodRate: -1, MinFloodShare: 2})
	for _, key := range []string{"max services", "lateness", "silent after", "close after", "min flood rate", "min flood share"} {
		require.ErrorContains(t, err, key)
	}
}

func TestATemplateKeepsTheRouteAndDropsTheThing(t *testing.T) {
	for path, want := range map[string]string{
		"/":                  "/",
		"/users/12345":       "/users/{n}",
		"/v2/items/77/price": "/v2/items/{n}/price",
		"/o/550e8400-e29b-41d4-a716-446655440000": "/o/{id}",
		"/static/app.9f8e7d6c5b.js":               "/static/app.0f0e0d0c0b.js",
		"/hls/ch1/segment00123.ts":                "/hls/ch1/segment0.ts",
		"/news/how-to-vote":                       "/news/how-to-vote",
		"/a/b/c/d/e/f/g/h/i/j":                    "/a/b/c/d/e/f/g/h",
	} {
		require.Equal(t, want, string(appendTemplate(nil, []byte(path))), path)
	}
	for path, want := range map[string]class{
		"/": classPage, "/a.css": classAsset, "/x/seg1.ts": classMedia, "/api/v1/me": classAPI, "/wp-login.php": classLogin,
		"/oauth/token": classLogin, "/robots.txt": classMeta, "/sessions-of-jazz": classPage, "/data.json": classAPI, "/xmlrpc.php": classLogin,
	} {
		require.Equal(t, want, classify([]byte(path)), path)
	}
}
