package demo

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// ran is the directory of a demo that has run, with its report beside it.
func ran(t *testing.T) (dir string, truth replay.Truth) {
	t.Helper()
	dir = os.Getenv("VIGIE_DEMO_RAN")
	if dir == "" {
		t.Skip("VIGIE_DEMO_RAN names no demo that has run; DEMO_CHECK=1 make demo sets it")
	}
	text, err := os.ReadFile(filepath.Join(dir, "truth.csv.truth.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &truth))
	require.Len(t, truth.Attacks, 2, "the demo was ended early")
	return dir, truth
}

// lines calls do with each JSON line of a file.
func lines[T any](t *testing.T, path string, do func(T)) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 8<<20)
	for in.Scan() {
		var v T
		require.NoError(t, json.Unmarshal(in.Bytes(), &v), path)
		do(v)
	}
	require.NoError(t, in.Err())
}

// turn is a verdict that the room showed from At on.
type turn struct {
	at time.Time
	to string
}

func turns(t *testing.T, dir string) (out []turn) {
	lines(t, filepath.Join(dir, "data", "store", "room", "timeline.ndjson"), func(e timeline.Entry) {
		if e.Kind == timeline.Verdict {
			_, to, ok := strings.Cut(e.Text, " → ")
			require.True(t, ok, e.Text)
			out = append(out, turn{e.At, to})
		}
	})
	return out
}

func TestTheDemoThatRanTurnedTheVerdictWithinFiveSecondsAndNotAtKickOff(t *testing.T) {
	dir, truth := ran(t)
	shown := turns(t, dir)
	attacked := func(v string) bool { return v == "attack" || v == "mixed" }
	first := truth.Attacks[0].FirstRequest
	crowd := false
	for _, x := range shown {
		if x.at.Before(first) {
			require.False(t, attacked(x.to), "%s at %s, before any attack", x.to, x.at)
			crowd = crowd || x.to == "crowd"
		}
	}
	require.True(t, crowd, "kick-off is a crowd")
	for _, a := range truth.Attacks {
		after, before := time.Duration(-1), ""
		for _, x := range shown {
			if x.at.Before(a.FirstRequest) {
				before = x.to
			}
			if d := x.at.Sub(a.FirstRequest); attacked(x.to) && d >= 0 && after < 0 {
				after = d
				t.Logf("%s: %s after %.1f s", a.Class, x.to, d.Seconds())
			}
		}
		require.False(t, attacked(before), "%s has not begun", a.ID)
		require.GreaterOrEqual(t, after, time.Duration(0), "%s was never seen", a.ID)
		require.LessOrEqual(t, after, 5*time.Second, a.ID)
	}
}

func TestTheReportOfTheDemoThatRanShowsBothAttacksAndAsksNobody(t *testing.T) {
	dir, truth := ran(t)
	found := map[string]bool{}
	lines(t, filepath.Join(dir, "event.ndjson"), func(l struct {
		Type string `json:"type"`
		Data struct {
			Class string `json:"class"`
		} `json:"data"`
	}) {
		if l.Type == "finding" {
			found[l.Data.Class] = true
		}
	})
	text, err := os.ReadFile(filepath.Join(dir, "event.html"))
	require.NoError(t, err)
	html := string(text)
	for _, a := range truth.Attacks {
		require.True(t, found[a.Class], "%s is not among %v", a.Class, found)
	}
	require.Contains(t, html, "2 attacks on 1 service")
	for _, wrong := range []string{"<script", "http://", "https://", "src=", "@import"} {
		require.NotContains(t, html, wrong, "it opens offline")
	}
}
