package finding_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/ocsf/ocsftest"
)

var kickOff = time.Date(2026, 6, 30, 19, 0, 0, 0, time.UTC)

func sample() finding.Finding {
	f := finding.Finding{
		Class: finding.HTTPFlood, Service: "player-api", Status: finding.Update, Confidence: 0.94,
		StartedAt: kickOff, DetectedAt: kickOff.Add(3 * time.Second), UpdatedAt: kickOff.Add(9*time.Second + 250*time.Millisecond),
		Requests: 36_000_000,
		Evidence: []finding.Evidence{
			{Dimension: "new_client_share", Value: 0.97, Normal: 0.31, Points: finding.For, Note: "almost all clients are new"},
			{Dimension: "requests_per_second", Value: 135_000, Normal: 42_000, Unit: "{request}/s", Points: finding.For},
			{Dimension: "page_asset_ratio", Value: 0.2, Normal: 0.2, Points: finding.Against},
		},
		Actors: []finding.Actor{
			{Kind: finding.KindPrefix, Value: "203.0.113.0/24", Share: 0.7, Lift: 812, Errors: 0.02, FirstSeen: kickOff},
			{Kind: finding.KindUserAgent, Value: "python-requests/2.31", Share: 0.9},
		},
		Rules: []finding.Rule{{
			Kind: "ip_set", Action: finding.ActionBlock, Coverage: 0.93, LegitimateHit: 0.001,
			Match: []finding.Condition{{Field: names.ClientAddress, Op: finding.OpIn, Values: []string{"203.0.113.0/24"}}},
		}},
	}
	f.Mitigation = finding.Mitigation{Coverage: 0.93, LegitimateHit: 0.001, Note: "what is left looks like people"}
	f.ID = finding.NewID(f.Class, f.Service, f.StartedAt, 7)
	return f
}

func TestAFindingComesBackFromItsLogRecordAsItWas(t *testing.T) {
	for _, status := range []finding.Status{finding.Open, finding.Update, finding.Closed} {
		f := sample()
		f.Status = status
		if status == finding.Closed {
			f.ClosedAt = kickOff.Add(5 * time.Minute)
		}
		r := plog.NewLogRecord()
		f.ToLogRecord(r)
		got, err := finding.FromLogRecord(r)
		require.NoError(t, err)
		if diff := cmp.Diff(f, got); diff != "" {
			t.Errorf("%s (-written +read):\n%s", status, diff)
		}
	}
}

func TestASetOfTenThousandAddressesComesBackWholeFromItsLogRecord(t *testing.T) {
	f := sample()
	var values []string
	for i := range finding.MaxValues - 2 {
		values = append(values, netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)}).String()+"/32")
	}
	values = append(values, "2001:db8:1:2::/64", "203.0.112.0/21")
	f.Rules[0].Match[0].Values = values
	r := plog.NewLogRecord()
	f.ToLogRecord(r)
	rules, _ := r.Attributes().Get(names.FindingRules)
	match, _ := rules.Slice().At(0).Map().Get("match")
	text, _ := match.Slice().At(0).Map().Get("values")
	require.Equal(t, finding.MaxRecordValues, text.Slice().Len(), "an older reader sees the first ones")
	more, _ := match.Slice().At(0).Map().Get("more")
	require.Equal(t, int64(finding.MaxValues-finding.MaxRecordValues), more.Int(), "and how many it does not see")
	got, err := finding.FromLogRecord(r)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(f, got))
	l := plog.NewLogs()
	r.CopyTo(l.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	require.Less(t, (&plog.ProtoMarshaler{}).LogsSize(l), 96<<10)
}

func TestAPackedSetThatIsBrokenIsNotRead(t *testing.T) {
	f := sample()
	for i := range 100 {
		f.Rules[0].Match[0].Values = append(f.Rules[0].Match[0].Values, netip.AddrFrom4([4]byte{203, 0, 112, byte(i)}).String())
	}
	r := plog.NewLogRecord()
	f.ToLogRecord(r)
	rules, _ := r.Attributes().Get(names.FindingRules)
	match, _ := rules.Slice().At(0).Map().Get("match")
	for _, broken := range [][]byte{{32, 1, 2}, {33, 1, 2, 3, 4, 5}, {0x80 | 127}} {
		match.Slice().At(0).Map().PutEmptyBytes("cidrs").FromRaw(broken)
		got, err := finding.FromLogRecord(r)
		require.NoError(t, err)
		require.Len(t, got.Rules[0].Match[0].Values, finding.MaxRecordValues)
		require.Equal(t, 101-finding.MaxRecordValues, got.Rules[0].Match[0].More)
	}
}

func TestTheBodyIsAValidOCSFDetectionFindingForEachClassAndStatus(t *testing.T) {
	for _, class := range finding.Classes() {
		for status, activity := range map[finding.Status]int64{finding.Open: 1, finding.Update: 2, finding.Closed: 3} {
			f := sample()
			f.Class, f.Status = class, status
			r := plog.NewLogRecord()
			f.ToLogRecord(r)
			if err := ocsftest.Check(r.Body().Map()); err != nil {
				t.Errorf("%s %s: %v", class, status, err)
			}
			got, _ := r.Body().Map().Get("activity_id")
			require.Equal(t, activity, got.Int(), "%s %s", class, status)
		}
	}
}

func TestTheJSONLineHasTheFieldsThatVigieDetectPromises(t *testing.T) {
	f := sample()
	f.Status, f.ClosedAt = finding.Closed, kickOff.Add(time.Minute)
	b, err := json.Marshal(f)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(b, &m))
	for _, key := range []string{
		"id", "class", "service", "status", "confidence", "started_at", "detected_at", "closed_at",
		"requests", "evidence", "actors", "rules",
	} {
		if _, ok := m[key]; !ok {
			t.Errorf("%s is missing from %s", key, b)
		}
	}
	require.Equal(t, "2026-06-30T19:00:00Z", m["started_at"])
	require.Equal(t, "2026-06-30T19:01:00Z", m["closed_at"])

	var back finding.Finding
	require.NoError(t, json.Unmarshal(b, &back))
	require.Empty(t, cmp.Diff(f, back))
}

func TestTheSameFindingHasTheSameIDAndAnyDifferenceAnother(t *testing.T) {
	id := finding.NewID(finding.HTTPFlood, "a", kickOff, 1)
	require.Equal(t, id, finding.NewID(finding.HTTPFlood, "a", kickOff.In(time.FixedZone("x", 3600)), 1))
	require.Len(t, id, 16)
	seen := map[string]bool{id: true}
	for _, other := range []string{
		finding.NewID(finding.SYNFlood, "a", kickOff, 1),
		finding.NewID(finding.HTTPFlood, "b", kickOff, 1),
		finding.NewID(finding.HTTPFlood, "a", kickOff.Add(1), 1),
		finding.NewID(finding.HTTPFlood, "a", kickOff, 2),
		finding.NewID(finding.HTTPFlood+"a", "", kickOff, 1),
	} {
		require.False(t, seen[other], "%s twice", other)
		seen[other] = true
	}
}

func TestWhatAnAttackerWroteIsMadeSafe(t *testing.T) {
	for name, in := range map[string]string{
		"invalid UTF-8":   "curl\xff\xfe/8",
		"terminal escape": "\x1b[2Jcurl",
		"forged line":     "curl\n{\"id\":\"forged\"}",
		"right to left":   "curl\u202egpj.exe",
		"long":            strings.Repeat("é", 5000),
		"long and broken": strings.Repeat("\xc3", 5000),
		"megabytes":       strings.Repeat("A", 4<<20),
	} {
		got := finding.Clean(in)
		if !utf8.ValidString(got) || len(got) > finding.MaxString || strings.ContainsAny(got, "\x1b\n\u202e") {
			t.Errorf("%s: %q is not safe", name, got)
		}
		if len(in) > finding.MaxString && !strings.HasSuffix(got, "…") {
			t.Errorf("%s: the cut is not marked", name)
		}
		require.Equal(t, got, finding.Clean(got), "%s: cleaning twice changes it", name)
	}
	require.Equal(t, "Mozilla/5.0 (Ünïcode ⚽)", finding.Clean("Mozilla/5.0 (Ünïcode ⚽)"))
}

func TestAnOversizedFindingIsCutInItsRecordAndLeftAloneInMemory(t *testing.T) {
	f := sample()
	f.Confidence = math.NaN()
	for range 1000 {
		f.Evidence = append(f.Evidence, finding.Evidence{Dimension: "x", Value: math.Inf(1), Note: strings.Repeat("é", 5000)})
		f.Actors = append(f.Actors, finding.Actor{Kind: "prefix", Value: strings.Repeat("\xff", 5000), Share: 7})
	}
	many := make([]string, 50_000)
	for i := range many {
		many[i] = "198.51.100.0/24"
	}
	f.Rules[0].Match[0].Values = many
	for range 1000 {
		f.Rules = append(f.Rules, f.Rules[0])
	}
	r := plog.NewLogRecord()
	f.ToLogRecord(r)
	require.NoError(t, ocsftest.Check(r.Body().Map()))
	require.Len(t, f.Rules[0].Match[0].Values, 50_000, "the finding itself keeps its values")
	require.Len(t, f.Evidence, 1003)

	l := plog.NewLogs()
	r.CopyTo(l.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	size := (&plog.ProtoMarshaler{}).LogsSize(l)
	require.Less(t, size, 256<<10, "the largest finding must stay below CloudWatch's limit for one event")

	got, err := finding.FromLogRecord(r)
	require.NoError(t, err)
	require.Zero(t, got.Confidence)
	require.Len(t, got.Evidence, finding.MaxEvidence)
	require.Len(t, got.Actors, finding.MaxActors)
	require.Len(t, got.Rules, finding.MaxRules)
	require.Len(t, got.Rules[0].Match[0].Values, finding.MaxRecordValues)
	require.Equal(t, 50_000-finding.MaxRecordValues, got.Rules[0].Match[0].More, "what is missing is told")
	require.LessOrEqual(t, got.Actors[len(got.Actors)-1].Share, 1.0)
}

func TestARuleWithTooManyConditionsIsEmptiedRatherThanWidened(t *testing.T) {
	f := sample()
	for range finding.MaxConditions {
		f.Rules[0].Match = append(f.Rules[0].Match, f.Rules[0].Match[0])
	}
	r := plog.NewLogRecord()
	f.ToLogRecord(r)
	got, err := finding.FromLogRecord(r)
	require.NoError(t, err)
	require.Empty(t, got.Rules[0].Match)
	require.Equal(t, finding.ActionCount, got.Rules[0].Action)
}

func TestARecordThatIsNoFindingOrABrokenOneIsTold(t *testing.T) {
	_, err := finding.FromLogRecord(plog.NewLogRecord())
	require.ErrorIs(t, err, finding.ErrNotFinding)

	r := plog.NewLogRecord()
	r.SetEventName(names.EventFinding)
	r.Attributes().PutStr(names.FindingClass, "http_fl\x1bood")
	r.Attributes().PutInt(names.FindingEvidence, 3)
	_, err = finding.FromLogRecord(r)
	require.NotErrorIs(t, err, finding.ErrNotFinding)
	for _, want := range []string{names.FindingID, names.FindingClass, names.FindingStatus, names.FindingStartedAt} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "\x1b")
}

func TestARecordOfAnOlderSenderWithoutTheEventNameFieldIsRead(t *testing.T) {
	f := sample()
	r := plog.NewLogRecord()
	f.ToLogRecord(r)
	r.SetEventName("")
	_, err := finding.FromLogRecord(r)
	require.NoError(t, err)
}

func TestEachClassHasATitleAndOnlyWallsAndRetriesAreNoAttacks(t *testing.T) {
	for _, c := range finding.Classes() {
		require.True(t, c.Valid())
		require.NotEmpty(t, c.Title())
		require.Equal(t, c != finding.ConntrackExhaustion && c != finding.RetryStorm, c.Attack())
	}
	require.False(t, finding.Class("toString").Valid())
	for _, v := range finding.Verdicts() {
		require.True(t, v.Valid())
	}
	require.False(t, finding.Verdict("").Valid())
}

func FuzzCleanGivesSafeBoundedStableText(f *testing.F) {
	f.Add("curl/8\xff\x00")
	f.Add(strings.Repeat("é", 400))
	f.Fuzz(func(t *testing.T, s string) {
		got := finding.Clean(s)
		if !utf8.ValidString(got) || len(got) > finding.MaxString || finding.Clean(got) != got {
			t.Fatalf("%q", got)
		}
	})
}
