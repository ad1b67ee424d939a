package warroomexporter

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/client"
)

// apiCSP is for answers that are data: whatever a log line holds, nothing of it
// runs where somebody opens an answer by itself.
const apiCSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// guarded is what each request passes, behind TLS and the authenticator. First:
// its headers, so that refusals have them too. Then: whether it may reach this
// server under that name. Last: whether another site sends it through a viewer's
// browser.
func (w *warroom) guarded(next http.Handler) http.Handler {
	return headers(w.ownName(ownSite(http.NewCrossOriginProtection().Handler(next))))
}

// headers are those of every answer; the page and the report set policies of their
// own over it.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", apiCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(rw, r)
	})
}

// ownName refuses requests to a loopback server under a name that is not this
// machine's own: without it, a page whose host name is made to resolve to
// 127.0.0.1 (DNS rebinding) could read what the war room knows.
func (w *warroom) ownName(next http.Handler) http.Handler {
	host, _, _ := net.SplitHostPort(w.cfg.NetAddr.Endpoint)
	if !loopback(host) {
		return next
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		name, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			name = r.Host
		}
		if !loopback(strings.Trim(name, "[]")) {
			http.Error(rw, "this server answers to localhost only, not to "+strconv.Quote(name), http.StatusForbidden)
			return
		}
		next.ServeHTTP(rw, r)
	})
}

// ownSite refuses what another site's page asks of the room, reading included: its
// script could not see the answer, but each open stream takes a viewer's place and
// each report a thousand queries. A link that somebody follows is no script. The
// Prometheus API stays as it is elsewhere: cors is for it.
func ownSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Sec-Fetch-Site") {
		case "cross-site", "same-site":
			if strings.HasPrefix(r.URL.Path, "/api/warroom/") && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
				http.Error(rw, "another site's page asks: only the war room's own may", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(rw, r)
	})
}

// writer is who may write, and under which name: everybody where there is no
// authenticator (loopback), else those whom room::writers names. The name is empty
// where nobody is authenticated.
func (w *warroom) writer(r *http.Request) (who string, may bool) {
	who, authenticated := subject(client.FromContext(r.Context()))
	return who, !w.cfg.Auth.HasValue() || authenticated && slices.Contains(w.cfg.Room.Writers, who)
}

// writersOnly keeps those who may look from writing: notes, roles, severity,
// readiness, and metrics, since a series that was made up is a verdict that was made
// up.
func (w *warroom) writersOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, may := w.writer(r); !may {
			http.Error(rw, "you may look and not write: room::writers does not name you", http.StatusForbidden)
			return
		}
		next.ServeHTTP(rw, r)
	})
}

// subject is who the authenticator says is there.
func subject(info client.Info) (string, bool) {
	if info.Auth == nil {
		return "", false
	}
	for _, key := range []string{"username", "subject"} {
		if s, ok := info.Auth.GetAttribute(key).(string); ok && s != "" {
			return s, true
		}
	}
	return "", false
}
