package grafanaexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/exporters/grafanaexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/event"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/grafanafake"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// bench is one exporter before one fake Grafana, in a bubble of its own time.
type bench struct {
	t     *testing.T
	fake  *grafanafake.Server
	disk  *disk
	cfg   *Config
	token string
	g     *grafana
}

func inBubble(t *testing.T, test func(t *testing.T, b *bench), change ...func(*Config)) {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("secret\n"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint, cfg.TokenFile = "http://grafana.test/", token
		id := component.MustNewID("disk")
		cfg.Storage = &id
		for _, c := range change {
			c(cfg)
		}
		require.NoError(t, cfg.Validate())
		b := &bench{t: t, fake: grafanafake.New("secret"), disk: &disk{data: map[string][]byte{}}, cfg: cfg, token: token}
		b.start()
		test(t, b)
		b.stop()
	})
}

func (b *bench) start() {
	b.t.Helper()
	b.g = newGrafana(exportertest.NewNopSettings(metadata.Type), b.cfg)
	b.g.transport = b.fake.Transport()
	require.NoError(b.t, b.g.Start(b.t.Context(), host{b.disk}))
}

func (b *bench) stop() {
	b.t.Helper()
	require.NoError(b.t, b.g.Shutdown(context.Background()))
	require.NoError(b.t, b.g.Shutdown(context.Background()), "twice is safe")
}

// kill stops without a last word: what kill -9 leaves.
func (b *bench) kill() {
	b.g.stop()
	b.g.work.Wait()
	require.NoError(b.t, b.g.metric.Unregister())
	b.g.stop = nil
}

func (b *bench) tell(fs ...finding.Finding) {
	b.t.Helper()
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, f := range fs {
		f.ToLogRecord(records.AppendEmpty())
	}
	records.AppendEmpty().Body().SetStr("GET / 200") // nobody's finding
	require.NoError(b.t, b.g.consume(b.t.Context(), ld))
}

func (b *bench) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

type host struct{ disk *disk }

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("disk"): h.disk}
}

// disk is a storage extension in memory.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	mu   sync.Mutex
	data map[string][]byte
	full bool // takes nothing

	unreadable error
	closed     int
}

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return d, nil
}

func (d *disk) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := d.Batch(ctx, op)
	return op.Value, errors.Join(err, d.unreadable)
}

func (d *disk) Set(ctx context.Context, key string, v []byte) error {
	return d.Batch(ctx, storage.SetOperation(key, v))
}

func (d *disk) Delete(ctx context.Context, key string) error {
	return d.Batch(ctx, storage.DeleteOperation(key))
}

func (d *disk) Batch(_ context.Context, ops ...*storage.Operation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full && slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type != storage.Get }) {
		return errors.New("no space left on device")
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = d.data[op.Key]
		case storage.Set:
			d.data[op.Key] = op.Value
		case storage.Delete:
			delete(d.data, op.Key)
		}
	}
	return nil
}

func (d *disk) Close(context.Context) error {
	d.closed++
	return nil
}

func flood(service string, at time.Time) finding.Finding {
	f := finding.Finding{
		Class: finding.HTTPFlood, Service: service, Status: finding.Open, Confidence: 0.94,
		StartedAt: at, DetectedAt: at.Add(3 * time.Second), Requests: 1000,
		Evidence: []finding.Evidence{{Dimension: "new_client_share", Value: 0.97, Normal: 0.31, Points: finding.For, Note: "almost all <b>clients</b> are new"}},
		Actors:   []finding.Actor{{Kind: finding.KindPrefix, Value: "203.0.113.0/24", Share: 0.7}},
		Rules:    []finding.Rule{{Kind: "ip_set", Action: finding.ActionBlock, Coverage: 0.93, LegitimateHit: 0.001}},
	}
	f.ID = finding.NewID(f.Class, f.Service, f.StartedAt, 7)
	return f
}

func updated(f finding.Finding, at time.Time, requests uint64) finding.Finding {
	f.Status, f.UpdatedAt, f.Requests = finding.Update, at, requests
	return f
}

func closed(f finding.Finding, at time.Time) finding.Finding {
	f.Status, f.UpdatedAt, f.ClosedAt = finding.Closed, at, at
	return f
}

func TestAFindingIsARegionThatOpensGrowsAndCloses(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		start := time.Now()
		f := flood("player", start)
		b.tell(f)
		b.after(time.Second)
		a := b.fake.Annotations()
		require.Len(t, a, 1)
		require.True(t, a[0].Region())
		require.Equal(t, start.UnixMilli(), a[0].Time)
		require.Equal(t, start.Add(5*time.Minute).UnixMilli(), a[0].TimeEnd, "it reaches past now")
		want := []string{"vigie", "kind:finding", "class:http_flood", "severity:high", "service:player", "vigie.finding.id:" + f.ID}
		if d := cmp.Diff(want, a[0].Tags); d != "" {
			t.Error(d)
		}
		require.Contains(t, a[0].Text, "HTTP flood on player, confidence 94 %")
		require.Contains(t, a[0].Text, "&lt;b&gt;clients", "what an attacker wrote is never HTML")
		require.NotContains(t, a[0].Text, "203.0.113", "clients are shown only where it is asked for")

		b.tell(updated(f, time.Now(), 5000))
		b.after(time.Second)
		require.NotContains(t, b.fake.Annotations()[0].Text, "5000", "an update waits for its interval")
		b.after(10 * time.Second)
		require.Contains(t, b.fake.Annotations()[0].Text, "5000 requests")

		b.after(20 * time.Minute)
		grown := b.fake.Annotations()[0].TimeEnd
		require.Greater(t, grown, time.Now().UnixMilli(), "an open region is ahead of now")
		require.LessOrEqual(t, grown, time.Now().Add(5*time.Minute).UnixMilli())

		end := time.Now()
		b.tell(closed(f, end))
		b.after(time.Millisecond)
		a = b.fake.Annotations()
		require.Len(t, a, 1)
		require.Equal(t, end.UnixMilli(), a[0].TimeEnd)
		require.Contains(t, a[0].Text, "closed")
		calls := len(b.fake.Requests())
		b.after(24 * time.Hour)
		require.Len(t, b.fake.Requests(), calls, "what is over costs nothing")
	})
}

func TestAFindingThatFallsSilentStopsGrowingAndGoesOnWithItsNextWord(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		f := flood("player", time.Now())
		b.tell(f)
		b.after(6 * time.Hour)
		end := time.UnixMilli(b.fake.Annotations()[0].TimeEnd)
		require.LessOrEqual(t, end.Sub(f.StartedAt), 36*time.Minute)
		require.GreaterOrEqual(t, end.Sub(f.StartedAt), 30*time.Minute)
		b.tell(updated(f, time.Now(), 9))
		b.after(time.Minute)
		require.Greater(t, b.fake.Annotations()[0].TimeEnd, time.Now().UnixMilli())
	})
}

func TestNothingIsLostWhileGrafanaIsAwayAndNothingComesTwice(t *testing.T) {
	for name, fault := range map[string]grafanafake.Fault{
		"connection refused": {Cut: true}, "answer lost": {CutAfter: true}, "401": {Status: 401}, "403": {Status: 403},
		"429": {Status: 429, RetryAfter: "7"}, "500": {Status: 500}, "503 with a page": {Status: 503, Body: "<html>"},
		"sign-in page": {Status: 302, Body: "<html>"}, "200 of a proxy": {Status: 200, Body: "<html>sign in"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				faults := slices.Repeat([]grafanafake.Fault{fault}, 10_000)
				b.fake.Inject(faults...)
				var all []finding.Finding
				for i := range 20 {
					f := flood(fmt.Sprintf("service-%02d", i), time.Now())
					all = append(all, f)
					b.tell(f)
					b.after(time.Minute)
					b.tell(updated(f, time.Now(), uint64(i)))
					if i%2 == 0 {
						b.tell(closed(f, time.Now()))
					}
				}
				b.after(time.Hour)
				b.fake.Heal()
				b.after(2 * time.Minute)
				a := b.fake.Annotations()
				require.Len(t, a, len(all))
				for i, f := range all {
					require.Contains(t, a[i].Tags, names.FindingID+":"+f.ID, "in the order in which they opened")
					require.Equal(t, i%2 == 0, strings.Contains(a[i].Text, "closed"))
				}
				require.Zero(t, b.g.counts.waiting.Load())
			})
		})
	}
}

func TestRetryAfterIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fake.Inject(grafanafake.Fault{Status: 429, RetryAfter: "90"})
		b.tell(flood("player", time.Now()))
		b.after(80 * time.Second)
		require.Len(t, b.fake.Requests(), 1)
		b.after(2 * time.Minute)
		require.Len(t, b.fake.Annotations(), 1)
	})
}

func TestARestartMakesNoSecondAnnotation(t *testing.T) {
	for name, wipe := range map[string]bool{"with its storage": false, "with an empty storage": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				f := flood("player", time.Now())
				b.tell(f)
				b.after(time.Second)
				b.kill()
				if wipe {
					clear(b.disk.data)
				}
				b.start()
				b.tell(f, updated(f, time.Now(), 7))
				b.after(time.Minute)
				b.tell(closed(f, time.Now()))
				b.after(time.Minute)
				require.Len(t, b.fake.Annotations(), 1)
				require.Contains(t, b.fake.Annotations()[0].Text, "closed")
			})
		})
	}
}

func TestAKillDuringAnOutageLosesNothingThatWasTold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fake.Inject(slices.Repeat([]grafanafake.Fault{{Cut: true}}, 1000)...)
		f := flood("player", time.Now())
		b.tell(f)
		b.after(time.Minute)
		b.tell(closed(f, time.Now()))
		b.kill()
		b.fake.Heal()
		b.start()
		b.after(time.Second)
		a := b.fake.Annotations()
		require.Len(t, a, 1)
		require.Equal(t, time.Minute.Milliseconds(), a[0].TimeEnd-a[0].Time)
	})
}

func TestAnOrderlyStopDeliversWhatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		f := flood("player", time.Now())
		b.tell(f)
		b.after(time.Second)
		b.tell(updated(f, time.Now(), 4711))
		b.stop()
		require.Contains(t, b.fake.Annotations()[0].Text, "4711")
		b.start()
	})
}

func TestAnOldWordDoesNotUndoANewerOne(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		f := flood("player", time.Now())
		b.tell(closed(f, time.Now().Add(time.Minute)), f, updated(f, time.Now().Add(2*time.Minute), 9))
		b.after(time.Minute)
		require.Contains(t, b.fake.Annotations()[0].Text, "closed")
	})
}

func TestAnExchangedTokenIsUsedAtOnceAndAMissingOneIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		require.NoError(t, os.Remove(b.token))
		b.tell(flood("player", time.Now()))
		b.after(time.Minute)
		require.Empty(t, b.fake.Requests(), "nothing is sent without the token")
		b.fake.SetToken("next")
		require.NoError(t, os.WriteFile(b.token, []byte("next"), 0o600))
		b.after(time.Minute)
		require.Len(t, b.fake.Annotations(), 1)
	})
}

func TestAnAnnotationThatSomebodyDeletedComesBackWithTheNextWord(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		f := flood("player", time.Now())
		b.tell(f)
		b.after(time.Second)
		b.fake.Delete(b.fake.Annotations()[0].ID)
		b.tell(closed(f, time.Now()))
		b.after(time.Second)
		a := b.fake.Annotations()
		require.Len(t, a, 1)
		require.Contains(t, a[0].Text, "closed")
	})
}

func TestWhatGrafanaRefusesForGoodDoesNotHoldUpTheRest(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fake.Inject(grafanafake.Fault{Delay: time.Second}, grafanafake.Fault{Status: 400})
		f := flood("player", time.Now())
		b.tell(f, flood("signin", time.Now().Add(time.Second)))
		b.after(time.Minute)
		require.Len(t, b.fake.Annotations(), 1)
		require.EqualValues(t, 1, b.g.counts.rejected.Load())
		b.tell(closed(f, time.Now()))
		b.after(time.Minute)
		require.Len(t, b.fake.Annotations(), 2, "its next word is tried again")
	})
}

func TestADashboardThatIsNotThereCostsNoAnnotation(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.tell(flood("player", time.Now()))
		b.after(time.Second)
		require.Empty(t, b.fake.Annotations()[0].DashboardUID)
		b.fake.AddDashboard("event")
		b.tell(flood("signin", time.Now()))
		b.after(time.Second)
		require.Equal(t, "event", b.fake.Annotations()[1].DashboardUID)
		require.EqualValues(t, 4, b.fake.Annotations()[1].PanelID)
	}, func(c *Config) { c.DashboardUID, c.PanelID = "event", 4 })
}

func TestTheTableHasALimitAndKeepsWhatIsOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		open := flood("kept", time.Now())
		b.tell(open)
		for i := range 50 {
			f := flood(fmt.Sprint(i), time.Now())
			b.tell(closed(f, time.Now()))
			b.after(time.Second)
		}
		require.EqualValues(t, 10, b.g.counts.known.Load())
		require.Zero(t, b.g.counts.full.Load(), "what Grafana has may be forgotten")
		require.Len(t, b.fake.Annotations(), 51)
		require.Contains(t, b.disk.data, names.FindingID+":"+open.ID)
		require.Len(t, b.disk.data, 11, "the storage forgets it too")
		require.Len(t, strings.Fields(string(b.disk.data[indexKey])), 10)

		b.fake.Inject(slices.Repeat([]grafanafake.Fault{{Cut: true}}, 1000)...)
		for i := range 30 {
			b.tell(flood("late-"+fmt.Sprint(i), time.Now()))
		}
		require.Positive(t, b.g.counts.full.Load(), "what goes before it was drawn is counted")
	}, func(c *Config) { c.MaxEntries = 10 })
}

func TestAFullDiskDoesNotStopTheDrawing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.full = true
		f := flood("player", time.Now())
		b.tell(f)
		b.after(time.Second)
		require.Len(t, b.fake.Annotations(), 1)
		b.disk.full = false
		b.tell(closed(f, time.Now()))
		b.after(time.Second)
		require.Contains(t, b.disk.data, names.FindingID+":"+f.ID)
	})
}

func TestAFullDiskDoesNotStopTheStart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.tell(flood("player", time.Now()), flood("signin", time.Now()), flood("search", time.Now()))
		b.after(time.Second)
		b.kill()
		b.disk.full = true
		b.cfg.MaxEntries = 1 // so that there is something to take out of the storage
		b.start()
		b.disk.full = false
	})
}

func TestAStorageThatCannotBeReadIsSaidAndLetGo(t *testing.T) {
	id := component.MustNewID("disk")
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint, cfg.Storage = "http://grafana.test/", &id
	d := &disk{unreadable: errors.New("input/output error")}
	g := newGrafana(exportertest.NewNopSettings(metadata.Type), cfg)
	require.ErrorIs(t, g.Start(t.Context(), host{d}), d.unreadable)
	require.NoError(t, g.Shutdown(context.Background()))
	require.Equal(t, 1, d.closed)
}

func TestEventsAreDrawnAsLinesAndRegionsAndMoveWhenTheyAreToldAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		match := event.Event{ID: event.NewID("m"), Kind: event.KindMatch, Title: "Semi-final", StartedAt: time.Now(), EndedAt: time.Now().Add(2 * time.Hour)}
		note := event.Event{ID: event.NewID("n"), Kind: "note", Title: "goal <1:0>", Text: "the stream held", Service: "player", Who: "Ann", StartedAt: time.Now()}
		tell := func(es ...event.Event) {
			ld := plog.NewLogs()
			records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			for _, e := range es {
				e.ToLogRecord(records.AppendEmpty())
			}
			require.NoError(t, b.g.consume(t.Context(), ld))
			b.after(time.Minute)
		}
		tell(match, note)
		a := b.fake.Annotations()
		require.Len(t, a, 2)
		byText := map[string]grafanafake.Annotation{}
		for _, x := range a {
			byText[x.Text] = x
		}
		require.True(t, byText["Semi-final"].Region())
		line := byText["goal &lt;1:0&gt;\nthe stream held\n— Ann"]
		require.False(t, line.Region())
		require.Equal(t, []string{"vigie", "kind:note", "service:player", names.EventID + ":" + note.ID}, line.Tags)

		match.StartedAt = match.StartedAt.Add(-15 * time.Minute)
		tell(match)
		require.Len(t, b.fake.Annotations(), 2)
		require.True(t, slices.ContainsFunc(b.fake.Annotations(), func(x grafanafake.Annotation) bool { return x.Time == match.StartedAt.UnixMilli() }))
	})
}

func TestTheCalendarIsDrawnAndMovedWhenItsFileChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "calendar.yaml")
	inBubble(t, func(t *testing.T, b *bench) {
		write := func(text string) {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			// The bubble's time is not the disk's: a size that differs is seen.
			b.after(2 * calendarLook)
		}
		require.Empty(t, b.fake.Annotations(), "a file that is not there is waited for")
		kickOff := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
		entry := func(at time.Time) string {
			return "events:\n  - name: Semi-final\n    kick_off: " + at.Format(time.RFC3339) + "\n    push_notifications: [{at: " + at.Add(-time.Hour).Format(time.RFC3339) + ", name: line-ups}]\n" +
				"  - {name: Last year's, kick_off: " + at.AddDate(-1, 0, 0).Format(time.RFC3339) + "}\n"
		}
		write(entry(kickOff))
		texts := map[string]grafanafake.Annotation{}
		for _, a := range b.fake.Annotations() {
			texts[a.Text] = a
		}
		require.Len(t, texts, 3, "the match, its half-time and the push; not last year's")
		match := texts["Semi-final"]
		require.Equal(t, kickOff.UnixMilli(), match.Time)
		require.Equal(t, 112*time.Minute.Milliseconds(), match.TimeEnd-match.Time)
		require.Contains(t, match.Tags, "kind:match")
		require.False(t, texts["Semi-final: line-ups"].Region())

		write(entry(kickOff.Add(15*time.Minute)) + "# delayed\n")
		require.Len(t, b.fake.Annotations(), 3, "moved, not drawn twice")
		for _, a := range b.fake.Annotations() {
			if a.Text == "Semi-final" {
				require.Equal(t, kickOff.Add(15*time.Minute).UnixMilli(), a.Time)
			}
		}
		write("events: [{name: broken}]\n")
		require.Len(t, b.fake.Annotations(), 3)
	}, func(c *Config) { c.Calendar = file })
}

func TestWhatTheWarRoomNotesIsDrawnAsItIsWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "room", "timeline.ndjson")
	inBubble(t, func(t *testing.T, b *bench) {
		texts := func() (out []string) {
			b.after(2 * bookLook)
			for _, a := range b.fake.Annotations() {
				out = append(out, a.Text)
			}
			return out
		}
		require.Empty(t, texts(), "a book that nobody has written in is waited for")
		book, err := timeline.Open(file)
		require.NoError(t, err)
		defer book.Close()
		add := func(kind timeline.Kind, text string, at time.Time) {
			_, err := book.Add(timeline.Entry{At: at, Kind: kind, Text: text, Who: "Ann"})
			require.NoError(t, err)
		}
		add(timeline.Note, "two days ago", time.Now().Add(-48*time.Hour))
		add(timeline.Note, "the goal", time.Now())
		add(timeline.Opened, "HTTP flood", time.Now()) // a finding has a region of its own
		require.Equal(t, []string{"the goal\n— Ann"}, texts())
		add(timeline.Severity, "sev1", time.Now())
		require.Equal(t, []string{"the goal\n— Ann", "severity sev1\n— Ann"}, texts())

		b.stop()
		clear(b.disk.data)
		b.start()
		require.Len(t, texts(), 2, "read again after a restart, and drawn once")

		// A torn line is read when the rest has come.
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.WriteString("garbage\n{\"at\":\"" + time.Now().UTC().Format(time.RFC3339) + "\",\"kind\":\"note\",")
		require.NoError(t, err)
		require.Len(t, texts(), 2)
		_, err = f.WriteString("\"text\":\"whole\"}\n")
		require.NoError(t, err)
		require.Contains(t, texts(), "whole")
	}, func(c *Config) { c.LogBook = file })
}

func TestTagsNeverExceedWhatGrafanaTakes(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Tags = []string{"cluster:" + strings.Repeat("a", 90), "env:" + strings.Repeat("b", 80)}
	cfg.Endpoint = "http://grafana.test"
	require.NoError(t, cfg.Validate())
	fake := grafanafake.New("")
	c := client{http: &http.Client{Transport: fake.Transport()}, root: "http://grafana.test"}
	fake.SetToken("")
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	fake.SetToken("x")
	c.tokenFile = file
	for _, service := range []string{"", "vigie", strings.Repeat("é", 400), "a:b:c", " "} {
		f := flood(service, time.Unix(1, 0))
		f.ID = strings.Repeat("f", 200)
		f.Class = finding.ConntrackExhaustion
		w := cfg.ofFinding(&f, "informational")
		_, err := c.create(t.Context(), annotation{Text: "x", Tags: w.Look.Tags})
		require.NoError(t, err)
		_, ok, err := c.find(t.Context(), w.Key)
		require.NoError(t, err)
		require.True(t, ok, "found under its own tag, whatever the service is called")
	}
}

func TestARecordThatCannotBeReadIsCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ld := plog.NewLogs()
		ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName(names.EventFinding)
		require.NoError(t, b.g.consume(t.Context(), ld))
		require.EqualValues(t, 1, b.g.counts.malformed.Load())
	})
}

func TestValidateTellsEverythingAtOnce(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "grafana.example/api"
	cfg.PanelID, cfg.OpenAhead, cfg.SilentAfter, cfg.UpdateInterval, cfg.MaxEntries = 3, time.Second, 0, -1, 1
	cfg.RetryOnFailure.Enabled = false
	cfg.Tags = []string{"", "vigie", "service:x", strings.Repeat("long", 60)}
	err := cfg.Validate()
	for _, want := range []string{"endpoint", "panel_id", "open_ahead", "silent_after", "update_interval", "max_entries", "retry_on_failure", `got ""`, `got "vigie"`, `got "service:x"`, "200 bytes"} {
		require.ErrorContains(t, err, want)
	}
}

func TestAnAnnotationWhoseAnswerWasLostIsFoundAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fake.Inject(grafanafake.Fault{}, grafanafake.Fault{CutAfter: true}) // the look-up, then the creation
		b.tell(flood("player", time.Now()))
		b.after(time.Minute)
		require.Len(t, b.fake.Annotations(), 1)
		require.EqualValues(t, 1, b.g.counts.adopted.Load())
	})
}

func TestWhatWaitsIsCountedAlongEveryWay(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		waiting := func() int64 {
			n := int64(0)
			b.g.table.mu.Lock()
			defer b.g.table.mu.Unlock()
			for _, e := range b.g.table.entries {
				if e.waits() {
					n++
				}
			}
			require.Equal(t, n, b.g.counts.waiting.Load())
			return n
		}
		f := flood("player", time.Now())
		b.fake.Inject(grafanafake.Fault{Status: 500})
		b.tell(f)
		b.after(time.Millisecond)
		require.EqualValues(t, 1, waiting())
		b.tell(f, updated(f, time.Now(), 5), updated(f, time.Now(), 6))
		require.EqualValues(t, 1, waiting(), "one annotation, however often it was told")
		b.after(time.Minute)
		require.Zero(t, waiting())
		b.fake.Inject(slices.Repeat([]grafanafake.Fault{{Status: 500}}, 100)...)
		for i := range 30 { // more than there is room for
			b.tell(flood(fmt.Sprint(i), time.Now()))
			waiting()
		}
		b.kill()
		b.start()
		require.EqualValues(t, 10, waiting())
		b.fake.Heal()
		b.after(time.Minute)
		require.Zero(t, waiting())
	}, func(c *Config) { c.MaxEntries = 10 })
}
