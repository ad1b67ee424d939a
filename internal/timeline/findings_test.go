package timeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/timeline"
)

func flood(id string, status finding.Status, after time.Duration) finding.Finding {
	f := finding.Finding{
		ID: id, Class: finding.HTTPFlood, Service: "player", Status: status, Confidence: 0.9, Requests: uint64(after.Seconds() * 1000),
		StartedAt: kickOff, DetectedAt: kickOff.Add(2 * time.Second), UpdatedAt: kickOff.Add(after),
		Actors: []finding.Actor{{Kind: finding.KindUserAgent, Value: "<script>alert(1)</script>", Share: 1}},
	}
	if status == finding.Closed {
		f.ClosedAt = kickOff.Add(after)
	}
	f.Bound()
	return f
}

func openFindings(t *testing.T, path string, limit int) (*timeline.Findings, []finding.Finding) {
	t.Helper()
	k, known, err := timeline.OpenFindings(path, limit)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k, known
}

func TestFindingsAreThereAfterAKillAsTheyWereLastTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "room", "findings.ndjson")
	k, known := openFindings(t, path, 10)
	require.Empty(t, known)
	none := func() []finding.Finding { t.Error("nothing is to be compacted"); return nil }
	over, open := flood("a", finding.Closed, time.Minute), flood("b", finding.Update, time.Minute)
	require.NoError(t, k.Put(flood("a", finding.Open, 0), kickOff, none))
	require.NoError(t, k.Put(flood("b", finding.Open, 0), kickOff, none))
	require.NoError(t, k.Put(over, kickOff.Add(time.Minute), none))
	require.NoError(t, k.Put(open, kickOff.Add(time.Minute), none))
	// Not closed: as after a kill.
	_, known = openFindings(t, path, 10)
	if diff := cmp.Diff([]finding.Finding{over, open}, known); diff != "" {
		t.Error(diff)
	}
	read, broken, err := timeline.ReadFindings(path)
	require.NoError(t, err)
	require.Zero(t, broken)
	require.Len(t, read, 2)
}

func TestUpdatesThatCrowdAreWrittenOnceInFiveSecondsAndAtTheClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	k, _ := openFindings(t, path, 10)
	lines := func() int {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return strings.Count(string(text), "\n")
	}
	require.NoError(t, k.Put(flood("a", finding.Open, 0), kickOff, nil))
	for s := range 12 {
		at := time.Duration(s+1) * time.Second / 4
		require.NoError(t, k.Put(flood("a", finding.Update, at), kickOff.Add(at), nil))
	}
	require.Equal(t, 1, lines())
	require.NoError(t, k.Put(flood("b", finding.Open, 0), kickOff.Add(6*time.Second), nil))
	require.Equal(t, 3, lines(), "another's word takes along what waited for long enough")
	require.NoError(t, k.Put(flood("a", finding.Update, 7*time.Second), kickOff.Add(7*time.Second), nil))
	require.NoError(t, k.Close())
	_, known := openFindings(t, path, 10)
	require.Equal(t, kickOff.Add(7*time.Second), known[0].UpdatedAt)
}

func TestALineThatAKillToreIsCountedAndDoesNotSwallowTheNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	k, _ := openFindings(t, path, 10)
	require.NoError(t, k.Put(flood("whole", finding.Open, 0), kickOff, nil))
	require.NoError(t, k.Close())
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("\x00\x00\n[]\n{\"id\":\"no status\"}\n" + strings.Repeat("x", 9<<20) + "\n" + `{"id":"torn","status":"op`)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	k, known := openFindings(t, path, 10)
	require.Len(t, known, 1)
	broken, failed := k.Counts()
	require.Equal(t, 5, broken)
	require.Zero(t, failed)
	require.NoError(t, k.Put(flood("next", finding.Open, 0), kickOff, nil))
	require.NoError(t, k.Close())
	k, known = openFindings(t, path, 10)
	require.Len(t, known, 2)
	broken, _ = k.Counts()
	require.Zero(t, broken, "the file was made whole")
}

func TestTheFileIsRewrittenBeforeItGrowsForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	k, _ := openFindings(t, path, 10)
	last := map[string]finding.Finding{}
	live := func() []finding.Finding {
		var out []finding.Finding
		for i := range 5 {
			out = append(out, last[fmt.Sprint(i)])
		}
		return out
	}
	large := finding.Rule{Kind: "ip_set", Action: finding.ActionBlock, Match: []finding.Condition{{Field: "client.address", Op: finding.OpIn, Values: make([]string, 2000)}}}
	for i := range large.Match[0].Values {
		large.Match[0].Values[i] = fmt.Sprintf("203.0.%d.%d/32", i/256, i%256)
	}
	for i := range 600 {
		f := flood(fmt.Sprint(i%5), finding.Update, time.Duration(i)*time.Minute)
		f.Rules = []finding.Rule{large}
		last[f.ID] = f
		require.NoError(t, k.Put(f, kickOff.Add(time.Duration(i)*time.Minute), live))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(timeline.CompactBytes+1<<20))
	}
	_, known := openFindings(t, path, 3)
	require.Len(t, known, 3, "the newest")
	for _, f := range known {
		require.Equal(t, last[f.ID].UpdatedAt, f.UpdatedAt)
	}
}

func TestAWordThatCannotBeWrittenIsCounted(t *testing.T) {
	k, _ := openFindings(t, filepath.Join(t.TempDir(), "f"), 10)
	require.NoError(t, k.Close())
	require.NoError(t, k.Close())
	require.ErrorIs(t, k.Put(flood("a", finding.Open, 0), kickOff, nil), os.ErrClosed)
	_, failed := k.Counts()
	require.EqualValues(t, 1, failed)
}
