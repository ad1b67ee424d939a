package detectcmd

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/finding"
)

// How much of each a summary shows.
const (
	showServices = 20
	showTurns    = 24
	showFindings = 20
	showActors   = 6
	showEvidence = 6
)

// summarise tells a person what was read, how the verdict went, and what was
// found.
func (s *session) summarise() {
	var b strings.Builder
	s.summariseInput(&b)
	s.summariseCourse(&b)
	s.summariseFindings(&b)
	io.WriteString(s.err, b.String()) //nolint:errcheck // nobody is left to tell
}

func (s *session) summariseInput(b *strings.Builder) {
	var all accesslog.Stats
	var formats []string
	for _, p := range s.parsers {
		all.Requests += p.stats.Requests
		all.Clientless += p.stats.Clientless
		all.Fallback += p.stats.Fallback
		for i, n := range p.stats.Unread {
			all.Unread[i] += n
		}
		if f := p.format.String(); !slices.Contains(formats, f) && p.stats.Requests > 0 {
			formats = append(formats, f)
		}
	}
	took := time.Since(s.began)
	fmt.Fprintf(b, "%s lines of %s in %d %s: %s requests in %s (%s lines/s)\n",
		count(s.lines), cmp.Or(strings.Join(formats, ", "), "no known format"), len(s.files), plural(len(s.files), "file"),
		count(all.Requests), took.Round(time.Millisecond), count(uint64(float64(s.lines)/max(took.Seconds(), 1e-6))))
	if now, ok := s.clock.Now(); ok && !s.first.IsZero() {
		fmt.Fprintf(b, "from %s to %s\n", stamp(s.first), stamp(now))
	}
	if r := reasons(&all, s.tooLong); r != "" {
		fmt.Fprintf(b, "not read as requests: %s\n", r)
	}
	if s.resorted {
		b.WriteString("the lines were not in the order of time and were sorted\n")
	}
	if s.unsorted {
		fmt.Fprintf(b, "the lines are not in the order of time, and too many to be sorted (more than %d MiB)\n", sortBytes>>20)
	}
	st := s.detector.Stats()
	for _, n := range []struct {
		n    uint64
		what string
	}{
		{all.Fallback, "lines of another format than the rest"},
		{all.Clientless, "requests without a client's address"},
		{s.late.Late + st.Late, "requests too late for their second"},
		{s.late.Future + st.Future, "requests from the future"},
		{s.late.Timeless + st.Timeless, "requests without a time"},
		{s.late.Overflowed + st.Overflowed, "requests of services past the limit, judged together"},
		{uint64(s.restarts), "times the log went back to the past, and detection began anew (are the files in order?)"},
	} {
		if n.n > 0 {
			fmt.Fprintf(b, "%s %s\n", count(n.n), n.what)
		}
	}
}

// reasons lists why lines were not read.
func reasons(st *accesslog.Stats, tooLong uint64) string {
	var parts []string
	for i, n := range st.Unread {
		if accesslog.Reasons[i] == "too_long" {
			n += tooLong
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", count(n), accesslog.Reasons[i]))
		}
	}
	return strings.Join(parts, ", ")
}

// summariseCourse shows the services by how little ordinary they were.
func (s *session) summariseCourse(b *strings.Builder) {
	names := slices.Clone(s.course.order)
	slices.SortStableFunc(names, func(x, y string) int {
		return cmp.Compare(s.course.services[y].weight(), s.course.services[x].weight())
	})
	for i, name := range names {
		if i == showServices {
			fmt.Fprintf(b, "… and %d more services\n", len(names)-i)
			break
		}
		c := s.course.services[name]
		fmt.Fprintf(b, "\nservice %s: %s requests, %s errors, %s suspected\n", finding.Clean(name),
			count(c.total.Requests), count(c.total.Errors), count(c.total.Suspected))
		fmt.Fprintf(b, "  verdicts: %s\n", c.shares())
		for j, t := range c.turns {
			if j == showTurns {
				fmt.Fprintf(b, "    … %d more turns\n", len(c.turns)-j+c.more)
				break
			}
			fmt.Fprintf(b, "    %s  %-8s", stamp(t.at), t.verdict)
			if t.expected > 0 {
				fmt.Fprintf(b, " %.1f requests/s where %.1f were expected", t.rate, t.expected)
			} else {
				fmt.Fprintf(b, " %.1f requests/s", t.rate)
			}
			b.WriteByte('\n')
		}
	}
}

// weight orders services: attacks, then crowds, then the rest by size.
func (c *serviceCourse) weight() float64 {
	w := float64(c.total.Requests)
	for v := range c.held {
		switch v {
		case finding.Attack, finding.Mixed:
			w += 1e30
		case finding.Crowd:
			w += 1e20
		}
	}
	return w
}

// shares lists for how long each verdict held.
func (c *serviceCourse) shares() string {
	var parts []string
	for _, v := range finding.Verdicts() {
		if d := c.held[v]; d > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", v, d.Round(time.Second)))
		}
	}
	if len(parts) == 0 {
		return string(cmp.Or(c.now, finding.Unknown))
	}
	return strings.Join(parts, ", ")
}

func (s *session) summariseFindings(b *strings.Builder) {
	fmt.Fprintf(b, "\n%d %s, %s lines marked\n", s.findings.closed, plural(s.findings.closed, "finding"), count(s.marks.n))
	for i, f := range s.findings.byStart() {
		if i == showFindings {
			fmt.Fprintf(b, "… and %d more\n", s.findings.closed-i)
			break
		}
		fmt.Fprintf(b, "\n%s %s on %s, confidence %.2f\n", f.ID, f.Class, f.Service, f.Confidence)
		fmt.Fprintf(b, "  from %s to %s, told after %s, %s requests\n", stamp(f.StartedAt), stamp(lastOf(&f)),
			f.DetectedAt.Sub(f.StartedAt).Round(100*time.Millisecond), count(f.Requests))
		for j, e := range f.Evidence {
			if j == showEvidence {
				break
			}
			normal, note := "", ""
			if e.Normal != 0 {
				normal = fmt.Sprintf(", normally %.3g%s", e.Normal, unit(e.Unit))
			}
			if e.Note != "" {
				note = ": " + e.Note
			}
			fmt.Fprintf(b, "  %-7s %s %.3g%s%s%s\n", e.Points, e.Dimension, e.Value, unit(e.Unit), normal, note)
		}
		for j, a := range f.Actors {
			if j == showActors {
				fmt.Fprintf(b, "  … %d more actors\n", len(f.Actors)-j)
				break
			}
			fmt.Fprintf(b, "  %s %s: %.1f %% of it\n", a.Kind, a.Value, 100*a.Share)
		}
		for _, r := range f.Rules {
			fmt.Fprintf(b, "  rule: %s %s, covers %.1f %%, hits %.2f %% of legitimate requests\n", r.Action, describe(&r), 100*r.Coverage, 100*r.LegitimateHit)
		}
		if m := f.Mitigation; m != (finding.Mitigation{}) {
			fmt.Fprintf(b, "  rules together: cover %.1f %%, hit %.2f %% of legitimate requests", 100*m.Coverage, 100*m.LegitimateHit)
			if m.Note != "" {
				fmt.Fprintf(b, "; %s", m.Note)
			}
			b.WriteString("\n")
		}
	}
}

// describe says in short what a rule matches.
func describe(r *finding.Rule) string {
	var parts []string
	for _, c := range r.Match {
		if c.Op == finding.OpAbsent || c.Op == finding.OpPresent {
			parts = append(parts, c.Field+" "+c.Op)
			continue
		}
		if n := len(c.Values) + c.More; n != 1 {
			parts = append(parts, fmt.Sprintf("%s in %d values", c.Field, n))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s %q", c.Field, c.Op, c.Values[0]))
	}
	return cmp.Or(strings.Join(parts, " and "), r.Kind)
}

func lastOf(f *finding.Finding) time.Time {
	if !f.UpdatedAt.IsZero() {
		return f.UpdatedAt
	}
	return f.ClosedAt
}

func unit(u string) string {
	if u == "" || u == "1" {
		return ""
	}
	return " " + u
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
