package finding

import (
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What a finding holds at most. A finding of maximum size, with its OCSF body,
// stays below 1 MB as a log record, CloudWatch's limit for one event.
const (
	MaxEvidence   = 16
	MaxActors     = 32
	MaxRules      = 16
	MaxConditions = 8
	MaxValues     = 10_000 // a condition, in memory and in vigie detect: AWS WAF's limit for one IP set
	MaxString     = 512    // bytes, with the mark
	// MaxRecordValues is what one condition carries in a log record; a finding
	// is written on every update, and Condition.More says how many are missing.
	// Of a set of addresses all are carried, packed: see putPacked.
	MaxRecordValues = 64
)

const cutMark = "…"

// Bound brings f within the limits and makes it safe to print, store and
// encode: lists are cut (they are sorted by weight, so the tail goes), strings
// are cut with a mark, hostile bytes become U+FFFD, numbers that are not finite
// become 0, shares are held within 0–1, times are in UTC.
func (f *Finding) Bound() { f.bound(MaxValues) }

func (f *Finding) bound(values int) {
	f.ID, f.Service = Clean(f.ID), Clean(f.Service)
	f.Confidence = share(f.Confidence)
	for _, t := range []*time.Time{&f.StartedAt, &f.DetectedAt, &f.UpdatedAt, &f.ClosedAt} {
		*t = t.UTC()
	}
	f.Evidence = f.Evidence[:min(len(f.Evidence), MaxEvidence)]
	for i := range f.Evidence {
		f.Evidence[i].bound()
	}
	f.Actors = f.Actors[:min(len(f.Actors), MaxActors)]
	for i := range f.Actors {
		f.Actors[i].bound()
	}
	f.Rules = f.Rules[:min(len(f.Rules), MaxRules)]
	for i := range f.Rules {
		f.Rules[i].bound(values)
	}
	m := &f.Mitigation
	m.Coverage, m.LegitimateHit, m.Note = share(m.Coverage), share(m.LegitimateHit), Clean(m.Note)
}

func (e *Evidence) bound() {
	e.Dimension, e.Unit, e.Note = Clean(e.Dimension), Clean(e.Unit), Clean(e.Note)
	e.Value, e.Normal = finite(e.Value), finite(e.Normal)
	if e.Points != Against {
		e.Points = For
	}
}

func (a *Actor) bound() {
	a.Kind, a.Value = Clean(a.Kind), Clean(a.Value)
	a.Share, a.Errors, a.Lift = share(a.Share), share(a.Errors), finite(a.Lift)
	a.FirstSeen = a.FirstSeen.UTC()
}

func (r *Rule) bound(values int) {
	r.Kind, r.Action = Clean(r.Kind), Clean(r.Action)
	r.Coverage, r.LegitimateHit = share(r.Coverage), share(r.LegitimateHit)
	// A rule that loses a condition would match more than was estimated: what is
	// beyond the limit is not cut, the rule is emptied and so never applied.
	if len(r.Match) > MaxConditions {
		*r = Rule{Kind: r.Kind, Action: ActionCount}
		return
	}
	for i := range r.Match {
		r.Match[i].bound(values)
	}
}

func (c *Condition) bound(values int) {
	c.Field, c.Op = Clean(c.Field), Clean(c.Op)
	if n := len(c.Values); n > values {
		c.More += n - values
		c.Values = c.Values[:values]
	}
	for i, v := range c.Values {
		c.Values[i] = Clean(v)
	}
}

// clone copies f deeply enough that bound on the copy leaves f alone.
func (f *Finding) clone(values int) Finding {
	g := *f
	g.Evidence = append([]Evidence(nil), f.Evidence[:min(len(f.Evidence), MaxEvidence)]...)
	g.Actors = append([]Actor(nil), f.Actors[:min(len(f.Actors), MaxActors)]...)
	g.Rules = append([]Rule(nil), f.Rules[:min(len(f.Rules), MaxRules)]...)
	for i := range g.Rules {
		g.Rules[i].Match = append([]Condition(nil), g.Rules[i].Match...)
		for j := range g.Rules[i].Match {
			c := &g.Rules[i].Match[j]
			keep := min(len(c.Values), values)
			c.More += len(c.Values) - keep
			c.Values = append([]string(nil), c.Values[:keep]...)
		}
	}
	return g
}

// Clean makes a string that an attacker wrote safe: valid UTF-8, no control
// characters (terminal escapes, line breaks that forge log lines) and no
// bidirectional overrides, each of them U+FFFD, and at most MaxString bytes.
func Clean(s string) string {
	if len(s) > 4*MaxString {
		s = s[:4*MaxString] // never scan a megabyte to keep 512 bytes
	}
	if strings.ContainsFunc(s, hostile) {
		s = strings.Map(func(r rune) rune {
			if hostile(r) {
				return utf8.RuneError
			}
			return r
		}, s)
	}
	if len(s) <= MaxString {
		return s
	}
	cut := MaxString - len(cutMark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + cutMark
}

// hostile also holds for RuneError, which is what ranging over invalid UTF-8
// gives: mapping it onto itself writes it as valid bytes.
func hostile(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

func share(x float64) float64 { return min(max(finite(x), 0), 1) }
