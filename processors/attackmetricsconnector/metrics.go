package attackmetricsconnector

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/attackmetricsconnector/internal/metadata"
)

// metrics tells the state of all services.
func (s *state) metrics(start, now time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	sm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(metadata.ScopeName)
	w := writer{sm.Metrics(), pcommon.NewTimestampFromTime(start), pcommon.NewTimestampFromTime(now)}

	requests := w.sum(names.TrafficRequests, "Requests that were judged.", "{request}", true)
	errors := w.sum(names.TrafficErrors, "Requests answered with 4xx or 5xx.", "{request}", true)
	suspected := w.sum(names.AttackSuspected, "Requests marked as part of a finding.", "{request}", true)
	clients := w.sum(names.TrafficClients, "Distinct clients in the last 10 s, within 3 %.", "{client}", false)
	open := w.sum(names.AttackFindings, "Findings that are open, by class.", "{finding}", false)
	verdict := w.gauge(names.AttackVerdict, "What the traffic is judged to be: 1 for the state that holds, 0 for the others.", "{state}")
	score := w.gauge(names.AttackScore, "How much of an attack the traffic looks like.", "1")
	rate := w.gauge(names.TrafficRate, "Requests a second, over the last 10 s.", "{request}/s")
	expected := w.gauge(names.TrafficExpected, "Requests a second that the baseline expects.", "{request}/s")

	active := w.gauge(names.CalendarActive, "Where the calendar's event stands: 1 for the phase that it is in, 0 for those that it was in.", "{event}")

	for _, name := range s.order {
		sv := s.services[name]
		w.integer(requests, name, sv.requests)
		w.integer(errors, name, sv.errors)
		w.integer(suspected, name, sv.suspected)
		state := sv.current(now, s.cfg)
		for _, v := range finding.Verdicts() {
			holds := int64(0)
			if v == state {
				holds = 1
			}
			w.integer(verdict, name, holds).Attributes().PutStr(names.AttackVerdictState, string(v))
		}
		if now.Sub(sv.last) > s.cfg.StaleAfter {
			continue
		}
		for _, c := range finding.Classes() {
			if n, ok := sv.open[c]; ok {
				w.integer(open, name, n).Attributes().PutStr(names.AttackClass, string(c))
			}
		}
		for _, on := range slices.SortedFunc(maps.Keys(sv.stages), byName) {
			p := w.integer(active, name, sv.stages[on])
			p.Attributes().PutStr(names.CalendarEvent, on.event)
			p.Attributes().PutStr(names.CalendarPhase, on.phase)
		}
		w.integer(clients, name, sv.clients)
		w.double(score, name, sv.score)
		w.double(rate, name, sv.rate)
		if sv.expected > 0 {
			w.double(expected, name, sv.expected)
		}
	}
	sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
		if m.Type() == pmetric.MetricTypeSum {
			return m.Sum().DataPoints().Len() == 0
		}
		return m.Gauge().DataPoints().Len() == 0
	})
	return md
}

func byName(a, b stage) int {
	return cmp.Or(strings.Compare(a.event, b.event), strings.Compare(a.phase, b.phase))
}

// writer writes metrics of one moment.
type writer struct {
	to         pmetric.MetricSlice
	start, now pcommon.Timestamp
}

func (w *writer) named(name, description, unit string) pmetric.Metric {
	m := w.to.AppendEmpty()
	m.SetName(name)
	m.SetDescription(description)
	m.SetUnit(unit)
	return m
}

func (w *writer) sum(name, description, unit string, monotonic bool) pmetric.NumberDataPointSlice {
	sum := w.named(name, description, unit).SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.SetIsMonotonic(monotonic)
	return sum.DataPoints()
}

func (w *writer) gauge(name, description, unit string) pmetric.NumberDataPointSlice {
	return w.named(name, description, unit).SetEmptyGauge().DataPoints()
}

func (w *writer) point(to pmetric.NumberDataPointSlice, service string) pmetric.NumberDataPoint {
	p := to.AppendEmpty()
	p.SetStartTimestamp(w.start)
	p.SetTimestamp(w.now)
	p.Attributes().PutStr(names.ServiceName, service)
	return p
}

func (w *writer) integer(to pmetric.NumberDataPointSlice, service string, v int64) pmetric.NumberDataPoint {
	p := w.point(to, service)
	p.SetIntValue(v)
	return p
}

func (w *writer) double(to pmetric.NumberDataPointSlice, service string, v float64) {
	w.point(to, service).SetDoubleValue(v)
}
