package warroomexporter

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// said is what the detector says of a service at a second, in the shape of the
// attack_metrics connector.
type said struct {
	service                             string
	verdict                             finding.Verdict
	score, rate, expected               float64
	clients, requests, errors, suspects int64
}

func detector(at time.Time, services ...said) pmetric.Metrics {
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	point := func(points pmetric.NumberDataPointSlice, service string) pmetric.NumberDataPoint {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.Attributes().PutStr(names.ServiceName, service)
		return p
	}
	gauge := func(name, unit string) pmetric.NumberDataPointSlice {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		return m.SetEmptyGauge().DataPoints()
	}
	sum := func(name, unit string, monotonic bool) pmetric.NumberDataPointSlice {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		s := m.SetEmptySum()
		s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		s.SetIsMonotonic(monotonic)
		return s.DataPoints()
	}
	requests, errors, suspected := sum(names.TrafficRequests, "{request}", true), sum(names.TrafficErrors, "{request}", true), sum(names.AttackSuspected, "{request}", true)
	clients := sum(names.TrafficClients, "{client}", false)
	verdict := gauge(names.AttackVerdict, "{state}")
	score, rate, expected := gauge(names.AttackScore, "1"), gauge(names.TrafficRate, "{request}/s"), gauge(names.TrafficExpected, "{request}/s")
	for _, s := range services {
		point(requests, s.service).SetIntValue(s.requests)
		point(errors, s.service).SetIntValue(s.errors)
		point(suspected, s.service).SetIntValue(s.suspects)
		point(clients, s.service).SetIntValue(s.clients)
		for _, v := range finding.Verdicts() {
			p := point(verdict, s.service)
			p.Attributes().PutStr(names.AttackVerdictState, string(v))
			if v == s.verdict {
				p.SetIntValue(1)
			} else {
				p.SetIntValue(0)
			}
		}
		point(score, s.service).SetDoubleValue(s.score)
		point(rate, s.service).SetDoubleValue(s.rate)
		if s.expected > 0 {
			point(expected, s.service).SetDoubleValue(s.expected)
		}
	}
	return md
}

var kickOff = time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)

func TestAVerdictStandsUntilItTurnsOrItsServiceFallsSilent(t *testing.T) {
	v := newVerdicts(10)
	v.take(detector(kickOff, said{service: "player", verdict: finding.Crowd, rate: 900, expected: 300, errors: 10}), kickOff)
	rows, turned := v.tick(kickOff)
	require.Equal(t, []turn{{"player", finding.Unknown, finding.Crowd}}, turned)
	require.Equal(t, finding.Crowd, rows[0].Verdict)
	require.EqualValues(t, 900, rows[0].Rate)

	later := kickOff.Add(4 * time.Second)
	v.take(detector(later, said{service: "player", verdict: finding.Attack, rate: 5000, score: 0.9, errors: 50}), later)
	rows, turned = v.tick(later)
	require.Equal(t, []turn{{"player", finding.Crowd, finding.Attack}}, turned)
	require.Equal(t, later, rows[0].Since)
	require.EqualValues(t, 10, rows[0].Errors, "40 errors in 4 s")

	rows, turned = v.tick(later.Add(5 * time.Second))
	require.Empty(t, turned)
	require.Equal(t, finding.Attack, rows[0].Verdict)

	rows, turned = v.tick(later.Add(6 * time.Second))
	require.Equal(t, []turn{{"player", finding.Attack, finding.Unknown}}, turned)
	require.True(t, isNaN(rows[0].Rate), "what was said before the silence is not now")

	rows, _ = v.tick(later.Add(11 * time.Minute))
	require.Empty(t, rows)
}

func TestTheWholeIsNeverBetterThanItsPartsAndUnknownWithoutAny(t *testing.T) {
	n, c, a, m, u := finding.Normal, finding.Crowd, finding.Attack, finding.Mixed, finding.Unknown
	for _, x := range []struct {
		parts []finding.Verdict
		want  finding.Verdict
	}{
		{nil, u}, {[]finding.Verdict{n}, n}, {[]finding.Verdict{n, u}, u}, {[]finding.Verdict{n, c}, c},
		{[]finding.Verdict{n, a}, a}, {[]finding.Verdict{c, a}, m}, {[]finding.Verdict{n, m}, m}, {[]finding.Verdict{u, a}, a}, {[]finding.Verdict{u, c}, c},
	} {
		var rows []verdictRow
		for _, v := range x.parts {
			rows = append(rows, verdictRow{Verdict: v})
		}
		require.Equal(t, x.want, whole(rows), "%v", x.parts)
	}
}

func TestAServiceWhoseBaselineIsUnknownLeavesTheWholeExpectationUnknown(t *testing.T) {
	rows := []verdictRow{{Verdict: finding.Normal, Rate: 100, Expected: 90}, {Verdict: finding.Normal, Rate: 50, Expected: notANumber}}
	got := total(rows, kickOff)
	require.EqualValues(t, 150, got.Rate)
	require.True(t, isNaN(got.Expected))
}

func TestServicesBeyondTheLimitAreCountedAndOldOnesMakeRoom(t *testing.T) {
	v := newVerdicts(2)
	for i := range 5 {
		v.take(detector(kickOff, said{service: fmt.Sprint(i), verdict: finding.Normal}), kickOff)
	}
	rows, _ := v.tick(kickOff)
	require.Len(t, rows, 2)
	require.Positive(t, v.overflow())
	later := kickOff.Add(11 * time.Minute)
	v.take(detector(later, said{service: "new", verdict: finding.Normal}), later)
	rows, _ = v.tick(later)
	require.Len(t, rows, 1)
}

func TestAHistoryHasGapsWhereNothingWasSaidAndNeverGrows(t *testing.T) {
	h := newHistory()
	require.Empty(t, h.bySecond().Rate)
	base := kickOff.Unix()
	row := moment{rate: 10, verdict: 0}
	for s := range int64(3 * historySeconds) {
		h.put(base+s, row)
	}
	require.Len(t, h.bySecond().Rate, historySeconds)
	h.put(base+3*historySeconds+59, moment{rate: 50, verdict: 4}) // a minute was slept
	got := h.bySecond()
	require.Len(t, got.Rate, historySeconds)
	require.EqualValues(t, 50, got.Rate[historySeconds-1])
	require.True(t, math.IsNaN(float64(got.Rate[historySeconds-2])))
	require.EqualValues(t, -1, got.Verdict[historySeconds-30])
	require.EqualValues(t, 10, got.Rate[historySeconds-61])
	minutes := h.byMinute()
	require.Len(t, minutes.Rate, 46)
	require.EqualValues(t, 4, minutes.Verdict[len(minutes.Verdict)-1], "the gravest second names the minute")
	h.put(base, moment{rate: 1}) // the clock went back
	require.Equal(t, got.End, h.bySecond().End)
	h.put(got.End+7*3600, row) // a laptop slept for seven hours
	require.Len(t, h.bySecond().Rate, 1)
	require.Len(t, h.byMinute().Rate, 1)
}

func TestAHistoryThatIsEmptyIsNoNull(t *testing.T) {
	h := newHistory()
	for _, p := range []past{h.bySecond(), h.byMinute()} {
		body, err := json.Marshal(p)
		require.NoError(t, err)
		require.NotContains(t, string(body), "null", "a viewer who comes within the first second appends to it")
	}
}

func TestAColumnIsJSONWhateverItHolds(t *testing.T) {
	b, err := json.Marshal(column{1, 1234.567, float32(math.NaN()), float32(math.Inf(1)), 1e12, 0.00012345})
	require.NoError(t, err)
	require.Equal(t, "[1,1235,null,null,1e+12,0.0001234]", string(b))
}

func record(f finding.Finding) plog.Logs {
	ld := plog.NewLogs()
	f.ToLogRecord(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	return ld
}

func flood(status finding.Status, after time.Duration) finding.Finding {
	f := finding.Finding{
		Class: finding.HTTPFlood, Service: "player", Status: status, Confidence: 0.9,
		StartedAt: kickOff, DetectedAt: kickOff.Add(3 * time.Second), UpdatedAt: kickOff.Add(after), Requests: uint64(after.Seconds()) * 1000,
		Evidence: []finding.Evidence{{Dimension: "requests_per_client", Value: 90, Normal: 3, Points: finding.For}},
		Actors:   []finding.Actor{{Kind: finding.KindUserAgent, Value: "<script>alert(1)</script>", Share: 0.8}},
	}
	if status == finding.Closed {
		f.ClosedAt = f.UpdatedAt
	}
	f.ID = finding.NewID(f.Class, f.Service, f.StartedAt, 1)
	return f
}

func TestAFindingIsKeptOnceAsItWasLastToldAndAnEndStaysAnEnd(t *testing.T) {
	f := newFindings(10)
	require.Len(t, f.take(record(flood(finding.Open, 3*time.Second))), 1)
	require.Empty(t, f.take(record(flood(finding.Update, 20*time.Second))))
	require.Empty(t, f.take(record(flood(finding.Update, 10*time.Second))), "news that is old")
	require.EqualValues(t, 20_000, f.list(time.Time{}, 10)[0].Requests)
	closed := f.take(record(flood(finding.Closed, time.Minute)))
	require.Len(t, closed, 1)
	require.False(t, closed[0].opened)
	require.Empty(t, f.take(record(flood(finding.Update, 2*time.Minute))))
	got := f.list(time.Time{}, 10)
	require.Len(t, got, 1)
	require.Equal(t, finding.Closed, got[0].Status)

	then := f.list(kickOff.Add(30*time.Second), 10)
	require.Equal(t, finding.Update, then[0].Status, "in the middle of the attack it was open")
	require.Empty(t, f.list(kickOff, 10), "before it was detected nobody knew")
}

func TestFindingsBeyondTheLimitPushOutWhatEndedFirst(t *testing.T) {
	f := newFindings(3)
	for i := range 10 {
		x := flood(finding.Open, time.Duration(i)*time.Second)
		x.ID = fmt.Sprintf("%016d", i)
		if i == 1 {
			x.Status, x.ClosedAt = finding.Closed, kickOff
		}
		f.take(record(x))
		require.LessOrEqual(t, len(f.list(time.Time{}, 100)), 3)
	}
	_, dropped, _ := f.state()
	require.EqualValues(t, 7, dropped)
	bad := record(flood(finding.Open, 0))
	bad.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr(names.FindingClass, "nonsense")
	require.Empty(t, f.take(bad))
	_, _, broken := f.state()
	require.EqualValues(t, 1, broken)
}

func TestThePageGetsVerdictsAndFindings(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now()
	require.NoError(t, w.consumeMetrics(t.Context(), detector(now, said{service: `"quoted" </script>`, verdict: finding.Attack, score: 0.9, rate: 100})))
	require.NoError(t, w.consumeLogs(t.Context(), record(flood(finding.Open, time.Second))))
	w.room.tick(now)
	_, body, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/now"))
	var got struct {
		Verdict  verdictJSON
		Verdicts []verdictJSON
		Findings []finding.Finding
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, finding.Attack, got.Verdict.Verdict)
	require.Equal(t, `"quoted" </script>`, got.Verdicts[0].Service)
	require.Nil(t, got.Verdicts[0].Expected)
	require.Equal(t, "<script>alert(1)</script>", got.Findings[0].Actors[0].Value)
	require.False(t, strings.Contains(body, "<script>"), "JSON escapes what HTML would read")
}

type verdictJSON struct {
	Service  string
	Verdict  finding.Verdict
	Rate     *float64
	Expected *float64
}
