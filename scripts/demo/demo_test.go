// Package demo holds the rehearsal's scenario to what `make demo` promises.
package demo

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/request"
)

// course is the verdict of each second of the scenario, and the findings in their
// final state, by the detector alone.
func course(t *testing.T, seed uint64) (verdicts []finding.Verdict, found map[string]finding.Finding, truth *replay.Truth) {
	t.Helper()
	text, err := os.ReadFile("match.yaml")
	require.NoError(t, err)
	scenario, err := replay.Parse(text)
	require.NoError(t, err)
	g, err := replay.New(scenario, replay.Options{Seed: seed, Scale: 1})
	require.NoError(t, err)
	d, err := detect.New(detect.Config{})
	require.NoError(t, err)
	format, err := accesslog.ParseFormat("combined")
	require.NoError(t, err)
	parser, err := accesslog.New(format, accesslog.Options{})
	require.NoError(t, err)
	lines := replay.LineWriter{Format: replay.Combined}
	service := g.Service()
	second := g.Start().Unix()
	found = map[string]finding.Finding{}
	var ev replay.Event
	var r request.Request
	var line []byte
	for g.Next(&ev) {
		for ; second < ev.UnixNano/1e9; second++ {
			for _, f := range d.Tick(time.Unix(second+1, 0).UTC()) {
				found[f.ID] = f
			}
			status, _ := d.Status(service)
			verdicts = append(verdicts, status.Verdict)
		}
		line = lines.Append(line[:0], &ev)
		r.Reset()
		require.NoError(t, parser.Parse(line[:len(line)-1], &r))
		r.Service = []byte(service)
		d.Observe(&r)
	}
	return verdicts, found, g.Truth()
}

// The seeds are those that a baseline of one minute once misled, and the first, which
// `make demo` runs.
func TestTheRehearsalTurnsWithinFiveSecondsOfEachAttackAndNeverAtKickOff(t *testing.T) {
	if testing.Short() {
		t.Skip("six minutes of traffic through the detector, for each seed")
	}
	for _, seed := range []uint64{1, 5, 6, 7, 9, 11, 12} {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { rehearse(t, seed) })
	}
}

func rehearse(t *testing.T, seed uint64) {
	verdicts, found, truth := course(t, seed)
	require.Len(t, truth.Attacks, 2)
	second := func(at time.Time) int { return int(at.Sub(truth.Start).Seconds()) }
	attacked := func(v finding.Verdict) bool { return v == finding.Attack || v == finding.Mixed }
	first := second(truth.Attacks[0].FirstRequest)
	crowd := false
	for s, v := range verdicts[:first] {
		require.False(t, attacked(v), "%s at second %d, before any attack", v, s)
		crowd = crowd || v == finding.Crowd
	}
	require.True(t, crowd, "kick-off is a crowd")
	for _, a := range truth.Attacks {
		from := second(a.FirstRequest)
		require.False(t, attacked(verdicts[from-1]), "%s has not begun", a.ID)
		require.True(t, attacked(verdicts[from+5]), "%s: %v", a.ID, verdicts[from:from+10])
	}
	var told []string
	for _, f := range found {
		stuffing := f.StartedAt.After(truth.Attacks[0].LastRequest)
		require.Equal(t, stuffing, f.Class == finding.CredentialStuffing, "%s from %s", f.Class, f.StartedAt)
		told = append(told, string(f.Class))
	}
	require.Len(t, told, 2, "one attack is one finding")
}
