package accesslog

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

func TestAStreamThatChangesIsFollowedAndOneThatMixesIsCounted(t *testing.T) {
	p := newParser(t, Auto, Options{})
	var r request.Request
	feed := func(n int, f Format, i int) {
		t.Helper()
		for range n {
			if err := p.Parse([]byte(samples[f][i]), &r); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
		}
	}
	feed(20, Nginx, 0)
	feed(1, JSON, 0)
	feed(1, ALB, 0)
	feed(20, Nginx, 0)
	if got := p.Stats(); p.Format() != Nginx || got.Fallback != 2 {
		t.Errorf("two stray lines: format %s, %d counted", p.Format(), got.Fallback)
	}
	feed(50, IngressNginx, 0)
	if got := p.Stats(); p.Format() != IngressNginx || got.Fallback != 2+switchAfter {
		t.Errorf("changed stream: format %s, %d counted", p.Format(), got.Fallback)
	}
	feed(50, ALB, 1)
	if p.Format() != ALB {
		t.Errorf("changed again: format %s", p.Format())
	}
	if got := p.Stats(); got.Requests != got.Lines || got.Bad() != 0 {
		t.Errorf("%+v", got)
	}
}

func TestWrappingsAreTakenOff(t *testing.T) {
	docker := func(s string) string {
		return `{"log":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `\n","stream":"stdout","time":"2026-05-17T18:45:03.1Z"}`
	}
	for _, f := range []Format{Nginx, IngressNginx, Envoy, ALB, Traefik, HAProxy, Caddy, JSON, Apache} {
		line, want := samples[f][0], samplesRead[f][0]
		for name, wrapped := range map[string]string{
			"CRI":                   "2025-12-31T17:37:40.493035218+01:00 stdout F " + line,
			"Docker":                docker(line),
			"syslog 3164":           "<134>Jan 14 12:48:57 edge-1 proxy[1234]: " + line,
			"syslog without header": "proxy[1234]: " + line,
			"syslog 5424":           "<134>1 2026-01-14T12:48:57.003Z edge-1 proxy 1234 - - " + line,
			"carriage return":       line + "\r",
		} {
			for _, format := range []Format{Auto, f} {
				p := newParser(t, format, Options{})
				for range 3 {
					if got := read(t, p, wrapped); got != want {
						t.Errorf("%s inside %s, read as %s:\n got %s\nwant %s", f, name, format, got, want)
					}
				}
				if got := p.Stats(); got.Fallback != 0 {
					t.Errorf("%s inside %s, read as %s: %d fallbacks", f, name, format, got.Fallback)
				}
			}
		}
	}
	p := newParser(t, Auto, Options{})
	if got := read(t, p, `"`+samples[Nginx][0]+`"`); got != samplesRead[Nginx][0] {
		t.Errorf("quoted line: %s", got)
	}
}

func TestALineThatCannotBeReadIsCountedUnderItsReason(t *testing.T) {
	const good = `198.51.100.1 - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 1 "-" "x"`
	for _, tc := range []struct {
		line string
		f    Format
		want error
	}{
		{"", Auto, ErrEmpty},
		{"\r", Auto, ErrEmpty},
		{"# a comment", Auto, ErrHeader},
		{strings.Repeat("x", 2000), Auto, ErrTooLong},
		{"hello world, this is an application message", Auto, ErrFormat},
		{"\x00\xff\xfe binary \x01\x02 rubbish that goes on for a while", Auto, ErrFormat},
		{strings.Replace(good, "May", "Mai", 1), Auto, ErrTime},
		{strings.Replace(good, "17/", "32/", 1), Auto, ErrTime},
		{strings.Replace(good, "17/May", "29/Feb", 1), Auto, ErrTime},
		{strings.Replace(good, "20:45", "25:45", 1), Auto, ErrTime},
		{strings.Replace(good, "+0200", "+9900", 1), Auto, ErrTime},
		{strings.Replace(good, "200 1", "2x0 1", 1), Auto, ErrStatus},
		{strings.Replace(good, "200 1", "0200 1", 1), Auto, ErrStatus},
		{good[:60], Auto, ErrFormat},
		{`{"a":`, JSON, ErrJSON},
		{`{"method":"GET","path":"/","status":200,"client_ip":"198.51.100.1"`, Auto, ErrJSON},
		{`{"level":"info","msg":"started on port 8080"}`, Auto, ErrNotRequest},
		{`{"method":"GET","path":"/","status":"fine","client_ip":"198.51.100.1"}`, Auto, ErrStatus},
		{`{"method":"GET","path":"/","status":200,"time":"yesterday"}`, Auto, ErrTime},
		{`192.168.1.4:50033 [28/Feb/2025:02:43:10.123] frontend/backend: SSL handshake failure`, Auto, ErrNotRequest},
		{`2021/11/18 08:34:27 [info] 86596#86596: *1083 open() "/x" failed`, Auto, ErrNotRequest},
		{`[Fri Oct 08 17:08:41.203277 2021] [core:error] [pid 7005:tid 1] AH00126: Invalid URI`, Auto, ErrNotRequest},
		{good, ALB, ErrFormat},
		{samples[ALB][0], Nginx, ErrFormat},
	} {
		p := newParser(t, tc.f, Options{MaxLine: 1000})
		var r request.Request
		if err := p.Parse([]byte(tc.line), &r); !errors.Is(err, tc.want) {
			t.Errorf("%.80q as %s: got %v, want %v", tc.line, tc.f, err, tc.want)
		}
		s := p.Stats()
		for i, e := range reasonErrors {
			if want := uint64(0); s.Unread[i] != want && e != tc.want {
				t.Errorf("%.80q was counted as %s", tc.line, Reasons[i])
			}
		}
	}
}

func TestWhatALogDoesNotSayStaysUnknown(t *testing.T) {
	p := newParser(t, Auto, Options{})
	for line, want := range map[string]string{
		`host.example.net - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.0" 200 7`:                                `2026-05-17T18:45:03 invalid IP ="GET" path="/" 200 7B`,
		`unix: - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.0" 200 7 "" ""`:                                     `2026-05-17T18:45:03 invalid IP ="GET" path="/" 200 7B`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "GET /old" 200 7 "-" "-"`:                                  `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/old" 200 7B`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "lv|'|'|VHJv|'|'|[endof]" 400 157 "-" "-"`:                 `2026-05-17T18:45:03 198.51.100.1 400 157B`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "GET http://tv.example:8080?x HTTP/1.1" 200 - "-" "-"`:     `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/" query="x" 200`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "CONNECT mail.example:25 HTTP/1.1" 405 0 "-" "-"`:          `2026-05-17T18:45:03 198.51.100.1 ="CONNECT" 405 0B`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "OPTIONS * HTTP/1.1" - 0 "-" "-"`:                          `2026-05-17T18:45:03 198.51.100.1 ="OPTIONS" path="*" 0 0B`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "GET /a b" c HTTP/1.1" 200 5 "-" "say "hi" now"`:           `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/a b\" c" ua="say \"hi\" now" 200 5B`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 5 "-" "a \"b\" c\\"`:                  `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/" ua="a \"b\" c\\" 200 5B`,
		`198.51.100.1 - user [x] y [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 5 "-" "-"`:                   `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/" user="user [x] y" 200 5B`,
		`10.0.0.1 - [198.51.100.1] - joe [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 5 "-" "-" 3 0.1 [u] a`: `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/" svc="u" user="joe" 200 5B 100ms`,
		`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 5 0.042 "-" "ua"`:                     `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/" ua="ua" 200 5B 42ms`,
	} {
		if got := read(t, p, line); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
	if s := p.Stats(); s.Clientless != 2 {
		t.Errorf("%d requests without a client, want 2", s.Clientless)
	}
	var r request.Request
	named := newParser(t, Auto, Options{NamedClients: true})
	if err := named.Parse([]byte(`host.example.net - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.0" 200 7`), &r); err != nil || !clientip.Names.Contains(r.Client) {
		t.Errorf("named client: %v, %v", r.Client, err)
	}
}

func TestTheClientComesFromXForwardedForOnlyBehindATrustedProxy(t *testing.T) {
	trusted := clientip.New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	forged := strings.Repeat("6.6.6.6, ", 50) + "203.0.113.5, 10.0.0.7"
	for _, line := range []string{
		`10.0.0.1 - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 5 "-" "x" "` + forged + `"`,
		`10.0.0.1 - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 5 "-" "x" 0.004 "` + forged + `"`,
		`10.0.0.1 - - [17/May/2026:20:45:03 +0200] "GET / HTTP/1.1" 200 5 "-" "x" xff="` + forged + `" rt=0.004`,
		`[2026-04-15T20:17:00.310Z] "GET / HTTP/2" 204 - 154 0 226 100 "` + forged + `" "x" "id" "h" "10.0.2.1:80"`,
		`{"time":"2026-05-17T20:45:03Z","remote_addr":"10.0.0.1","x-forwarded-for":"` + forged + `","method":"GET","uri":"/","status":200}`,
	} {
		var r request.Request
		if err := newParser(t, Auto, Options{Client: trusted}).Parse([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if want := netip.MustParseAddr("203.0.113.5"); r.Client != want {
			t.Errorf("%.60s: client %v, want %v", line, r.Client, want)
		}
		if err := newParser(t, Auto, Options{}).Parse([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Client.String()[:3] != "10." {
			t.Errorf("%.60s: client %v without trusted proxies", line, r.Client)
		}
	}
}

func TestConfiguredFieldsColumnsAndZoneAreUsed(t *testing.T) {
	p := newParser(t, JSON, Options{Fields: map[string]string{
		"client": "peer.IP", "path": "what", "status": "result", "duration_ms": "took", "service": "app", "method": "how",
	}})
	got := read(t, p, `{"peer":{"ip":"198.51.100.1"},"how":"GET","what":"/x?y","result":204,"took":3.5,"app":"tv","path":"/not-this"}`)
	if want := `1970-01-01T00:00:00 198.51.100.1 ="GET" path="/x" query="y" svc="tv" 204 3.5ms`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if _, err := New(JSON, Options{Fields: map[string]string{"colour": "x"}}); err == nil {
		t.Error("an unknown field was taken")
	}
	p = newParser(t, CloudFrontRealtime, Options{Columns: []string{"timestamp", "c-ip", "cs-method", "cs-uri-stem", "sc-status"}})
	got = read(t, p, "1781550188.384\t198.51.100.1\tGET\t/x\t200")
	if want := `2026-06-15T19:03:08.384 198.51.100.1 ="GET" path="/x" 200`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	p = newParser(t, HAProxy, Options{Location: time.FixedZone("", 3600)})
	if got := read(t, p, samples[HAProxy][0]); !strings.HasPrefix(got, "2026-02-06T11:14:14.655 ") {
		t.Errorf("HAProxy in UTC+1: %s", got)
	}
}

func TestTimesAreReadAsTheTimePackageReadsThem(t *testing.T) {
	var c clock
	c.loc = time.UTC
	for day := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2262; day = day.Add(1013*time.Hour + 17*time.Minute + 11*time.Second) {
		for _, zone := range []int{0, 7200, -12600} {
			at := day.In(time.FixedZone("", zone))
			if at.Year() < 1970 || at.Year() > 2261 {
				continue
			}
			if got, ok := c.commonLog([]byte(at.Format("02/Jan/2006:15:04:05 -0700"))); !ok || got != at.UnixNano() {
				t.Fatalf("%v: common log gave %d %v", at, got, ok)
			}
			if got, ok := c.iso8601([]byte(at.Format(time.RFC3339))); !ok || got != at.UnixNano() {
				t.Fatalf("%v: ISO 8601 gave %d %v", at, got, ok)
			}
		}
	}
}

func TestALongLineIsReadWhole(t *testing.T) {
	query := strings.Repeat("a=b&", 16<<10)
	p := newParser(t, Auto, Options{})
	var r request.Request
	if err := p.Parse([]byte(`198.51.100.1 - - [17/May/2026:20:45:03 +0200] "GET /?`+query+` HTTP/1.1" 414 5 "-" "x"`), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Query) != 64<<10 || r.Status != 414 {
		t.Errorf("query of %d bytes, status %d", len(r.Query), r.Status)
	}
}

func TestEveryNameParsesAndUnknownOnesAreNamed(t *testing.T) {
	for _, n := range Names() {
		if f, err := ParseFormat(n); err != nil || f.String() != n {
			t.Errorf("%s: %v %v", n, f, err)
		}
	}
	if _, err := ParseFormat("w3c"); err == nil || !strings.Contains(err.Error(), `"w3c"`) {
		t.Errorf("unknown format: %v", err)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	junk := []string{"rubbish that is no log line at all", `{"a":[1,{"b":"c"}],"rnd%d":1}`, "\x00\x01", strings.Repeat("[", 300), `{"x":` + strings.Repeat(`{"y":`, 100)}
	for f, lines := range samples {
		for _, format := range []Format{Auto, f} {
			p := newParser(t, format, Options{})
			var r request.Request
			var raw [][]byte
			for _, l := range append(append([]string{}, lines...), junk...) {
				if !strings.HasPrefix(l, "#") { // a directive is read once a file
					raw = append(raw, []byte(l))
				}
			}
			run := func() {
				for _, l := range raw {
					_ = p.Parse(l, &r)
				}
			}
			run()
			if n := testing.AllocsPerRun(20, run); n != 0 {
				t.Errorf("%s as %s: %v allocations", f, format, n)
			}
		}
	}
}
