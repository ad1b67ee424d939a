package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

//go:embed page.css
var css string

//go:embed page.html.tmpl
var pageText string

// CSP is the policy under which the page shows all that it has: its own style and
// nothing else; no script, no other host.
func CSP() string {
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// How many turns of the verdict, and actors of a finding, the page lists; the
// NDJSON has all.
const (
	maxTurns  = 200
	maxActors = 12
)

type figure struct {
	Title, Alt string
	SVG        template.HTML
	Keys       []key
}

type key struct{ Class, Name string }

type page struct {
	R          *Report
	CSP        string
	Style      template.HTML
	Title      string
	Headline   string
	Length     time.Duration
	Over       bool
	Charts     []figure
	Course     []Span
	CourseLeft int
}

// WriteHTML writes the page.
func (r *Report) WriteHTML(w io.Writer) error {
	known := map[string]bool{}
	for i := range r.Findings {
		known[r.Findings[i].ID] = true
	}
	funcs := template.FuncMap{
		"clock": clock, "short": short, "count": count, "percent": percent, "percentOf": percentOf, "plain": plain,
		"percentP": func(p *float64) string { return percentOf(*p) },
		"countU":   func(n uint64) string { return count(Num(n)) },
		"day":      func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"words":    func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"last":     func(f Finding) time.Time { return last(&f.Finding) },
		"known":    func(id string) bool { return known[id] },
		"matches":  matches,
		"verdict":  verdictTag,
		"actors":   func(all []finding.Actor) []finding.Actor { return all[:min(len(all), maxActors)] },
		"more":     func(all []finding.Actor) int { return max(0, len(all)-maxActors) },
		"unit":     func(u string) string { return strings.NewReplacer("{", "", "}", "").Replace(u) },
		"grafana":  r.grafana,
	}
	t, err := template.New("page").Funcs(funcs).Parse(pageText)
	if err != nil {
		return fmt.Errorf("read the report's template: %w", err)
	}
	p := page{
		R: r, CSP: CSP(), Style: template.HTML("<style>" + css + "</style>"), //nolint:gosec // our own file
		Title: "What happened", Headline: r.headline(), Length: r.To.Sub(r.From),
		Over: r.Impact.BudgetUsed.Known() && r.Impact.BudgetUsed > 1, Charts: r.charts(), Course: r.Course,
	}
	if r.Event != "" {
		p.Title = r.Event
	}
	if n := len(p.Course); n > maxTurns {
		p.Course, p.CourseLeft = p.Course[:maxTurns], n-maxTurns
	}
	if err := t.Execute(w, &p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// headline is the one sentence for who reads no further.
func (r *Report) headline() string {
	attacks := 0
	services := map[string]bool{}
	for i := range r.Findings {
		if r.Findings[i].Class.Attack() {
			attacks++
			services[r.Findings[i].Service] = true
		}
	}
	walls := 0
	for i := range r.Walls {
		if r.Walls[i].Reached {
			walls++
		}
	}
	said := "No attack was found"
	if attacks > 0 {
		said = fmt.Sprintf("%s on %s", plural(attacks, "attack"), plural(len(services), "service"))
	}
	if r.Impact.Crowd > 0 {
		said += fmt.Sprintf(", %s of crowd", short(r.Impact.Crowd.Duration()))
	}
	said += ", " + plural(walls, "wall") + " reached"
	if r.Impact.BudgetUsed.Known() {
		said += ", " + percent(r.Impact.BudgetUsed) + " of the error budget used"
	}
	return said + "."
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (r *Report) charts() []figure {
	s := &r.Series
	rate := func(v float64) string { return brief(v) }
	share := func(v float64) string { return percentOf(v) }
	out := []figure{{
		Title: "Requests a second", Keys: []key{{"k1", "measured"}, {"k2", "expected"}},
		Alt: fmt.Sprintf("Up to %s at %s.", count(r.Impact.PeakRate), clock(r.Impact.PeakRateAt)),
	}}
	out[0].SVG = s.chart("c-rate", out[0].Title, out[0].Alt, rate, line{"measured", "l1", s.Rate}, line{"expected", "l2", s.Expected})
	add := func(id, title, alt, class string, format func(float64) string, row []float32) {
		if best, _ := peak(row); best.Known() {
			out = append(out, figure{Title: title, Alt: alt, SVG: s.chart(id, title, alt, format, line{title, class, row})})
		}
	}
	worst, at := peak(s.Share)
	when := s.From.Add(time.Duration(at) * s.Step)
	add("c-clients", "Clients within ten seconds", fmt.Sprintf("Up to %s at %s.", count(r.Impact.Clients), clock(r.Impact.ClientsAt)), "l1", rate, s.Clients)
	add("c-share", "Share of requests that failed", fmt.Sprintf("Up to %s at %s.", percent(worst), clock(when)), "l3", share, s.Share)
	add("c-budget", "Error budget used", fmt.Sprintf("%s at the end.", percent(r.Impact.BudgetUsed)), "l3", share, s.Budget)
	add("c-p99", "Answer time, p99 of the slowest service", fmt.Sprintf("Up to %.3g s.", float64(r.Impact.WorstP99)), "l1", func(v float64) string { return fmt.Sprintf("%.3g s", v) }, s.P99)
	return out
}

// matches says what a rule tests, with a few of its values.
func matches(rule finding.Rule) string {
	const shown = 6
	var all []string
	for _, c := range rule.Match {
		values := c.Values[:min(len(c.Values), shown)]
		text := c.Field + " " + c.Op
		if len(values) > 0 {
			text += " " + strings.Join(values, ", ")
		}
		if more := len(c.Values) + c.More - len(values); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return strings.ReplaceAll(rule.Kind, "_", " ")
	}
	return strings.Join(all, " and ")
}

func verdictTag(v finding.Verdict) template.HTML {
	if !slices.Contains(finding.Verdicts(), v) {
		return `<span class="tag gap">NO DATA</span>`
	}
	return template.HTML(fmt.Sprintf(`<span class="tag %s">%s</span>`, v, strings.ToUpper(string(v)))) //nolint:gosec // one of our five words
}

// grafana is a link to the finding's time, with two minutes on either side; empty
// where no Grafana is known.
func (r *Report) grafana(f Finding) string {
	base, err := url.Parse(r.Grafana)
	if r.Grafana == "" || err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" {
		return ""
	}
	const around = 2 * time.Minute
	q := base.Query()
	q.Set("from", fmt.Sprint(f.StartedAt.Add(-around).UnixMilli()))
	q.Set("to", fmt.Sprint(last(&f.Finding).Add(around).UnixMilli()))
	base.RawQuery = q.Encode()
	return base.String()
}
