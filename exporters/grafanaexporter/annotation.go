package grafanaexporter

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/event"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// What Grafana keeps of tags: annotations::tags_length is 500 bytes by default,
// as JSON, and its database has columns of 100 characters for key and value.
const (
	maxTagBytes = 500
	maxTag      = 100
	ownTagBytes = 300 // vigie, kind, class, severity, service and the id, at their longest
	// maxText bounds a text; MySQL's column takes 65,535 bytes.
	maxText = 16 << 10
)

func ownKeys() []string {
	return []string{"vigie", "kind", "class", "severity", "service", names.FindingID, names.EventID}
}

func reserved(key string) bool { return slices.Contains(ownKeys(), strings.TrimSpace(key)) }

// look is how an annotation shall be in Grafana. Times are milliseconds since the
// epoch.
type look struct {
	Text  string   `json:"text"`
	Tags  []string `json:"tags"`
	Start int64    `json:"start"`
	End   int64    `json:"end"` // 0 while Open; Start for an instant
	Open  bool     `json:"open,omitempty"`
}

// word is what one record says: of which annotation, how it shall look, and how
// new that is.
type word struct {
	Key  string // the tag that the annotation is known by
	Told int64  // ms: of two words the later one holds; 0: the one that came last
	Last bool   // nothing after it counts: the finding is closed
	Look look
}

// read makes a word of a record; ok is false for records that are neither finding
// nor event.
func (c *Config) read(r plog.LogRecord) (w word, ok bool, err error) {
	switch {
	case finding.Is(r):
		f, err := finding.FromLogRecord(r)
		if err != nil {
			return word{}, true, err
		}
		return c.ofFinding(&f, severity(r)), true, nil
	case event.Is(r):
		e, err := event.FromLogRecord(r)
		if err != nil {
			return word{}, true, err
		}
		return c.ofEvent(&e), true, nil
	}
	return word{}, false, nil
}

// severity is what the finding's OCSF body says, else what the record says.
func severity(r plog.LogRecord) string {
	if r.Body().Type() == pcommon.ValueTypeMap {
		if v, ok := r.Body().Map().Get("severity"); ok && v.Type() == pcommon.ValueTypeStr {
			switch s := strings.ToLower(v.Str()); s {
			case "informational", "low", "medium", "high", "critical", "fatal":
				return s
			}
		}
	}
	switch {
	case r.SeverityNumber() >= plog.SeverityNumberError:
		return "high"
	case r.SeverityNumber() >= plog.SeverityNumberWarn:
		return "medium"
	}
	return "low"
}

func (c *Config) ofFinding(f *finding.Finding, severity string) word {
	w := word{Key: names.FindingID + ":" + short(f.ID), Last: f.Status == finding.Closed}
	for _, t := range []time.Time{f.StartedAt, f.DetectedAt, f.UpdatedAt, f.ClosedAt} {
		w.Told = max(w.Told, t.UnixMilli())
	}
	w.Look = look{
		Text:  c.text(f, severity),
		Tags:  c.tags(w.Key, "finding", "class:"+string(f.Class), "severity:"+severity, f.Service),
		Start: f.StartedAt.UnixMilli(), Open: !w.Last,
	}
	if w.Last {
		end := f.ClosedAt
		if end.IsZero() {
			end = time.UnixMilli(w.Told)
		}
		w.Look.End = max(end.UnixMilli(), w.Look.Start+1) // a region, however short
	}
	return w
}

func (c *Config) ofEvent(e *event.Event) word {
	w := word{Key: names.EventID + ":" + short(e.ID)}
	text := html.EscapeString(e.Title)
	if e.Text != "" && e.Text != e.Title {
		text += "\n" + html.EscapeString(e.Text)
	}
	if e.Who != "" {
		text += "\n— " + html.EscapeString(e.Who)
	}
	w.Look = look{
		Text: cut(text, maxText), Tags: c.tags(w.Key, cut(strings.ReplaceAll(e.Kind, ":", "_"), 30), "", "", e.Service),
		Start: e.StartedAt.UnixMilli(), End: e.StartedAt.UnixMilli(),
	}
	if !e.EndedAt.IsZero() {
		w.Look.End = e.EndedAt.UnixMilli()
	}
	return w
}

// tags are Vigie's own, then the configuration's. A service's name is the one
// part that somebody else chose, so it is the one that is cut.
func (c *Config) tags(key, kind, class, severity, service string) []string {
	out := []string{"vigie"}
	for _, t := range []string{"kind:" + kind, class, severity} {
		if t != "" && !strings.HasSuffix(t, ":") {
			out = append(out, t)
		}
	}
	if service = strings.TrimSpace(service); service != "" {
		out = append(out, "service:"+cut(service, maxTag))
	}
	return append(append(out, c.Tags...), key)
}

// text is what a person reads who rests on the region. Grafana shows it as HTML,
// and a finding quotes its attacker, so all of it is escaped.
func (c *Config) text(f *finding.Finding, severity string) string {
	var b strings.Builder
	b.WriteString(html.EscapeString(f.Sentence()))
	state := "open"
	if f.Status == finding.Closed {
		state = "closed"
	}
	fmt.Fprintf(&b, "\nseverity %s, %s", severity, state)
	line := func(title string, parts []string) {
		if len(parts) > 0 {
			b.WriteString("\n" + title + " " + html.EscapeString(strings.Join(parts, "; ")))
		}
	}
	var evidence, actors, rules []string
	for _, e := range f.Evidence {
		if e.Points != finding.Against {
			normal := ""
			if e.Normal != 0 {
				normal = fmt.Sprintf(" (normal %.4g)", e.Normal)
			}
			evidence = append(evidence, strings.TrimSpace(fmt.Sprintf("%s %.4g%s %s", e.Dimension, e.Value, normal, e.Unit)))
		}
	}
	for _, a := range f.Actors {
		actors = append(actors, fmt.Sprintf("%s %s %.0f %%", a.Kind, a.Value, 100*a.Share))
	}
	for _, r := range f.Rules {
		rules = append(rules, fmt.Sprintf("%s by %s (stops %.0f %%, hits %.2g %% of the legitimate)", r.Action, r.Kind, 100*r.Coverage, 100*r.LegitimateHit))
	}
	line("evidence:", evidence)
	if c.Actors {
		line("from:", actors)
	}
	line("proposed:", rules)
	out := cut(b.String(), maxText-2048)
	if c.Link != "" {
		out += "\n<a href=\"" + html.EscapeString(strings.ReplaceAll(c.Link, "{id}", f.ID)) + "\">the finding</a>"
	}
	return out
}

// short is an id as a tag can carry it. Vigie's own have 16 digits; another's that
// is too long becomes a hash.
func short(id string) string {
	if len(id) > 64 || strings.TrimSpace(id) != id {
		return event.NewID(id)
	}
	return id
}

// cut shortens s to at most n bytes, at a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
