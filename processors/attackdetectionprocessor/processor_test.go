package attackdetectionprocessor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

// pipeline starts a logs pipeline and returns its front and its end.
func pipeline(t testing.TB, change func(*Config)) (processor.Logs, *consumertest.LogsSink) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	sink := new(consumertest.LogsSink)
	p, err := f.CreateLogs(context.Background(), processortest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	return p, sink
}

// traffic writes a second of people who wander about, and from the attack's
// second on of five machines that hammer one page.
func traffic(ld plog.Logs, second, attackFrom int, start time.Time) {
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	at := start.Add(time.Duration(second) * time.Second)
	put := func(i, n int, client, path, ua string, status int) {
		stamp := at.Add(time.Duration(i) * time.Second / time.Duration(n))
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(stamp))
		lr.Body().SetStr(fmt.Sprintf(`%s - - [%s] "GET %s HTTP/1.1" %d %d "-" "%s"`, client, stamp.UTC().Format("02/Jan/2006:15:04:05 -0700"), path, status, 500+i, ua))
	}
	for i := range 200 {
		person := (second*31 + i*7) % 4000
		put(i, 200, fmt.Sprintf("%d.%d.%d.%d", 11+person%150, person/16%250, person%250, 1+person%200),
			[]string{"/", "/live/42", "/news/today", "/assets/app.js", "/assets/style.css", "/api/score"}[(person+i)%6],
			fmt.Sprintf("Mozilla/5.0 (Device %d) Chrome/%d.0", person%40, 100+person%9), 200)
	}
	if second >= attackFrom {
		for i := range 800 {
			put(i, 800, fmt.Sprintf("203.0.113.%d", 1+i%5), "/search", "python-requests/2.31", 200)
		}
	}
}

func isAttacker(lr plog.LogRecord) bool { return strings.HasPrefix(lr.Body().Str(), "203.0.113.") }

func TestAFloodIsFoundNamedAndMarkedInAReplayedLog(t *testing.T) {
	p, sink := pipeline(t, nil)
	start := time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)
	const attack = 120
	for s := range 180 {
		ld := plog.NewLogs()
		traffic(ld, s, attack, start)
		require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	}
	require.NoError(t, p.Shutdown(t.Context()))

	var attackers, marked, wrong, untouched int
	var opened time.Time
	verdicts := map[string]bool{}
	for _, ld := range sink.AllLogs() {
		for _, rl := range ld.ResourceLogs().All() {
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				if f, err := finding.FromLogRecord(lr); err == nil {
					if f.Status == finding.Open && f.Class.Attack() {
						require.True(t, opened.IsZero(), "one attack is one finding")
						opened = f.DetectedAt
					}
					continue
				}
				if lr.EventName() == names.EventSummary {
					v, _ := lr.Attributes().Get(names.AttackVerdict)
					verdicts[v.Str()] = true
					continue
				}
				_, has := lr.Attributes().Get(names.Suspicion)
				switch {
				case has && isAttacker(lr):
					marked++
				case has:
					wrong++
				case lr.Attributes().Len() == 0:
					untouched++
				}
				if isAttacker(lr) && !opened.IsZero() {
					attackers++
				}
			}
		}
	}
	require.False(t, opened.IsZero(), "no finding; verdicts %v", verdicts)
	if delay := opened.Sub(start.Add(attack * time.Second)); delay < 0 || delay > 10*time.Second {
		t.Errorf("found %v after the attack began", delay)
	}
	if precision := float64(marked) / float64(marked+wrong); precision < 0.99 {
		t.Errorf("precision of the marks: %.3f (%d right, %d wrong)", precision, marked, wrong)
	}
	if recall := float64(marked) / float64(attackers); recall < 0.9 {
		t.Errorf("recall of the marks: %.3f (%d of %d)", recall, marked, attackers)
	}
	if !verdicts["attack"] && !verdicts["mixed"] {
		t.Errorf("verdicts %v", verdicts)
	}
	if untouched < 180*200-wrong {
		t.Errorf("only %d requests of people passed untouched", untouched)
	}
}

func TestAGatewayThatMergesASplitStreamSaysWhatTheWholeStreamSays(t *testing.T) {
	start := time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)
	const nodes, attack, end = 4, 120, 150
	gateway, sink := pipeline(t, func(c *Config) { c.Mode = modeGateway; c.Clock = "event" })
	agents := make([]processor.Logs, nodes)
	sinks := make([]*consumertest.LogsSink, nodes)
	for i := range agents {
		agents[i], sinks[i] = pipeline(t, func(c *Config) { c.Clock = "event" })
	}
	for s := range end {
		all := plog.NewLogs()
		traffic(all, s, attack, start)
		records := all.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for n := range nodes {
			part := plog.NewLogs()
			own := part.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			for i := n; i < records.Len(); i += nodes {
				records.At(i).CopyTo(own.AppendEmpty())
			}
			require.NoError(t, agents[n].ConsumeLogs(t.Context(), part))
			for _, ld := range sinks[n].AllLogs() {
				if ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).EventName() != "" {
					require.NoError(t, gateway.ConsumeLogs(t.Context(), ld))
				}
			}
			sinks[n].Reset()
		}
	}
	for _, a := range agents {
		require.NoError(t, a.Shutdown(t.Context()))
	}
	require.NoError(t, gateway.Shutdown(t.Context()))

	var requests int64
	opened := time.Time{}
	for _, ld := range sink.AllLogs() {
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			if scope, ok := lr.Attributes().Get(names.SummaryScope); ok {
				require.Equal(t, scopeCluster, scope.Str(), "an agent's summary passed the gateway")
				n, _ := lr.Attributes().Get(names.TrafficRequests)
				requests = max(requests, n.Int())
			}
			if lr.Body().Type() == pcommon.ValueTypeMap {
				f, err := finding.FromLogRecord(lr)
				require.NoError(t, err)
				if f.Status == finding.Open && f.Class.Attack() && (opened.IsZero() || f.DetectedAt.Before(opened)) {
					opened = f.DetectedAt
				}
			}
		}
	}
	total := int64(end*200 + (end-attack)*800)
	if requests < total*95/100 || requests > total {
		t.Errorf("the gateway counted %d requests of %d", requests, total)
	}
	require.False(t, opened.IsZero(), "the gateway found nothing")
	if delay := opened.Sub(start.Add(attack * time.Second)); delay < 0 || delay > 15*time.Second {
		t.Errorf("found %v after the attack began", delay)
	}
}

func TestLiveTheVerdictTurnsToAttackWithinFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, sink := pipeline(t, nil)
		begin := time.Now()
		const attack = 120
		var turned time.Duration
		for s := 0; s < attack+10 && turned == 0; s++ {
			second := plog.NewLogs()
			traffic(second, s, attack, begin)
			records := second.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			time.Sleep(time.Until(begin.Add(time.Duration(s+1)*time.Second + 300*time.Millisecond))) // the receiver polls
			ld := plog.NewLogs()
			records.MoveAndAppendTo(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords())
			require.NoError(t, p.ConsumeLogs(t.Context(), ld))
			synctest.Wait()
			for _, out := range sink.AllLogs() {
				for _, lr := range out.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
					v, ok := lr.Attributes().Get(names.AttackVerdict)
					if ok && (v.Str() == string(finding.Attack) || v.Str() == string(finding.Mixed)) && turned == 0 {
						turned = time.Since(begin.Add(attack * time.Second))
					}
				}
			}
			sink.Reset()
		}
		require.NoError(t, p.Shutdown(t.Context()))
		if turned <= 0 || turned > 5*time.Second {
			t.Errorf("the verdict turned %v after the attack began", turned)
		}
	})
}

func TestWhenLogsStopTheVerdictBecomesUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, sink := pipeline(t, nil)
		last := func() string {
			synctest.Wait()
			verdict := ""
			for _, ld := range sink.AllLogs() {
				for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
					if v, ok := lr.Attributes().Get(names.AttackVerdict); ok {
						verdict = v.Str()
					}
				}
			}
			return verdict
		}
		for s := range 150 {
			ld := plog.NewLogs()
			traffic(ld, s, 1000, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
			require.NoError(t, p.ConsumeLogs(t.Context(), ld))
			time.Sleep(time.Second)
		}
		if got := last(); got != string(finding.Normal) {
			t.Errorf("while requests come: %q", got)
		}
		time.Sleep(70 * time.Second)
		if got := last(); got != string(finding.Unknown) {
			t.Errorf("70 s after the last: %q", got)
		}
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

func TestLogsAndTracesShareOneDetectorAndTheLastToEndStopsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		f := newFactory(func(detect.Config) (judge, error) { made++; return newFake(), nil })
		cfg := f.CreateDefaultConfig()
		set := processortest.NewNopSettings(metadata.Type)
		logs, err := f.CreateLogs(t.Context(), set, cfg, new(consumertest.LogsSink))
		require.NoError(t, err)
		traces, err := f.CreateTraces(t.Context(), set, cfg, new(consumertest.TracesSink))
		require.NoError(t, err)
		require.Equal(t, 1, made)
		host := componenttest.NewNopHost()
		require.NoError(t, logs.Start(t.Context(), host))
		require.NoError(t, traces.Start(t.Context(), host))
		require.NoError(t, logs.Shutdown(t.Context()))
		require.NoError(t, traces.ConsumeTraces(t.Context(), ptrace.NewTraces()))
		require.NoError(t, traces.Shutdown(t.Context()))
		require.NoError(t, traces.Shutdown(t.Context()), "a second time")
		_, err = f.CreateLogs(t.Context(), set, cfg, new(consumertest.LogsSink))
		require.NoError(t, err)
		require.Equal(t, 2, made, "a later pipeline got a detector that had ended")
	})
}

func TestTheCalendarIsReadAgainWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "calendar.yaml")
		write := func(text string, at time.Time) {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			require.NoError(t, os.Chtimes(path, at, at))
		}
		write("events:\n  - {name: broken}\n", time.Unix(1000, 0))
		var expect func(string, time.Time) float64
		f := newFactory(func(c detect.Config) (judge, error) { expect = c.Expect; return newFake(), nil })
		cfg := f.CreateDefaultConfig().(*Config)
		cfg.Calendar = path
		core, logs := observer.New(zap.InfoLevel)
		set := processortest.NewNopSettings(metadata.Type)
		set.Logger = zap.New(core)
		p, err := f.CreateLogs(t.Context(), set, cfg, new(consumertest.LogsSink))
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		kickOff := time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)
		require.Equal(t, 1.0, expect("tv", kickOff))
		require.Equal(t, 1, logs.FilterMessage("calendar entry ignored").Len())
		write("events:\n  - {name: Final, kick_off: 2026-07-14T19:00:00Z, factor: 6}\n", time.Unix(2000, 0))
		time.Sleep(look + time.Second)
		synctest.Wait()
		require.Greater(t, expect("tv", kickOff), 1.0)
		in := p.(*logsFace).Instance
		require.Equal(t, moment{"Final", "first_half"}, in.moment("tv", kickOff))
		require.Zero(t, in.moment("tv", kickOff.AddDate(0, 0, -3)))
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

func TestValidateNamesEverythingThatIsWrong(t *testing.T) {
	c := defaultConfig().(*Config)
	require.NoError(t, c.Validate())
	c.Mode, c.Read, c.Format, c.ServiceFrom, c.Spans, c.Clock = "master", "tea leaves", "w3c", "weather", "some", "sun"
	c.TrustedProxies, c.Service, c.QueueSize, c.MaxServices, c.MinFloodShare = []string{"10.0.0.0/8", "nowhere"}, "", -1, -2, 7
	err := c.Validate()
	for _, want := range []string{`mode`, `"master"`, `read`, `format`, `"w3c"`, `service_from`, `spans`, `clock`, `"nowhere"`, `service must not be empty`, `queue_size`, `max services`, `flood share`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	c = defaultConfig().(*Config)
	c.Fields = map[string]string{"colour": "x"}
	require.ErrorContains(t, c.Validate(), `"colour"`)
}

func TestTheQueueIsBoundedAndWhatItDropsIsCounted(t *testing.T) {
	o := newOutlet(10, scopeAgent, "o", zap.NewNop())
	o.findings([]finding.Finding{{ID: "lost"}})
	require.Equal(t, int64(1), o.outcomes().findingsDropped, "without a logs pipeline")
	sink := new(consumertest.LogsSink)
	require.True(t, o.claim(sink))
	require.False(t, o.claim(sink), "a second pipeline would tell all twice")
	for i := range 25 {
		o.findings([]finding.Finding{{ID: fmt.Sprint(i), Class: finding.HTTPFlood, Status: finding.Open, StartedAt: noon}})
		o.summary(&detect.Status{Service: fmt.Sprint(i)}, moment{"Final", "pre"}, noon, func(b []byte) ([]byte, bool) { return append(b, 1), true })
	}
	o.send(t.Context())
	require.Zero(t, sink.LogRecordCount(), "sent before the pipeline was up")
	o.open()
	o.send(t.Context())
	require.Equal(t, 20, sink.LogRecordCount())
	first := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	id, _ := first.Attributes().Get(names.FindingID)
	require.Equal(t, "15", id.Str(), "the oldest go first")
	require.Equal(t, outcomes{findingsSent: 10, findingsDropped: 16, summariesSent: 10, summariesDropped: 15}, o.outcomes())

	big := make([]byte, maxQueuedBytes/4)
	for range 6 {
		o.summary(&detect.Status{}, moment{}, noon, func([]byte) ([]byte, bool) { return big, true })
	}
	require.LessOrEqual(t, o.bytes, maxQueuedBytes)
	require.Equal(t, int64(17), o.outcomes().summariesDropped)
}

func TestWhatThePipelineRefusesIsCountedAndRequestsPassAllTheSame(t *testing.T) {
	o := newOutlet(10, scopeAgent, "o", zap.NewNop())
	o.claim(consumertest.NewErr(errors.New("full")))
	o.open()
	o.findings([]finding.Finding{{ID: "a"}})
	o.send(t.Context())
	require.Equal(t, outcomes{findingsDropped: 1}, o.outcomes())
}

func TestServicesWithLogsAreBounded(t *testing.T) {
	d := doubles{limit: 3}
	for i := range 10 {
		d.saw(fmt.Appendf(nil, "s%d", i), noon)
	}
	require.Len(t, d.last, 3)
	d.saw([]byte("new"), noon.Add(2*remember))
	require.True(t, d.lately([]byte("new"), noon.Add(2*remember)))
	require.False(t, d.lately([]byte("s0"), noon.Add(2*remember)))
}

// BenchmarkPipeline's budget: 400,000 records a second a core, from plog in to
// marked plog out.
func BenchmarkPipeline(b *testing.B) {
	start := time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)
	second := func(s int) plog.Logs {
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for k := range 8 { // 8,000 requests a second
			part := plog.NewLogs()
			traffic(part, s, 30, start)
			part.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().MoveAndAppendTo(records)
			_ = k
		}
		return ld
	}
	semconvOf := func(ld plog.Logs) plog.Logs {
		for i, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			client, _, _ := strings.Cut(lr.Body().Str(), " ")
			lr.Body().SetStr("")
			a := lr.Attributes()
			a.PutStr(names.ClientAddress, client)
			a.PutStr(names.HTTPRequestMethod, "GET")
			a.PutStr(names.URLPath, fmt.Sprintf("/live/%d", i%50))
			a.PutInt(names.HTTPResponseStatusCode, 200)
			a.PutStr(names.UserAgentOriginal, "Mozilla/5.0 (Device) Chrome/126")
			a.PutStr(names.ServerAddress, "tv.example")
		}
		return ld
	}
	for _, bc := range []struct {
		name string
		make func(int) plog.Logs
	}{{"lines", second}, {"attributes", func(s int) plog.Logs { return semconvOf(second(s)) }}} {
		b.Run(bc.name, func(b *testing.B) {
			f := NewFactory()
			set := processortest.NewNopSettings(metadata.Type)
			set.ID = component.MustNewIDWithName("attack_detection", bc.name)
			cfg := f.CreateDefaultConfig().(*Config)
			cfg.Clock = "event"
			p, err := f.CreateLogs(b.Context(), set, cfg, consumertest.NewNop())
			require.NoError(b, err)
			require.NoError(b, p.Start(b.Context(), componenttest.NewNopHost()))
			var batches []plog.Logs
			records := 0
			for s := range 40 {
				batches = append(batches, bc.make(s))
				records += batches[s].LogRecordCount()
			}
			b.ReportAllocs()
			n, used := 0, time.Duration(0)
			for b.Loop() {
				for s, ld := range batches {
					// The same 40 seconds over and over, each time 40 s later.
					if n > 0 {
						b.StopTimer()
						shift(ld, start.Add(time.Duration(n*40+s)*time.Second))
						b.StartTimer()
					}
					before := cpu()
					if err := p.ConsumeLogs(b.Context(), ld); err != nil {
						b.Fatal(err)
					}
					used += cpu() - before
				}
				n++
			}
			b.ReportMetric(float64(records*n)/used.Seconds(), "records/cpu-s")
			require.NoError(b, p.Shutdown(b.Context()))
		})
	}
}

// shift moves a batch to another second and takes its marks off.
func shift(ld plog.Logs, to time.Time) {
	stamp := to.UTC().Format("02/Jan/2006:15:04:05 -0700")
	for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		lr.SetTimestamp(pcommon.NewTimestampFromTime(to))
		if s := lr.Body().Str(); s != "" {
			i := strings.IndexByte(s, '[')
			lr.Body().SetStr(s[:i+1] + stamp + s[i+1+len(stamp):])
		}
		lr.Attributes().Remove(names.FindingID)
		lr.Attributes().Remove(names.Suspicion)
	}
}

// cpu is the processor time that the process has used: on a machine that is
// shared, the clock on the wall says little.
func cpu() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
