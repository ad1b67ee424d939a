package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/net/html"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/report"
	"github.com/vigie-otel/vigie/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

var kickOff = time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)

// evening is five minutes in a real store: quiet, from 60 s on a crowd, from 120
// to 180 s an attack in it on one of two services, and from 240 to 260 s nothing
// at all.
func evening(t *testing.T) *promstore.Store {
	t.Helper()
	store, err := promstore.Open(promstore.Config{Dir: t.TempDir(), Retention: 10 * 365 * 24 * time.Hour}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	var requests, failed [2]float64
	for s := range 301 {
		if s > 240 && s < 260 {
			continue
		}
		md := pmetric.NewMetrics()
		for i, service := range []string{"player", `sign"in`} {
			verdict, rate := finding.Normal, 100.0
			if s >= 60 {
				verdict, rate = finding.Crowd, 300
			}
			share := 0.001
			if i == 0 && s >= 120 && s < 180 {
				verdict, rate, share = finding.Attack, 2000, 0.4
			}
			requests[i] += rate
			failed[i] += rate * share
			tell(md, service, kickOff.Add(time.Duration(s)*time.Second), verdict, map[string]float64{
				names.TrafficRate: rate, names.TrafficExpected: 100, names.TrafficClients: rate / 2,
				names.TrafficRequests: requests[i], names.TrafficErrors: failed[i],
			})
		}
		conntrack(md, kickOff.Add(time.Duration(s)*time.Second), min(float64(100_000+1000*s), 262_144))
		_, err := store.AppendMetrics(t.Context(), md)
		require.NoError(t, err)
	}
	return store
}

func tell(md pmetric.Metrics, service string, at time.Time, verdict finding.Verdict, values map[string]float64) {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "vigie")
	ms := rm.ScopeMetrics().AppendEmpty().Metrics()
	point := func(name, unit string, counter bool) pmetric.NumberDataPoint {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		var points pmetric.NumberDataPointSlice
		if counter {
			sum := m.SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			points = sum.DataPoints()
		} else {
			points = m.SetEmptyGauge().DataPoints()
		}
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.Attributes().PutStr(names.ServiceName, service)
		return p
	}
	units := map[string]string{names.TrafficRate: "{request}/s", names.TrafficExpected: "{request}/s", names.TrafficClients: "{client}", names.TrafficRequests: "{request}", names.TrafficErrors: "{request}"}
	for name, v := range values {
		counter := name == names.TrafficRequests || name == names.TrafficErrors
		point(name, units[name], counter).SetDoubleValue(v)
	}
	for _, v := range finding.Verdicts() {
		p := point(names.AttackVerdict, "", false)
		p.Attributes().PutStr(names.AttackVerdictState, string(v))
		if v == verdict {
			p.SetDoubleValue(1)
		} else {
			p.SetDoubleValue(0)
		}
	}
}

func conntrack(md pmetric.Metrics, at time.Time, usage float64) {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "host")
	rm.Resource().Attributes().PutStr("service.instance.id", "ip-10-0-1-17")
	ms := rm.ScopeMetrics().AppendEmpty().Metrics()
	for name, v := range map[string]float64{names.ConntrackUsage: usage, names.ConntrackLimit: 262_144} {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit("{entry}")
		sum := m.SetEmptySum()
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := sum.DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetDoubleValue(v)
	}
}

// hostile is what an attacker would like to have run, or to turn the page around.
const hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u202egnp.exe \"'`{{.}}]]>"

func input(t *testing.T) report.Input {
	t.Helper()
	flood := finding.Finding{
		ID: "0d74701e1a7a6a61", Class: finding.HTTPFlood, Service: "player", Status: finding.Closed, Confidence: 0.94, Requests: 120_000,
		StartedAt: kickOff.Add(120 * time.Second), DetectedAt: kickOff.Add(122 * time.Second), UpdatedAt: kickOff.Add(179 * time.Second), ClosedAt: kickOff.Add(180 * time.Second),
		Evidence: []finding.Evidence{{Dimension: "new_client_share", Value: 0.97, Normal: 0.31, Points: finding.For, Note: hostile}, {Dimension: "requests_per_second", Value: 135_000, Normal: 100, Unit: "{request}/s", Points: finding.Against}, {Dimension: "networks", Value: 0.98, Points: finding.For}},
		Actors:   []finding.Actor{{Kind: finding.KindUserAgent, Value: hostile, Share: 0.9, Lift: 812, Errors: 0.4, FirstSeen: kickOff.Add(120 * time.Second)}},
		Rules: []finding.Rule{{Kind: "ip_set", Action: finding.ActionBlock, Coverage: 0.4, LegitimateHit: 0.0004, Match: []finding.Condition{
			{Field: "client.address", Op: finding.OpIn, Values: []string{"203.0.113.0/24", "198.51.100.7/32", hostile}, More: 12},
		}}},
		Mitigation: finding.Mitigation{Coverage: 0.4, LegitimateHit: 0.0004, Note: "the rest looks like people"},
	}
	lost := flood
	lost.ID, lost.Status, lost.ClosedAt, lost.Rules = hostile, finding.Update, time.Time{}, nil
	lost.Class, lost.StartedAt, lost.Mitigation = finding.CredentialStuffing, kickOff.Add(30*time.Second), finding.Mitigation{}
	before := flood
	before.ID, before.StartedAt, before.ClosedAt = "before", kickOff.Add(-time.Hour), kickOff.Add(-time.Minute)
	entry := func(seq uint64, s int, kind timeline.Kind, text string) timeline.Entry {
		return timeline.Entry{Seq: seq, At: kickOff.Add(time.Duration(s) * time.Second), Kind: kind, Text: text, Who: "Ada <b>"}
	}
	opened := entry(4, 122, timeline.Opened, "HTTP flood, 94 % sure")
	opened.Ref, opened.Who, opened.Service = flood.ID, "", "player"
	return report.Input{
		From: kickOff, To: kickOff.Add(5 * time.Minute), Made: kickOff.Add(time.Hour), SLO: 0.99, Version: "0.0.0-test", Store: evening(t),
		Event:    &calendar.Event{Name: `Semi-final <i>&`, KickOff: kickOff.Add(time.Minute)},
		Findings: []report.Finding{{Finding: lost, Stale: true}, {Finding: flood}, {Finding: before}},
		Entries:  []timeline.Entry{entry(1, -600, timeline.Commander, "Grace"), entry(2, -500, timeline.Note, "too early"), entry(3, 90, timeline.Severity, "sev2"), opened, entry(5, 125, timeline.Note, "two\nlines "+hostile)},
		Broken:   2, Grafana: "https://grafana.example/d/vigie",
	}
}

func made(t *testing.T, in report.Input) (*report.Report, string) {
	t.Helper()
	r, err := report.Make(t.Context(), in)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, r.WriteHTML(&b))
	return r, b.String()
}

func TestTheNumbersAreThoseOfTheEvening(t *testing.T) {
	r, _ := made(t, input(t))
	m := r.Impact
	require.InDelta(t, 300*2*100+240*2*200-60*300+60*2000-19*2*300, float64(m.Requests), 1500, "counters, with what the store extrapolates")
	require.InDelta(t, 60*2000*0.4+150, float64(m.Errors), 1500)
	require.InDelta(t, float64(m.Errors)/float64(m.Requests)/0.01, float64(m.BudgetUsed), 0.01)
	require.InDelta(t, 2300, float64(m.PeakRate), 0)
	require.False(t, m.PeakRateAt.Before(kickOff.Add(120*time.Second)) || m.PeakRateAt.After(kickOff.Add(185*time.Second)))
	require.InDelta(t, 60, float64(m.Mixed), 5, "an attack on one service while the other has a crowd")
	require.Equal(t, m.Mixed, m.Attack)
	require.InDelta(t, 60, float64(m.Normal), 5)
	require.InDelta(t, 15, float64(m.Unknown), 3, "twenty seconds without a word, of which five are still believed")
	require.EqualValues(t, 300, m.Attack+m.Crowd+m.Normal+m.Unknown)
	require.False(t, m.WorstP99.Known())

	require.Equal(t, "player", r.Services[0].Name, "the one that was attacked")
	require.InDelta(t, 60, float64(r.Services[0].Attack), 1)
	require.Zero(t, r.Services[1].Attack)

	var verdicts []finding.Verdict
	for _, s := range r.Course {
		verdicts = append(verdicts, s.Verdict)
	}
	require.Equal(t, []finding.Verdict{finding.Normal, finding.Crowd, finding.Mixed, finding.Crowd, "", finding.Crowd}, verdicts)
	require.Len(t, r.Findings, 2, "not the one that was over before")
	require.Equal(t, []report.Role{{Role: "commander", Who: "Grace"}}, r.Roles)
	require.Len(t, r.Entries, 3)

	require.Len(t, r.Walls, 1)
	require.Equal(t, "Connection tracking, kernel table", r.Walls[0].Name)
	require.True(t, r.Walls[0].Reached)
	require.InDelta(t, 1, *r.Walls[0].Utilization, 1e-9, "at its worst moment")
}

func TestAdviceSaysWhatTheReportHolds(t *testing.T) {
	r, _ := made(t, input(t))
	all := ""
	for _, a := range r.Fix {
		all += a.What + " | " + a.Why + "\n"
		require.NotEmpty(t, a.Why)
		require.True(t, strings.HasPrefix(a.Link, "#"))
	}
	for _, want := range []string{"Connection tracking", "second answer", "earlier", "how", "error budget", "without gaps", "answer times", "walls that were not seen"} {
		require.Contains(t, all, want)
	}
	require.NotContains(t, all, "commander", "there was one")
}

func TestThePageIsTheOneThatWasLookedAt(t *testing.T) {
	_, got := made(t, input(t))
	path := filepath.Join("testdata", "event.html")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./internal/report -update writes it")
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the page has changed; look at it, then run with -update:\n%.3000s", diff)
	}
}

func TestEvidenceOfWhichNobodyToldWhatIsNormalShowsNoZero(t *testing.T) {
	_, page := made(t, input(t))
	require.Contains(t, page, `<td>networks</td><td class="n">0.98</td><td class="n">–</td>`)
	require.Contains(t, page, `<td>new client share</td><td class="n">0.97</td><td class="n">0.31</td>`)
}

func TestNothingOnThePageRunsOrIsFetched(t *testing.T) {
	_, page := made(t, input(t))
	require.NotContains(t, page, "\u202e")
	doc, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	ids := map[string]bool{}
	var links []string
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			require.NotContains(t, []string{"script", "iframe", "object", "embed", "img", "link", "form", "base", "foreignobject", "animate", "set"}, strings.ToLower(n.Data))
			for _, a := range n.Attr {
				require.False(t, strings.HasPrefix(strings.ToLower(a.Key), "on"), "%s=%s", a.Key, a.Val)
				require.NotEqual(t, "style", a.Key, "the policy would refuse it")
				switch a.Key {
				case "id":
					require.False(t, ids[a.Val], "id %q stands twice", a.Val)
					ids[a.Val] = true
				case "href":
					links = append(links, a.Val)
				case "src", "xlink:href", "action", "data":
					t.Errorf("%s=%s", a.Key, a.Val)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	outside := 0
	for _, l := range links {
		if strings.HasPrefix(l, "https://grafana.example/d/vigie?from=") {
			outside++
			continue
		}
		require.True(t, strings.HasPrefix(l, "#"), l)
	}
	require.Equal(t, 2, outside, "each finding leads into Grafana")
	require.True(t, ids["f-0d74701e1a7a6a61"])
	require.Contains(t, links, "#f-0d74701e1a7a6a61", "the timeline leads to the finding")
	require.Contains(t, html.UnescapeString(page), `<meta http-equiv="Content-Security-Policy" content="`+report.CSP()+`">`)
}

func TestTheLinesBesideItHoldTheSame(t *testing.T) {
	r, _ := made(t, input(t))
	var b bytes.Buffer
	require.NoError(t, r.WriteNDJSON(&b))
	seen := map[string]int{}
	for l := range strings.Lines(b.String()) {
		var x struct {
			Type string
			Data map[string]any
		}
		require.NoError(t, json.Unmarshal([]byte(l), &x), l)
		require.NotEmpty(t, x.Data)
		seen[x.Type]++
	}
	require.Equal(t, 1, seen["report"])
	require.Equal(t, len(r.Course), seen["verdict"])
	require.Equal(t, 2, seen["finding"])
	require.Equal(t, 3, seen["entry"])
	require.Equal(t, len(r.Walls), seen["wall"])
	require.Equal(t, 5, seen["series"], "answer times were not measured")
}

func TestATimeOfWhichNothingIsKnownSaysSo(t *testing.T) {
	in := input(t)
	in.From, in.To = kickOff.Add(-3*time.Hour), kickOff.Add(-2*time.Hour)
	in.Findings, in.Entries, in.Event, in.Broken = nil, nil, nil, 0
	r, page := made(t, in)
	require.False(t, r.Impact.Requests.Known())
	require.EqualValues(t, 3600, r.Impact.Unknown)
	require.Zero(t, r.Impact.Normal)
	require.Contains(t, page, "not measured")
	require.Contains(t, page, "NO DATA")
	require.NotContains(t, page, "NaN")
}

func TestWhatIsBeyondALimitIsCounted(t *testing.T) {
	in := input(t)
	for i := range report.MaxEntries + 10 {
		in.Entries = append(in.Entries, timeline.Entry{Seq: uint64(100 + i), At: kickOff.Add(time.Minute), Kind: timeline.Verdict, Text: "x"})
	}
	for i := range report.MaxFindings + 5 {
		f := in.Findings[1]
		f.ID = fmt.Sprintf("many-%03d", i)
		in.Findings = append(in.Findings, f)
	}
	r, page := made(t, in)
	require.Equal(t, 7, r.Left["findings"])
	require.Equal(t, 13, r.Left["entries"])
	require.Contains(t, page, "7 more findings are left out")
	notes := 0
	for _, e := range r.Entries {
		if e.Kind == timeline.Note {
			notes++
		}
	}
	require.Equal(t, 1, notes, "what people wrote stays")
}
