package accesslog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vigie-otel/vigie/internal/request"
)

// show prints what a request says, field by field, so that a test reads like
// the log.
func show(r *request.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v", time.Unix(0, r.UnixNano).UTC().Format("2006-01-02T15:04:05.999999999"), r.Client)
	for _, f := range []struct {
		name string
		v    []byte
	}{
		{"", r.Method}, {"host", r.Host}, {"path", r.Path}, {"query", r.Query}, {"ua", r.UserAgent}, {"ref", r.Referer},
		{"svc", r.Service}, {"user", r.Account}, {"ja4", r.JA4},
	} {
		if f.v != nil {
			fmt.Fprintf(&b, " %s=%q", f.name, f.v)
		}
	}
	fmt.Fprintf(&b, " %d", r.Status)
	if r.Bytes != request.Unknown {
		fmt.Fprintf(&b, " %dB", r.Bytes)
	}
	if r.Duration != request.Unknown {
		fmt.Fprintf(&b, " %v", r.Duration)
	}
	return b.String()
}

var samplesRead = map[Format][]string{
	Nginx: {
		`2026-05-17T18:45:03 203.0.113.7 ="GET" path="/live/match/42/segment-1337.ts" query="token=abc&q=7" ua="Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36" ref="https://tv.example/match/42" 200 203023B`,
		`2026-05-17T18:45:03 2001:db8:1:2:3:4:5:6 ="POST" path="/api/v2/sign-in" ua="TVApp/7.1 (iOS 18.1)" user="alice" 401 31B`,
		`2026-05-17T18:45:04 203.0.113.8 ="GET" path="/search" query="q=\"quoted\"&b=\\" ua="curl/8.5.0" 499 0B 153ms`,
		`2026-05-17T18:45:04 203.0.113.8 400 157B`,
		`2026-05-17T18:45:04 203.0.113.9 408 0B`,
		`2026-05-17T18:45:05 203.0.113.9 ="GET" host="tv.example" path="/" ua="Mozilla/5.0" ja4="t13d1516h2_8daaf6152771_b186095e22b6" 200 612B 12ms`,
	},
	Apache: {
		`2026-10-10T20:55:36 198.51.100.23 ="GET" host="tv.example" path="/apache_pb.gif" ua="Mozilla/4.08 [en] (Win98; I ;Nav)" ref="http://www.example.com/start.html" user="bob" 200 2326B`,
		`2026-10-10T20:55:36 198.51.100.23 ="GET" path="/apache_pb.gif" user="frank" 200 2326B`,
		`2026-10-10T20:55:36 198.51.100.23 ="GET" path="/x" 304`,
	},
	IngressNginx: {
		`2026-07-02T19:00:01 198.51.100.4 ="GET" path="/catalogue" query="page=2" ua="okhttp/4.12.0" ref="https://tv.example/" svc="web-catalogue-80" 200 5120B 3ms`,
		`2026-07-02T19:00:01 198.51.100.4 ="GET" path="/down" ua="okhttp/4.12.0" svc="web-catalogue-80" 502 150B 5.003s`,
	},
	Envoy: {
		`2026-04-15T20:17:00.31 10.0.35.28 ="POST" host="locations.example" path="/api/v1/locations" query="x=1" ua="nsq2http" 204 0B 226ms`,
		`2026-04-15T20:17:01 10.44.1.23 ="GET" host="httpbin" path="/status/418" ua="curl/7.73.0-DEV" svc="httpbin.foo.svc.cluster.local" 418 135B 4ms`,
	},
	ALB: {
		`2026-07-02T22:23:00.186641 192.0.2.131 ="GET" host="www.example.com" path="/watch" query="v=1" ua="curl/7.46.0" svc="my-targets" 200 366B 1ms`,
		`2026-07-02T22:23:00.186641 192.0.2.131 ="GET" host="www.example.com" path="/" ua="curl/7.46.0" svc="my-targets" 460 366B`,
	},
	CloudFront: {
		"line is a log header",
		"line is a log header",
		`2026-12-04T21:02:31 192.0.2.100 ="GET" host="tv.example" path="/index.html" query="x=1&y=2" ua="Mozilla/5.0 (Windows NT 10.0; Win64; x64)" 200 392B 1ms`,
	},
	CloudFrontRealtime: {
		`2026-06-15T19:03:08.384 2001:db8::41 ="GET" host="tv.example" path="/live/seg.ts" query="n=3" ua="AppleTV/16 (1)" 206 1500B 52ms`,
	},
	Traefik: {
		`2026-12-08T09:16:05 198.51.100.41 ="GET" path="/upload.asp" query="test=toto" ua="Nikto" svc="shop@docker" user="carol" 200 405B 12ms`,
		`2026-12-08T09:16:05.123456789 198.51.100.41 ="GET" host="shop.example" path="/basket" query="id=7" ua="curl/8.5.0" svc="shop-svc@docker" user="carol" 200 1024B 2.546ms`,
	},
	HAProxy: {
		`2026-02-06T12:14:14.655 10.0.1.2 ="GET" path="/index.html" query="a=b" svc="static" 200 2750B 109ms`,
		`2026-02-06T12:14:14.655 2001:db8::9 svc="http-in" 408 212B 5.001s`,
	},
	Caddy: {
		`2026-06-15T19:03:08.9626286 198.51.100.72 ="GET" host="tv.example" path="/a/b" query="c=d" ua="curl/7.88.1" user="dave" 401 51B 33.987µs`,
	},
	JSON: {
		`2026-05-17T18:45:03 198.51.100.81 ="GET" host="tv.example" path="/q" query="a=\"b\"" ua="Mozilla/5.0 é" svc="web-80" 200 512B 250ms`,
		`2026-12-31T16:37:40.479 198.51.100.12 ="GET" host="www.example.com" path="/assets/image.webp" ua="Mozilla/4.0" svc="app.default.svc.cluster.local" 200 121258B 11ms`,
		`2026-05-17T18:45:03.123 198.51.100.91 ="PUT" host="up.example" path="/up" query="k=v" ua="ecs/1" svc="uploads" user="erin" 201 7B 1.5ms`,
		`2026-06-15T19:03:08.384 198.51.100.92 ="GET" path="/p" ua="otel/1" 200 15ms`,
	},
}

func read(t *testing.T, p *Parser, line string) string {
	t.Helper()
	var r request.Request
	if err := p.Parse([]byte(line), &r); err != nil {
		var empty request.Request
		empty.Reset()
		if diff := cmp.Diff(show(&empty), show(&r)); diff != "" {
			t.Errorf("a line in error left a request: %s", diff)
		}
		return err.Error()
	}
	return show(&r)
}

func newParser(t testing.TB, f Format, o Options) *Parser {
	t.Helper()
	p, err := New(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEachFormatIsReadByItsName(t *testing.T) {
	for f, lines := range samples {
		p := newParser(t, f, Options{})
		for i, line := range lines {
			if diff := cmp.Diff(samplesRead[f][i], read(t, p, line)); diff != "" {
				t.Errorf("%s line %d (-want +got):\n%s", f, i, diff)
			}
		}
	}
}

func TestAutoReadsEachFormatAsItsNameDoesAndSaysWhich(t *testing.T) {
	for f, lines := range samples {
		p := newParser(t, Auto, Options{})
		for i, line := range lines {
			if diff := cmp.Diff(samplesRead[f][i], read(t, p, line)); diff != "" {
				t.Errorf("%s line %d (-want +got):\n%s", f, i, diff)
			}
		}
		if got := p.Format(); got != f {
			t.Errorf("%s was taken for %s", f, got)
		}
		var raw [][]byte
		for _, l := range lines {
			raw = append(raw, []byte(l))
		}
		if got, share := Detect(raw); got != f || share <= 0 {
			t.Errorf("Detect took %s for %s (%.2f)", f, got, share)
		}
	}
}

func TestFieldsThatOthersParsedAreReadByTheSameNames(t *testing.T) {
	p := newParser(t, Auto, Options{})
	var r request.Request
	p.BeginFields() // as Fluent Bit's nginx parser names them
	for k, v := range map[string]string{
		"remote": "198.51.100.1", "user": "-", "method": "GET", "path": "/a?b=c", "referer": "-", "agent": `say \"hi\"`, "host": "-",
		"time": "17/May/2026:20:45:03 +0200",
	} {
		p.TextField(k, []byte(v))
	}
	p.IntField("code", 404)
	p.IntField("size", 77)
	p.FloatField("request_time", 0.25)
	p.TextField("kubernetes.pod_name", []byte("x"))
	if err := p.EndFields(&r); err != nil {
		t.Fatal(err)
	}
	if want := `2026-05-17T18:45:03 198.51.100.1 ="GET" path="/a" query="b=c" ua="say \\\"hi\\\"" 404 77B 250ms`; show(&r) != want {
		t.Errorf("\n got %s\nwant %s", show(&r), want)
	}
	p.BeginFields()
	p.TextField("message", []byte("started"))
	p.TextField("path", []byte("/etc/passwd"))
	if err := p.EndFields(&r); err != ErrNotRequest {
		t.Errorf("a message was taken for a request: %v %s", err, show(&r))
	}
	addr, uri := []byte("198.51.100.1"), []byte("/")
	if n := testing.AllocsPerRun(50, func() {
		p.BeginFields()
		p.TextField("remote_addr", addr)
		p.IntField("status", 200)
		p.TextField("uri", uri)
		_ = p.EndFields(&r)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNoKeyHasTwoMeanings(t *testing.T) {
	seen := map[string]jsonField{}
	for f, names := range wellKnown {
		for _, n := range strings.Fields(names) {
			if other, twice := seen[n]; twice {
				t.Errorf("%s means %d and %d", n, f, other)
			}
			if n != string(appendKey(nil, []byte(n))) {
				t.Errorf("%s is not in the form in which keys are compared", n)
			}
			seen[n] = f
		}
	}
}
