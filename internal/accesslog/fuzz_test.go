package accesslog

import (
	"bytes"
	"testing"

	"github.com/vigie-otel/vigie/internal/request"
)

// fuzz checks what must hold whatever the bytes are: no panic, the line
// untouched, an empty request with each error, plausible numbers in each
// success, and the same answer when the line is read again.
func fuzz(f *testing.F, format Format) {
	for of, lines := range samples {
		if of != format && format != Auto {
			continue
		}
		for _, l := range lines {
			f.Add([]byte(l))
			f.Add([]byte(l[:len(l)/2]))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		p := newParser(t, format, Options{})
		before := bytes.Clone(line)
		var r, again request.Request
		err := p.Parse(line, &r)
		first := show(&r)
		if !bytes.Equal(before, line) {
			t.Fatal("the line was written to")
		}
		if err != nil {
			var empty request.Request
			if empty.Reset(); first != show(&empty) {
				t.Fatalf("error %v left %s", err, first)
			}
			return
		}
		if r.Status < 0 || r.Status > 999 || r.Bytes < request.Unknown || r.Duration < request.Unknown {
			t.Fatalf("implausible: %s", first)
		}
		if err := p.Parse(line, &again); err != nil || show(&again) != first {
			t.Fatalf("read differently the second time: %s, %v\n%s", show(&again), err, first)
		}
	})
}

func FuzzAuto(f *testing.F)               { fuzz(f, Auto) }
func FuzzNginx(f *testing.F)              { fuzz(f, Nginx) }
func FuzzApache(f *testing.F)             { fuzz(f, Apache) }
func FuzzIngressNginx(f *testing.F)       { fuzz(f, IngressNginx) }
func FuzzEnvoy(f *testing.F)              { fuzz(f, Envoy) }
func FuzzALB(f *testing.F)                { fuzz(f, ALB) }
func FuzzCloudFront(f *testing.F)         { fuzz(f, CloudFront) }
func FuzzCloudFrontRealtime(f *testing.F) { fuzz(f, CloudFrontRealtime) }
func FuzzTraefik(f *testing.F)            { fuzz(f, Traefik) }
func FuzzHAProxy(f *testing.F)            { fuzz(f, HAProxy) }
func FuzzCaddy(f *testing.F)              { fuzz(f, Caddy) }
func FuzzJSON(f *testing.F)               { fuzz(f, JSON) }
