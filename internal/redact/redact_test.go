package redact

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func corpus(t testing.TB, name string) []string {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var lines []string
	for l := range strings.Lines(string(body)) {
		if l = strings.TrimSuffix(l, "\n"); !strings.HasPrefix(l, "#") {
			lines = append(lines, l)
		}
	}
	return lines
}

func TestEachSecretIsReplacedAndNothingAroundIt(t *testing.T) {
	lines := corpus(t, "true.txt")
	require.Zero(t, len(lines)%2)
	for i := 0; i < len(lines); i += 2 {
		var c Counts
		got := Text(lines[i], All, &c)
		if d := cmp.Diff(lines[i+1], got); d != "" {
			t.Errorf("%s: %s", lines[i], d)
		}
		if n := strings.Count(got, mark); n != c.Tokens+c.Cards+c.Emails+c.URLs {
			t.Errorf("%s: counted %+v", lines[i], c)
		}
		if again := Text(got, All, &c); again != got {
			t.Errorf("%s: a second time makes %s of it", lines[i], again)
		}
		if json.Valid([]byte(lines[i])) != json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON any more", got)
		}
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	for _, l := range corpus(t, "false.txt") {
		var c Counts
		if d := cmp.Diff(l, Text(l, All, &c)); d != "" {
			t.Error(d)
		}
		require.Zero(t, c)
	}
}

func TestOnlyWhatWasAskedForIsLookedFor(t *testing.T) {
	in := "password=a1 4111111111111111 ana@example.com https://u:p@h/?code=1"
	for kind, want := range map[Kind]string{
		0:      in,
		Tokens: "password=REDACTED-SECRET 4111111111111111 ana@example.com https://u:p@h/?code=1",
		Cards:  "password=a1 REDACTED-CARD ana@example.com https://u:p@h/?code=1",
		Emails: "password=a1 4111111111111111 REDACTED-EMAIL https://u:p@h/?code=1",
		URLs:   "password=a1 4111111111111111 ana@example.com https://REDACTED-SECRET@h/?code=REDACTED-SECRET",
	} {
		var c Counts
		if d := cmp.Diff(want, Text(in, kind, &c)); d != "" {
			t.Errorf("%s: %s", Names[kind], d)
		}
	}
	_, err := Parse([]string{"cards", "iban"})
	require.ErrorContains(t, err, `(got "iban")`)
	all, err := Parse([]string{"urls", "tokens", "cards", "emails"})
	require.NoError(t, err)
	require.Equal(t, All, all)
}

func TestAnAttributeNamedAsASecretIsHiddenWhole(t *testing.T) {
	var c Counts
	require.Equal(t, secret, Value("http.request.header.authorization", "what ever", All, &c))
	require.Equal(t, "x=1", Value("url.query", "x=1", All, &c))
	require.Equal(t, "code=REDACTED-SECRET&x=1", Value("url.query", "code=7&x=1", All, &c))
	require.Equal(t, "what ever", Value("db.password", "what ever", Cards, &c))
	require.Equal(t, Counts{Tokens: 1, URLs: 1}, c)
}

func FuzzATextIsChangedOnlyWhereSomethingWasCounted(f *testing.F) {
	for _, name := range []string{"true.txt", "false.txt"} {
		for _, l := range corpus(f, name) {
			f.Add(l)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		var first, second Counts
		once := Text(s, All, &first)
		if first == (Counts{}) != (once == s) {
			t.Fatalf("%q became %q and %+v was counted", s, once, first)
		}
		if again := Text(once, All, &second); len(again) > len(once)+len(s) {
			t.Fatalf("%q became %q and then %q", s, once, again)
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, line := range lines() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			var c Counts
			for b.Loop() {
				Text(line, All, &c)
			}
		})
	}
}

func lines() map[string]string {
	return map[string]string{
		"access": `203.0.113.9 - - [14/Jun/2026:19:00:00 +0000] "GET /live/1.m3u8?quality=hd&seq=1234567890 HTTP/1.1" 200 51234 "https://tv.example.com/final" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`,
		"json":   `{"time":"2026-06-14T19:00:00.123Z","level":"info","msg":"segment served","channel":"tv1","bytes":51234,"took_ms":12,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}`,
		"secret": `203.0.113.9 - ana@example.com [14/Jun/2026:19:00:00 +0000] "GET /live/1.m3u8?token=abcdef0123456789&seq=1 HTTP/1.1" 200 51234 "-" "player/1"`,
	}
}
