package eventbridgeexporter

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/ocsf/ocsftest"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

var kickOff = time.Now().Add(-time.Minute).UTC().Truncate(time.Second)

func flood(service string, status finding.Status) finding.Finding {
	f := finding.Finding{
		Class: finding.HTTPFlood, Service: service, Status: status, Confidence: 0.94,
		StartedAt: kickOff, DetectedAt: kickOff.Add(3 * time.Second), UpdatedAt: kickOff.Add(9 * time.Second), Requests: 1000,
		Evidence: []finding.Evidence{{Dimension: "new_client_share", Value: 0.97, Normal: 0.31, Points: finding.For}},
		Actors:   []finding.Actor{{Kind: finding.KindPrefix, Value: "203.0.113.0/24", Share: 0.7}},
	}
	if status == finding.Closed {
		f.ClosedAt = kickOff.Add(time.Minute)
	}
	f.ID = finding.NewID(f.Class, service, f.StartedAt, 7)
	return f
}

// big is as large as a finding may be.
func big(service string) finding.Finding {
	f := flood(service, finding.Open)
	f.Evidence, f.Actors = nil, nil
	for i := range finding.MaxEvidence {
		f.Evidence = append(f.Evidence, finding.Evidence{Dimension: fmt.Sprint(i), Note: strings.Repeat("\"", finding.MaxString), Points: finding.For})
	}
	for i := range finding.MaxActors {
		f.Actors = append(f.Actors, finding.Actor{Kind: finding.KindUserAgent, Value: fmt.Sprintf("%02d", i) + strings.Repeat("<", finding.MaxString-2), Share: 1})
	}
	return f
}

func logs(fs ...finding.Finding) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("k8s.cluster.name", "arena")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("GET / 200")
	for _, f := range fs {
		f.ToLogRecord(records.AppendEmpty())
	}
	return ld
}

func point(t *testing.T, aws *awsfake.Server) {
	t.Helper()
	for _, kv := range aws.Env() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
}

// started is a sender with its credentials, without the queue.
func started(t *testing.T, aws *awsfake.Server, change ...func(*Config)) *sender {
	t.Helper()
	point(t, aws)
	cfg := createDefaultConfig().(*Config)
	for _, c := range change {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	s, err := newSender(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, s.Shutdown(context.Background())) })
	_, err = s.aws.Wait(t.Context())
	require.NoError(t, err)
	return s
}

// onlyFindings are the records as the chooser queues them.
func onlyFindings(ld plog.Logs) plog.Logs {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			sl.LogRecords().RemoveIf(func(r plog.LogRecord) bool { return !finding.Is(r) })
		}
	}
	return ld
}

func TestAFindingArrivesAsAnOCSFDetectionFinding(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{Buses: []string{"match"}})
	s := started(t, aws, func(c *Config) {
		c.Bus = "arn:aws:events:eu-west-3:123456789012:event-bus/match"
		c.Resources = []string{
			"arn:aws:eks:eu-west-3:123456789012:cluster/{k8s.cluster.name}",
			"arn:aws:ecs:eu-west-3:123456789012:service/{vigie.finding.service}",
			"arn:aws:nothing::{not.there}",
		}
	})
	require.NoError(t, s.push(t.Context(), onlyFindings(logs(flood("player", finding.Open)))))
	got := aws.BusEvents("match")
	require.Len(t, got, 1)
	require.Equal(t, "vigie", got[0].Source)
	require.Equal(t, "Vigie Finding", got[0].DetailType)
	require.Equal(t, kickOff.Add(3*time.Second), got[0].Time.UTC())
	want := []string{"arn:aws:eks:eu-west-3:123456789012:cluster/arena", "arn:aws:ecs:eu-west-3:123456789012:service/player"}
	if d := cmp.Diff(want, got[0].Resources); d != "" {
		t.Error(d)
	}
	detail := object(t, got[0].Detail)
	unmapped, _ := detail.Get("unmapped")
	require.Equal(t, map[string]any{"k8s.cluster.name": "arena"}, unmapped.Map().AsRaw())
	detail.Remove("unmapped")
	require.NoError(t, ocsftest.Check(detail))
}

// object is JSON as a map whose whole numbers are integers, as a reader of OCSF
// takes them.
func object(t *testing.T, raw json.RawMessage) pcommon.Map {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v map[string]any
	require.NoError(t, dec.Decode(&v))
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(whole(v).(map[string]any)))
	return m
}

func whole(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return v
}

func TestOnlyWantedFindingsReachTheQueue(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{})
	point(t, aws)
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"by default":      {func(*Config) {}, "1 3"},
		"with updates":    {func(c *Config) { c.Statuses = []finding.Status{finding.Open, finding.Update, finding.Closed} }, "1 2 3"},
		"every update":    {func(c *Config) { c.Statuses, c.UpdateInterval = []finding.Status{finding.Update}, 0 }, "2 2 2 2"},
		"only sure ones":  {func(c *Config) { c.MinConfidence = 0.95 }, ""},
		"only the closed": {func(c *Config) { c.Statuses = []finding.Status{finding.Closed} }, "3"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Bus = "default"
			cfg.QueueConfig.Get().WaitForResult = true
			c.change(cfg)
			before := len(aws.BusEvents("default"))
			e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
			require.NoError(t, err)
			require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
			fs := []finding.Finding{flood("player", finding.Open)}
			for i := range 4 {
				f := flood("player", finding.Update)
				f.UpdatedAt = kickOff.Add(time.Duration(i+1) * 20 * time.Second)
				fs = append(fs, f)
			}
			for _, f := range append(fs, flood("player", finding.Closed)) {
				require.NoError(t, e.ConsumeLogs(t.Context(), logs(f)))
			}
			require.NoError(t, e.Shutdown(t.Context()))
			var got []string
			for _, ev := range aws.BusEvents("default")[before:] {
				id, _ := object(t, ev.Detail).Get("activity_id")
				got = append(got, id.AsString())
			}
			require.Equal(t, c.want, strings.Join(got, " "))
		})
	}
}

func TestRequestsKeepPutEventsLimits(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{}) // counts a broken limit as a violation
	s := started(t, aws)
	var fs []finding.Finding
	for i := range 23 {
		fs = append(fs, flood(fmt.Sprint("small-", i), finding.Open))
	}
	for i := range 40 {
		fs = append(fs, big(fmt.Sprint("big-", i)))
	}
	require.NoError(t, s.push(t.Context(), onlyFindings(logs(fs...))))
	got := aws.BusEvents("default")
	require.Len(t, got, len(fs))
	for i, e := range got {
		uid, _ := object(t, e.Detail).Get("finding_info")
		id, _ := uid.Map().Get("uid")
		require.Equal(t, fs[i].ID, id.Str(), "in their order")
	}
	require.GreaterOrEqual(t, aws.Called("events:PutEvents"), 7)
}

func TestADetailThatIsTooLargeIsCutDownAndSaysSo(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{})
	for _, limit := range []int{40 << 10, 24 << 10, minEventBytes} {
		s := started(t, aws, func(c *Config) { c.MaxEventBytes = limit })
		f := big("player")
		before := len(aws.BusEvents("default"))
		require.NoError(t, s.push(t.Context(), onlyFindings(logs(f))))
		got := aws.BusEvents("default")[before:]
		require.Len(t, got, 1, "cut down, and never lost")
		require.LessOrEqual(t, len(got[0].Detail), limit)
		require.EqualValues(t, 1, s.counts.trimmed.Load())
		detail := object(t, got[0].Detail)
		unmapped, ok := detail.Get("unmapped")
		require.True(t, ok)
		cut, ok := unmapped.Map().Get("vigie.trimmed")
		require.True(t, ok)
		require.Contains(t, cut.Slice().AsRaw(), "observables")
		detail.Remove("unmapped")
		require.NoError(t, ocsftest.Check(detail), "what is left is a valid finding")
		if limit == 40<<10 {
			evidences, _ := detail.Get("evidences")
			require.Positive(t, evidences.Slice().Len(), "as much stays as fits")
		}
	}
}

func TestOnlyTheFailedEntriesAreSentAgain(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{})
	s := started(t, aws)
	aws.Inject(awsfake.EventBridge, awsfake.Fault{Kind: awsfake.PartialRejection, Entries: 3, Times: 1})
	all := []finding.Finding{}
	for i := range 12 {
		all = append(all, flood(fmt.Sprint(i), finding.Open))
	}
	err := s.push(t.Context(), onlyFindings(logs(all...)))
	var again consumererror.Logs
	require.ErrorAs(t, err, &again)
	require.ErrorContains(t, err, "3 of 10 entries failed, the first with InternalFailure")
	require.Equal(t, 3, again.Data().LogRecordCount())
	require.Len(t, aws.BusEvents("default"), 9, "the next request of the batch is not held up")
	require.NoError(t, s.push(t.Context(), again.Data()))
	seen := map[string]int{}
	for _, e := range aws.BusEvents("default") {
		info, _ := object(t, e.Detail).Get("finding_info")
		id, _ := info.Map().Get("uid")
		seen[id.Str()]++
	}
	for _, f := range all {
		require.Equal(t, 1, seen[f.ID], "each once")
	}
	require.EqualValues(t, 3, s.counts.get("retried", ""))
	require.EqualValues(t, 12, s.counts.get("accepted", ""))
}

func TestWhatMayPassIsTriedAgainAndWhatNeverWillIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		fault awsfake.Fault
		again bool
		want  string
	}{
		"throttled":       {awsfake.Fault{Kind: awsfake.Throttle, Times: 1}, true, "ThrottlingException"},
		"500":             {awsfake.Fault{Kind: awsfake.InternalError, Times: 1}, true, "events:PutEvents"},
		"503":             {awsfake.Fault{Kind: awsfake.Unavailable, Times: 1}, true, "events:PutEvents"},
		"reset":           {awsfake.Fault{Kind: awsfake.Reset, Times: 1}, true, "events:PutEvents"},
		"expired token":   {awsfake.Fault{Kind: awsfake.ExpiredToken, Times: 1}, true, "does not accept the credentials"},
		"entry throttled": {awsfake.Fault{Kind: awsfake.PartialRejection, Entries: 1, Code: "ThrottlingException", Times: 1}, true, "ThrottlingException"},
		"malformed entry": {awsfake.Fault{Kind: awsfake.PartialRejection, Entries: 1, Code: "MalformedDetail", Times: 1}, false, ""},
		"invalid call":    {awsfake.Fault{Kind: awsfake.Answer, Status: 400, Code: "ValidationException", Times: 2}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			aws := awsfake.Start(t, awsfake.Options{})
			s := started(t, aws)
			aws.Inject(awsfake.EventBridge, c.fault)
			err := s.push(t.Context(), onlyFindings(logs(flood("a", finding.Open), flood("b", finding.Open))))
			if c.again {
				var again consumererror.Logs
				require.ErrorAs(t, err, &again)
				require.False(t, consumererror.IsPermanent(err))
				require.ErrorContains(t, err, c.want)
				require.NoError(t, s.push(t.Context(), again.Data()))
				require.Len(t, aws.BusEvents("default"), 2)
				return
			}
			require.NoError(t, err)
			require.Len(t, aws.BusEvents("default"), 1, "the other one is not held up")
			require.EqualValues(t, 1, s.counts.get("rejected", c.fault.Code)+s.counts.get("rejected", ""))
		})
	}
}

func TestAMissingPermissionIsNamedAndWaitedFor(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{})
	s := started(t, aws)
	aws.Allow("logs:PutLogEvents")
	err := s.push(t.Context(), onlyFindings(logs(flood("a", finding.Open))))
	require.ErrorContains(t, err, "allow events:PutEvents")
	require.False(t, consumererror.IsPermanent(err))
}

func TestABusThatIsNotThereIsWaitedFor(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{})
	s := started(t, aws, func(c *Config) { c.Bus = "tomorrow" })
	err := s.push(t.Context(), onlyFindings(logs(flood("a", finding.Open))))
	var again consumererror.Logs
	require.ErrorAs(t, err, &again)
	require.Equal(t, 1, again.Data().LogRecordCount())
	require.Len(t, aws.TakeViolations(), 1)
}

func TestTheStartDoesNotWaitForCredentials(t *testing.T) {
	late := awsfake.CredentialsLate(t, 10*time.Second)
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), createDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(flood("a", finding.Open))))
	require.False(t, late.Answered(), "the start waited")
	late.Asked(t)
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestWithoutCredentialsItStartsAndTheQueueWaits(t *testing.T) {
	aws := awsfake.Start(t, awsfake.Options{})
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	for _, kv := range aws.EnvWithoutCredentials() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	t.Setenv("AWS_PROFILE", "nobody")
	cfg := createDefaultConfig().(*Config)
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(flood("a", finding.Open))))
	require.NoError(t, e.Shutdown(t.Context()))
	require.Empty(t, aws.BusEvents("default"))
}

func TestTheSizeIsCountedByTheDocumentedFormula(t *testing.T) {
	m, err := newMaker(createDefaultConfig().(*Config))
	require.NoError(t, err)
	r := plog.NewLogRecord()
	f := flood("é", finding.Open)
	f.ToLogRecord(r)
	e, err := m.make(r, pcommon.NewResource())
	require.NoError(t, err)
	require.Equal(t, len("vigie")+len("Vigie Finding")+14+len(*e.put.Detail), e.size)
}

func TestValidateTellsEverythingAtOnce(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Region, cfg.Bus, cfg.Source, cfg.DetailType = "Paris", "a bus", "aws.vigie", strings.Repeat("x", 129)
	cfg.Statuses, cfg.UpdateInterval, cfg.MinConfidence, cfg.MaxEventBytes = []finding.Status{"ended"}, -1, 2, 10
	cfg.Resources = []string{"cluster", "arn:{open"}
	err := cfg.Validate()
	for _, want := range []string{"region", "bus", "source", "detail_type", "ended", "update_interval", "min_confidence", "max_event_bytes", `"cluster"`, `"arn:{open"`} {
		require.ErrorContains(t, err, want)
	}
	cfg.Statuses = nil
	require.ErrorContains(t, cfg.Validate(), "statuses must name")
}

func TestWhatIsRememberedOfOpenFindingsHasALimit(t *testing.T) {
	c := &chooser{cfg: createDefaultConfig().(*Config), told: map[string]time.Time{}}
	for i := range maxRemembered + 50 {
		r := plog.NewLogRecord()
		f := flood(fmt.Sprint(i), finding.Open)
		f.UpdatedAt = kickOff.Add(time.Duration(i) * time.Second)
		f.ToLogRecord(r)
		require.True(t, c.wanted(r))
	}
	require.Len(t, c.told, maxRemembered)
	r := plog.NewLogRecord()
	f := flood("9", finding.Closed)
	f.ToLogRecord(r)
	require.True(t, c.wanted(r), "the end is told all the same")
}
