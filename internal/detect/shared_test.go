package detect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
)

// A proxy's or a carrier's address is an attacker's and people's at once. Only
// what the attacker asks for is marked.
func TestPeopleBehindAScannersAddressAreNotMarked(t *testing.T) {
	s := newSite(t)
	const shared, tool = "198.51.100.7", "Go-http-client/1.1"
	scanned, people := 0, 0
	for i := range 120 {
		s.visitor(i)
		was := s.marks
		s.get(shared, "GET", "/", browser, "", 200)
		s.get(shared, "GET", "/static/aa.css", browser, "https://example.org/", 200)
		s.get(shared, "GET", "/news/a", browser, "https://example.org/", 200)
		people += s.marks - was
		if i >= 30 {
			was = s.marks
			s.get(shared, "GET", fmt.Sprintf("/backup%c%c.zip", 'a'+i%26, 'a'+i/26), tool, "", 404)
			s.get(shared, "GET", "/news/b", tool, "", 200) // a guess that hits is of the scan as well
			scanned += s.marks - was
		}
		s.wait(300 * time.Millisecond)
	}
	require.Equal(t, []finding.Class{finding.PathScanning}, s.classes())
	require.Zero(t, people)
	require.Greater(t, scanned, 100)
}

func TestSignInsThatSucceedBehindAStuffersAddressAreNotMarked(t *testing.T) {
	s := newSite(t)
	const shared = "198.51.100.7"
	tried, people := 0, 0
	for i := range 160 {
		s.visitor(i)
		if i >= 30 {
			was := s.marks
			// The names are made up: none says whose a request is.
			s.get(shared, "POST", "/login", fmt.Sprintf("%s %c%c", browser, 'a'+i%26, 'a'+i/7), "", 401)
			tried += s.marks - was
		}
		if i%8 == 0 {
			ua, was := fmt.Sprintf("%s v%d", browser, i%9), s.marks
			s.get(shared, "POST", "/login", ua, "https://example.org/login", 302)
			s.get(shared, "GET", "/account", ua, "https://example.org/login", 200)
			people += s.marks - was
		}
		s.wait(300 * time.Millisecond)
	}
	require.Equal(t, []finding.Class{finding.CredentialStuffing}, s.classes())
	require.Zero(t, people)
	require.Greater(t, tried, 90)
}

// At a kick-off a million people sign in, and somebody forgets the password and
// gives up at the fifth try, without having asked for anything else.
func TestWhoForgetsThePasswordIsNobodysAttack(t *testing.T) {
	s := newSite(t)
	for i := range 900 {
		s.visitor(i)
		// Who mistypes it has seen the page before: hardly anybody comes for that alone.
		mistyped := fmt.Sprintf("10.%d.%d.9", i/250, i%250)
		s.get(mistyped, "GET", "/news/a", browser, "https://example.org/", 200)
		if i%2 == 0 {
			s.get(mistyped, "POST", "/login", browser, "https://example.org/news/a", 401)
		}
		s.get(mistyped, "POST", "/login", browser, "https://example.org/news/a", 302)
		if i >= 700 && i < 705 {
			s.get("203.0.113.9", "POST", "/login", browser, "", 401)
		}
		s.wait(300 * time.Millisecond)
	}
	require.Empty(t, s.classes())
}

func TestAScannersEveryRequestIsItsOwnUnlessOthersAreBehindItsAddress(t *testing.T) {
	for _, shared := range []bool{false, true} {
		s := newSite(t)
		for i := range 200 {
			s.visitor(i)
			s.wait(200 * time.Millisecond)
		}
		for i := range 20 {
			for _, ext := range []string{"php", "bak", "sql"} {
				s.get("203.0.113.9", "GET", fmt.Sprintf("/admin%d.%s", i, ext), "checker.example", "", 404)
			}
			s.get("203.0.113.9", "GET", "/", "checker.example", "https://example.org/", 200)
			s.get("203.0.113.9", "GET", "/static/aa.css", "checker.example", "https://example.org/", 200)
			if shared {
				s.get("203.0.113.9", "GET", "/news/a", browser, "https://example.org/", 200)
			}
			s.wait(500 * time.Millisecond)
		}
		ua := "checker.example"
		if shared {
			ua = browser
		}
		m := s.get("203.0.113.9", "GET", "/news/b", ua, "https://example.org/", 200)
		require.Equal(t, !shared, m.FindingID != "")
		require.Equal(t, []finding.Class{finding.PathScanning}, s.classes())
	}
}
