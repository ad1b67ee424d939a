package readycmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/ready"
)

func printJSON(w io.Writer, r *ready.Result) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// paint colours text; the zero value leaves it plain.
type paint struct{ colours bool }

func (p paint) with(code, text string) string {
	if !p.colours {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p paint) dim(text string) string { return p.with("2", text) }

func (p paint) status(s ready.Status, text string) string {
	return p.with(map[ready.Status]string{ready.OK: "32", ready.Warn: "33", ready.Unknown: "35", ready.Fail: "1;31"}[s], text)
}

// printText writes the result for a person. Whatever the cluster or a metric named is
// cleaned of escapes.
func printText(w io.Writer, r *ready.Result, where place, colours bool) error {
	p := paint{colours}
	var b strings.Builder
	e := r.Event
	fmt.Fprintf(&b, "%s  %s, kick-off %s", p.with("1", "vigie ready"), finding.Clean(e.Name), e.KickOff.Format("2006-01-02 15:04 MST"))
	if e.ExpectedAudience > 0 {
		fmt.Fprintf(&b, ", %s expected", commas(e.ExpectedAudience))
	}
	fmt.Fprintf(&b, "\n%s\n", p.dim("cluster "+finding.Clean(where.cluster)+", metrics "+finding.Clean(where.metrics)))
	services(&b, p, r)
	b.WriteString("\n")
	findings(&b, p, r)
	patches(&b, p, r)
	c := r.Counts
	fmt.Fprintf(&b, "\n%s: %d ok, %d to look at, %d unknown, %d failed\n", p.status(r.Status, headline(r)), c.OK, c.Warn, c.Unknown, c.Fail)
	_, err := io.WriteString(w, b.String())
	return err
}

func headline(r *ready.Result) string {
	switch r.Status {
	case ready.OK:
		return "ready"
	case ready.Warn:
		return "ready, with warnings"
	case ready.Unknown:
		return "cannot tell"
	}
	return "not ready"
}

func services(b *strings.Builder, p paint, r *ready.Result) {
	if len(r.Services) == 0 {
		return
	}
	rows := [][]string{{"SERVICE", "NOW", "PEAK", "A REPLICA", "THERE", "NEEDED", "MIN", "MAX"}}
	for i := range r.Services {
		n := &r.Services[i]
		rows = append(rows, []string{n.Namespace + "/" + n.Workload, rate(n.Now), rate(n.Peak), rate(n.PerReplica), count(n.Replicas), count(n.Needed), bound(n.Min), bound(n.Max)})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	b.WriteString("\n")
	for i, row := range rows {
		line := fmt.Sprintf("%-*s", widths[0], row[0])
		for j, cell := range row[1:] {
			line += strings.Repeat(" ", 2+widths[j+1]-utf8.RuneCountInString(cell)) + cell
		}
		if i == 0 {
			b.WriteString(p.dim(line) + "\n")
			continue
		}
		n := &r.Services[i-1]
		b.WriteString(p.status(n.Status, line) + "\n")
		for _, s := range []struct {
			what string
			n    *ready.Number
		}{{"peak", n.Peak}, {"a replica", n.PerReplica}} {
			if s.n != nil {
				b.WriteString(p.dim(fmt.Sprintf("  %s: %s", s.what, source(s.n))) + "\n")
			}
		}
	}
}

func rate(n *ready.Number) string {
	if n == nil {
		return "unknown"
	}
	return n.String()
}

func count(n *ready.Number) string {
	if n == nil {
		return "unknown"
	}
	return commas(int64(n.Value))
}

func bound(n *int) string {
	if n == nil {
		return "-"
	}
	return commas(int64(*n))
}

func commas(n int64) string {
	return (&ready.Number{Value: float64(n), Unit: "1"}).String()
}

// source is where a number is from, with its basis where the words do not say it.
func source(n *ready.Number) string {
	text := finding.Clean(n.Source)
	if !slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }), string(n.Basis)) {
		text = string(n.Basis) + ", " + text
	}
	return text
}

const maxSubject = 40

func findings(b *strings.Builder, p paint, r *ready.Result) {
	checks, subjects := 0, 0
	for i := range r.Findings {
		f := &r.Findings[i]
		checks = max(checks, len(f.Check))
		subjects = max(subjects, min(utf8.RuneCountInString(f.Subject), maxSubject))
	}
	indent := strings.Repeat(" ", 7+2+checks+2+subjects+2)
	for i := range r.Findings {
		f := &r.Findings[i]
		status := string(f.Status)
		why := finding.Clean(f.Why)
		if f.Accepted {
			why += " (accepted)"
		}
		fmt.Fprintf(b, "%s  %-*s  %-*s  %s\n", p.status(f.Status, fmt.Sprintf("%-7s", status)), checks, f.Check, subjects, finding.Clean(f.Subject), why)
		if f.Do != "" {
			fmt.Fprintf(b, "%s→ %s\n", indent, finding.Clean(f.Do))
		}
		var from []string
		if f.Number != nil {
			from = append(from, f.Number.String()+": "+source(f.Number))
		}
		if f.Limit != nil {
			from = append(from, "limit "+f.Limit.String()+": "+source(f.Limit))
		}
		for _, s := range from {
			b.WriteString(indent + p.dim(s) + "\n")
		}
	}
}

func patches(b *strings.Builder, p paint, r *ready.Result) {
	if len(r.Patches) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", p.with("1", fmt.Sprintf("to apply before %s, and undo after %s", r.Event.ApplyBefore.Format("2006-01-02 15:04"), r.Event.UndoAfter.Format("15:04"))))
	for i := range r.Patches {
		var changes []string
		for _, s := range r.Patches[i].Set {
			changes = append(changes, fmt.Sprintf("%s %v → %v", s.Path[strings.LastIndexByte(s.Path, '.')+1:], s.From, s.To))
		}
		if r.Patches[i].Basis == ready.Assumed {
			changes = append(changes, "by an assumption")
		}
		fmt.Fprintf(b, "  %s\n  %s\n", p.dim("# "+strings.Join(changes, ", ")), r.Patches[i].Command)
	}
}

// writePatches writes what to apply, and beside it what undoes it.
func (o *options) writePatches(r *ready.Result, stderr io.Writer) error {
	ext := filepath.Ext(o.patch)
	undo := strings.TrimSuffix(o.patch, ext) + ".undo" + ext
	// What was there before the first prescaling is told once: after it has been
	// applied, what is there is the prescaling.
	if _, err := os.Stat(undo); err == nil {
		return fmt.Errorf("--patch: %s is there already and may still be needed: apply it, or move it away", undo)
	}
	for _, f := range []struct {
		path string
		undo bool
	}{{o.patch, false}, {undo, true}} {
		var text strings.Builder
		if err := r.WritePatches(&text, f.undo); err != nil {
			return err
		}
		if err := replace(f.path, text.String()); err != nil {
			return fmt.Errorf("--patch: %w", err)
		}
	}
	fmt.Fprintf(stderr, "%s (%d changes), and %s to undo them\n", o.patch, len(r.Patches), undo)
	return nil
}

// replace writes the file whole, or leaves it as it was.
func replace(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
