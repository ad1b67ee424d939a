package replay

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/request"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden files hold lines from several moments: any change of the generator
// that changes what a seed gives shows here.
func TestAFewLinesAreAsTheyWere(t *testing.T) {
	for _, tc := range []struct {
		scenario string
		format   Format
	}{{"semi-final", Combined}, {"kickoff-stuffing", JSON}, {"news-scan", Timed}, {"shop-flood", Ingress}, {"slowloris", Timed}} {
		g := generator(t, scenario(t, tc.scenario), Options{Seed: 7, Scale: 0.01})
		l := LineWriter{Format: tc.format}
		var got []byte
		var ev Event
		for g.Next(&ev) {
			if n := g.Truth().Lines; n <= 6 || n%5000 == 0 && n <= 40_000 {
				got = l.Append(got, &ev)
			}
		}
		path := filepath.Join("testdata", tc.scenario+".log")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, got, 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-golden +made):\n%s", tc.scenario, d)
		}
	}
}

func TestEachFormatIsReadBackAsItWasMeant(t *testing.T) {
	for _, format := range Formats {
		name := map[Format]string{Combined: "combined", Timed: "combined", Ingress: "ingress-nginx", JSON: "json"}[format]
		f, err := accesslog.ParseFormat(name)
		require.NoError(t, err)
		p, err := accesslog.New(f, accesslog.Options{})
		require.NoError(t, err)
		g := generator(t, scenario(t, "kickoff-stuffing"), Options{Seed: 3, Scale: 0.005})
		l := LineWriter{Format: format}
		var ev Event
		var line []byte
		for g.Next(&ev) {
			line = l.Append(line[:0], &ev)
			var got request.Request
			got.Reset()
			if err := p.Parse(line[:len(line)-1], &got); err != nil {
				t.Fatalf("%s: %v\n%s", format, err, line)
			}
			same := got.Client == ev.Client && bytes.Equal(got.Method, ev.Method) && bytes.Equal(got.Path, ev.Path) && bytes.Equal(got.Query, ev.Query) &&
				bytes.Equal(got.UserAgent, ev.UserAgent) && bytes.Equal(got.Referer, ev.Referer) && got.Status == ev.Status && got.Bytes == ev.Bytes && got.UnixNano/1e9 == ev.UnixNano/1e9
			if format != Combined {
				same = same && got.Duration == ev.Duration.Truncate(time.Millisecond)
			}
			if format == JSON {
				same = same && bytes.Equal(got.Account, ev.Account) && bytes.Equal(got.Host, ev.Host) && got.UnixNano/1e6 == ev.UnixNano/1e6
			}
			if !same {
				t.Fatalf("%s: read %+v\nof %s", format, got, line)
			}
		}
	}
}

func TestEachLineHasItsLabel(t *testing.T) {
	for _, name := range []string{"labels.csv", "labels.csv.gz"} {
		path := filepath.Join(t.TempDir(), name)
		g := generator(t, scenario(t, "kickoff-flood"), Options{Seed: 3, Scale: 0.005})
		labels, err := CreateLabels(path, g.Truth())
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, Run(t.Context(), g, NewLines(&out, Combined), labels, Pace{}))
		require.NoError(t, labels.Close(g.Truth()))

		file, err := os.Open(path)
		require.NoError(t, err)
		defer file.Close()
		var r io.Reader = file
		if strings.HasSuffix(name, ".gz") {
			r, err = gzip.NewReader(file)
			require.NoError(t, err)
		}
		rows, err := csv.NewReader(r).ReadAll()
		require.NoError(t, err)
		require.Equal(t, []string{"line", "label", "class", "attack_id"}, rows[0])
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		require.Len(t, rows, len(lines)+1)

		// The same run once more says what each line is.
		again := generator(t, scenario(t, "kickoff-flood"), Options{Seed: 3, Scale: 0.005})
		w := LineWriter{Format: Combined}
		var ev Event
		attacks := int64(0)
		for i := 0; again.Next(&ev); i++ {
			want := []string{"legit", ev.Class.String(), ""}
			if ev.Attack >= 0 {
				attacks++
				want = []string{"attack", "http_flood", "a1"}
			}
			if d := cmp.Diff(want, rows[i+1][1:]); d != "" || lines[i]+"\n" != string(w.Append(nil, &ev)) {
				t.Fatalf("line %d: %s\n%s", i+1, d, lines[i])
			}
		}
		text, err := os.ReadFile(path + TruthSuffix)
		require.NoError(t, err)
		var truth Truth
		require.NoError(t, json.Unmarshal(text, &truth))
		if d := cmp.Diff(*g.Truth(), truth); d != "" {
			t.Errorf("the truth beside the labels: %s", d)
		}
		a := truth.Attacks[0]
		if a.Requests != attacks || truth.Lines != int64(len(lines)) || rows[a.FirstLine][1] != "attack" || rows[a.LastLine][1] != "attack" {
			t.Errorf("truth %+v", truth)
		}
		if got, want := truth.SecondOf(a.FirstLine), int(a.FirstRequest.Sub(truth.Start).Seconds()); got != want {
			t.Errorf("the first attack line is in second %d, want %d", got, want)
		}
	}
}
