package cloudwatchexporter

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

func attributeKey(k string) attribute.Key { return attribute.Key(k) }

func TestRecordsArriveInTheirStreamsWhichAreMadeOnceAsConfigured(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) {
		c.Create = CreateConfig{Enabled: true, RetentionDays: 14, Class: "INFREQUENT_ACCESS", KMSKeyID: "arn:aws:kms:eu-west-3:123456789012:key/1", Tags: map[string]string{"event": "final"}}
	}))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			assert.NoError(t, x.try(pods(map[string][]string{"a": {fmt.Sprint("a", i)}, "b": {fmt.Sprint("b", i)}})))
		})
	}
	all.Wait()

	group := fake.Groups()["/vigie/final"]
	require.Equal(t, 14, group.RetentionDays)
	require.Equal(t, "INFREQUENT_ACCESS", group.Class)
	require.Equal(t, "arn:aws:kms:eu-west-3:123456789012:key/1", group.KMSKey)
	require.Equal(t, map[string]string{"event": "final"}, group.Tags)
	require.Equal(t, []string{"a", "b"}, fake.Streams("/vigie/final"))
	got := messages(fake.Events("/vigie/final", "a"))
	slices.Sort(got)
	require.Equal(t, []string{"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"}, got)
	require.Equal(t, 16, fake.LogTotals().Events)
	require.LessOrEqual(t, fake.Called("logs:CreateLogStream"), 4, "each stream once, and once more after its group was made")
	require.Equal(t, 1, fake.Called("logs:PutRetentionPolicy"))
	require.Equal(t, map[string]int64{"": 16}, x.counted(names.CloudWatchEventsSent, "none"))
	require.Equal(t, map[string]int64{"": int64(16 * (2 + 26))}, x.counted(names.CloudWatchBytesSent, "none"))
}

func TestAStreamKeepsItsOrderOverManyBatches(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(nil))
	var want []string
	for i := range 25_000 {
		want = append(want, fmt.Sprintf("%06d %s", i, strings.Repeat("x", i%97)))
	}
	x.send(pods(map[string][]string{"a": want}))
	require.Equal(t, want, messages(fake.Events("/vigie/final", "a")))
	require.Equal(t, 3, fake.LogTotals().Calls)
}

func TestALongRecordIsSplitWithAMarkerAndNothingOfItIsLost(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(nil))
	long := strings.Repeat("goal ☕", 500_000)
	x.send(pods(map[string][]string{"a": {"before", long, "after"}}))
	got := messages(fake.Events("/vigie/final", "a"))
	require.Len(t, got, 2+4)
	var whole strings.Builder
	for i, m := range got[1:5] {
		m, continued := strings.CutPrefix(m, goesOn)
		require.Equal(t, i > 0, continued)
		m, more := strings.CutSuffix(m, moreFollows)
		require.Equal(t, i < 3, more)
		whole.WriteString(m)
	}
	require.True(t, whole.String() == long, "the pieces do not add up")
	require.Equal(t, map[string]int64{"": 1}, x.counted(names.CloudWatchEventsSplit, "none"))
}

func TestALongJSONRecordIsSplitIntoObjectsThatAreJSON(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) { c.Logs.Format, c.Logs.MaxEventBytes = "json", 2000 }))
	long := strings.Repeat("a \"quote\"\n\x01 ☕ ", 400)
	ld := pods(map[string][]string{"a": {long}})
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("k", "v")
	x.send(ld)
	var whole strings.Builder
	for _, m := range messages(fake.Events("/vigie/final", "a")) {
		require.LessOrEqual(t, len(m), 2000)
		var o struct {
			Body       string
			Attributes map[string]string
		}
		require.NoError(t, json.Unmarshal([]byte(m), &o), m)
		require.Equal(t, "v", o.Attributes["k"])
		whole.WriteString(o.Body)
	}
	require.Equal(t, long, whole.String())
}

func TestJSONHasBodySeverityTraceAttributesAndResource(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) { c.Logs.Format = "json" }))
	ld := pods(map[string][]string{"a": {"sign-in \xff refused"}})
	rec := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	rec.SetSeverityText("WARN")
	rec.SetTraceID(pcommon.TraceID{1, 2})
	rec.SetSpanID(pcommon.SpanID{3})
	rec.Attributes().PutInt("http.response.status_code", 401)
	rec.Attributes().PutDouble("nan", nan())
	rec.Attributes().PutEmptySlice("list").AppendEmpty().SetBool(true)
	x.send(ld)
	require.JSONEq(t, `{"body":"sign-in � refused","severity":"WARN","trace_id":"01020000000000000000000000000000","span_id":"0300000000000000",
		"attributes":{"http.response.status_code":401,"nan":"NaN","list":[true]},"resource":{"k8s.pod.name":"a"}}`, messages(fake.Events("/vigie/final", "a"))[0])
}

func TestWhatHasNoBodyIsWrittenAsItsAttributesOrCounted(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(nil))
	ld := pods(map[string][]string{"a": {"", ""}})
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(1).Attributes().PutStr("only", "attributes")
	records.AppendEmpty().Body().SetEmptyMap().PutStr("a", "map")
	x.send(ld)
	require.ElementsMatch(t, []string{`{"body":"","attributes":{"only":"attributes"}}`, `{"a":"map"}`}, messages(fake.Events("/vigie/final", "a")))
	require.Equal(t, map[string]int64{dropEmpty: 1}, x.dropped())
}

func TestMissingAttributesFallBackAndNamesAreMadeFit(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) {
		c.Logs.Group, c.Logs.Stream = "/v/{team|k8s.namespace.name:shared}/{k8s.cluster.name}", "{k8s.pod.name|host.name:any}_{nothing}"
	}))
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("k8s.cluster.name", "a b:c*é")
	rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("x")
	x.send(ld)
	require.Equal(t, []string{"any_undefined"}, fake.Streams("/v/shared/a_b_c___"))
}

func TestTheServicesTroubleIsRetriedUntilEachEventIsThereOnce(t *testing.T) {
	for name, f := range map[string]awsfake.Fault{
		"throttling":       {Kind: awsfake.Throttle, Times: 3},
		"internal error":   {Kind: awsfake.InternalError, Times: 3},
		"unavailable":      {Kind: awsfake.Unavailable, Times: 3, RetryAfter: 0},
		"reset connection": {Kind: awsfake.Reset, Times: 3},
		"expired token":    {Kind: awsfake.ExpiredToken, Times: 3},
		"time-out":         {Kind: awsfake.Timeout, Times: 2},
		"while creating":   {Kind: awsfake.Throttle, Times: 3, Action: "logs:CreateLogStream"},
		"aborted":          {Kind: awsfake.Answer, Times: 2, Action: "logs:CreateLogGroup", Status: 400, Code: "OperationAbortedException"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := awsfake.Start(t, awsfake.Options{})
			surround(t, fake.Env())
			x := startLogs(t, direct(func(c *Config) {
				if f.Kind == awsfake.Timeout {
					c.Timeout = 3 * time.Second // a request that only was slow would be sent twice
				}
			}))
			fake.Inject(awsfake.Logs, f)
			x.send(pods(map[string][]string{"a": {"1", "2"}, "b": {"3"}}))
			require.Equal(t, []string{"1", "2"}, messages(fake.Events("/vigie/final", "a")))
			require.Equal(t, []string{"3"}, messages(fake.Events("/vigie/final", "b")))
			require.Equal(t, f.Times, fake.Faulted(awsfake.Logs))
			require.Empty(t, x.dropped())
		})
	}
}

func TestAPartThatArrivedIsNotSentAgainWithTheOneThatFailed(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) { c.Concurrency = 1 }))
	lines := map[string][]string{}
	for i := range 20 {
		lines[fmt.Sprint("pod", i)] = []string{"x", "y"}
	}
	fake.Inject(awsfake.Logs, awsfake.Fault{Kind: awsfake.Throttle, Times: 5, Action: "logs:PutLogEvents"})
	x.send(pods(lines))
	require.Equal(t, 40, fake.LogTotals().Events)
	require.Equal(t, 25, fake.Called("logs:PutLogEvents"), "20 and the 5 that failed")
}

func TestRejectedEventsAreCountedByReasonAndTheRestArrives(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) { c.Create.RetentionDays = 1 }))
	ld := pods(map[string][]string{"a": {"too old", "expired", "now", "too new"}})
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i, age := range []time.Duration{15 * 24 * time.Hour, 47 * time.Hour, 0, -3 * time.Hour} {
		records.At(i).SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-age)))
	}
	x.send(ld)
	require.Equal(t, []string{"now"}, messages(fake.Events("/vigie/final", "a")))
	require.Equal(t, map[string]int64{dropTooOld: 1, dropExpired: 1, dropTooNew: 1}, x.dropped())

	fake.Inject(awsfake.Logs, awsfake.Fault{Kind: awsfake.PartialRejection, Entries: 2, Times: 1, Action: "logs:PutLogEvents"})
	x.send(pods(map[string][]string{"b": {"1", "2", "3"}}))
	require.Equal(t, []string{"3"}, messages(fake.Events("/vigie/final", "b")))
	require.Equal(t, int64(3), x.dropped()[dropTooOld])
}

func TestAGroupThatVanishesIsMadeAgain(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(nil))
	x.send(pods(map[string][]string{"a": {"1"}}))
	fake.DeleteGroup("/vigie/final")
	x.send(pods(map[string][]string{"a": {"2"}}))
	require.Equal(t, []string{"2"}, messages(fake.Events("/vigie/final", "a")))
}

func TestWithoutThePermissionToCreateWhatExistsIsUsed(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{Groups: map[string][]string{"/vigie/final": {"a"}}})
	surround(t, fake.Env())
	fake.Allow("logs:PutLogEvents")
	x := startLogs(t, direct(nil))
	x.send(pods(map[string][]string{"a": {"1"}}))
	require.Equal(t, []string{"1"}, messages(fake.Events("/vigie/final", "a")))
}

func TestAPermissionThatComesDuringTheMatchIsNoticedAndItsLackIsOnHealth(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	fake.Allow("logs:CreateLogGroup")
	x := startLogs(t, direct(nil))
	done := make(chan error, 1)
	go func() { done <- x.try(pods(map[string][]string{"a": {"kept"}})) }()
	told := x.told()
	require.Equal(t, componentstatus.StatusRecoverableError, told.Status())
	require.ErrorContains(t, told.Err(), "allow logs:")
	fake.AllowAll()
	require.NoError(t, <-done)
	require.Equal(t, componentstatus.StatusOK, x.told().Status())
	require.Equal(t, []string{"kept"}, messages(fake.Events("/vigie/final", "a")))
}

func TestWithoutCredentialsItStartsQueuesAndSaysSoAndSendsOnceTheyCome(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.EnvWithoutCredentials())
	c := createDefaultConfig()
	c.Logs.Group, c.Logs.Stream = "/g", "s"
	x := startLogs(t, c)
	x.send(pods(map[string][]string{"a": {"kept"}}))
	told := x.told()
	require.Equal(t, componentstatus.StatusRecoverableError, told.Status())
	require.ErrorContains(t, told.Err(), "no AWS credentials")
	surround(t, fake.Env())
	require.Equal(t, componentstatus.StatusOK, x.told().Status())
	require.NoError(t, x.logs.Shutdown(context.Background()))
	require.Equal(t, []string{"kept"}, messages(fake.Events("/g", "s")))
}

func TestTheStartDoesNotWaitForCredentials(t *testing.T) {
	late := awsfake.CredentialsLate(t, 10*time.Second)
	c := createDefaultConfig()
	c.Logs.Group, c.Logs.Stream = "/g", "s"
	x := startLogs(t, c)
	x.send(pods(map[string][]string{"a": {"waits in the queue"}}))
	require.False(t, late.Answered(), "the start waited")
	late.Asked(t)
}

func TestAClockThatIsWrongIsCorrectedByTheServices(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{Groups: map[string][]string{"/vigie/final": {"a"}}})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) { c.Create.Enabled = false }))
	x.logs.(*logsExporter).instance.sender.now = func() time.Time { return time.Now().Add(-25 * time.Minute) }
	x.send(pods(map[string][]string{"a": {"1"}}))
	require.Equal(t, []string{"1"}, messages(fake.Events("/vigie/final", "a")))
	require.Len(t, fake.TakeViolations(), 1, "the first signature, by our clock")
	require.Equal(t, map[string]int64{"credentials": 1, "fine": 1}, x.counted(names.CloudWatchRequests, names.CloudWatchOutcome))
}
