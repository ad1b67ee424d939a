package conntrackcmd

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// style is how text is coloured; the zero style is plain.
type style struct{ colour bool }

func (s style) paint(code, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(t string) string   { return s.paint("1", t) }
func (s style) dim(t string) string    { return s.paint("2", t) }
func (s style) red(t string) string    { return s.paint("1;31", t) }
func (s style) yellow(t string) string { return s.paint("33", t) }
func (s style) green(t string) string  { return s.paint("32", t) }

// render draws s as lines of at most width columns, of which at most height
// when that is above zero.
func render(s *Snapshot, width, height int, st style) []string {
	width = max(40, min(width, 160))
	title := "vigie conntrack"
	if s.NetNS != "" {
		title += "  " + s.NetNS
	}
	clock := s.At.Format("15:04:05")
	lines := []string{spread(st.bold(cut(title, width-len(clock)-1)), st.dim(clock), width), ""}
	lines = append(lines, gauge(s, width, st)...)
	if d := s.Dump; d != nil {
		left := [][]string{states(d, column(width), st), owners(d, column(width), st)}
		right := [][]string{targets(d, column(width), st), sources(d, column(width), st)}
		if column(width) == width {
			for i := range left {
				lines = append(append(append(append(lines, ""), left[i]...), ""), right[i]...)
			}
		} else {
			for i := range left {
				lines = append(append(lines, ""), beside(left[i], right[i], column(width))...)
			}
		}
		lines = append(lines, "", st.dim(cut(fmt.Sprintf("%s entries read %s ago in %.2f s of CPU", number(d.Entries),
			short(s.At.Sub(d.At)), d.CPU), width)))
	}
	for _, n := range s.Notes {
		lines = append(lines, "")
		for _, l := range wrap("! "+n, width) {
			lines = append(lines, st.yellow(l))
		}
	}
	if height > 0 && len(lines) > height {
		lines = lines[:height]
	}
	return lines
}

// column is the width of a panel: two stand beside each other where there is room.
func column(width int) int {
	if width >= 100 {
		return (width - 3) / 2
	}
	return width
}

func gauge(s *Snapshot, width int, st style) []string {
	share := 0.0
	of := "no limit"
	if s.Limit > 0 {
		share = float64(s.Count) / float64(s.Limit)
		of = "of " + number(s.Limit)
	}
	colour := st.green
	switch {
	case share >= 0.9:
		colour = st.red
	case share >= 0.7:
		colour = st.yellow
	}
	text := fmt.Sprintf(" %5.1f %%  %s %s", share*100, number(s.Count), of)
	bar := max(0, width-10-utf8.RuneCountInString(text))
	full := min(bar, int(math.Ceil(share*float64(bar))))
	lines := []string{label("usage", st) + colour(strings.Repeat("█", full)) + st.dim(strings.Repeat("░", bar-full)) + st.bold(cut(text, width-10))}
	lines = append(lines, label("wall", st)+wall(s, width-10, st), label("lost", st)+lost(s, width-10, st))
	return lines
}

func label(name string, st style) string { return st.dim(fmt.Sprintf("%-8s", name)) + "  " }

func wall(s *Snapshot, width int, st style) string {
	switch w := s.Wall; {
	case w == nil || s.Limit == 0:
		return st.dim("no limit")
	case w.Losing:
		return st.red(cut(fmt.Sprintf("HIT: losing %s a second", number(uint64(math.Ceil(w.LossRate)))), width))
	case w.MinutesLeft != nil:
		text := fmt.Sprintf("in %s at %+.0f/s", left(*w.MinutesLeft), w.Growth)
		if w.Earliest != nil && w.Latest != nil {
			text += fmt.Sprintf(" (%s to %s)", left(*w.Earliest), left(*w.Latest))
		}
		text = cut(text, width)
		if *w.MinutesLeft < 10 {
			return st.red(text)
		}
		return st.yellow(text)
	case s.DropRates == nil:
		return st.dim(cut("growth takes a few looks to tell", width))
	}
	return st.green("none in sight")
}

func lost(s *Snapshot, width int, st style) string {
	total := fmt.Sprintf("%s dropped, %s early-dropped, %s not inserted, since the start",
		number(s.Dropped.Packets), number(s.Dropped.EarlyDropped), number(s.Dropped.InsertFailed))
	if r := s.DropRates; r != nil && r.Packets+r.EarlyDropped+r.InsertFailed > 0 {
		return st.red(cut(fmt.Sprintf("%.0f/s dropped, %.0f/s early-dropped, %.0f/s not inserted",
			r.Packets, r.EarlyDropped, r.InsertFailed), width))
	}
	return cut(total, width)
}

// table is a panel: a title, then rows of a name and numbers under heads.
func table(title string, heads []string, rows [][]string, width int, st style) []string {
	const cell = 11
	name := max(8, width-cell*len(heads))
	line := func(first string, cells []string, paint func(string) string) string {
		var b strings.Builder
		b.WriteString(paint(pad(first, name)))
		for _, c := range cells {
			b.WriteString(paint(fmt.Sprintf("%*s", cell, c)))
		}
		return b.String()
	}
	lines := []string{line(strings.ToUpper(title), heads, st.dim)}
	for _, r := range rows {
		lines = append(lines, line(r[0], r[1:], func(s string) string { return s }))
	}
	if len(rows) == 0 {
		lines = append(lines, st.dim("none"))
	}
	return lines
}

func states(d *Dump, width int, st style) []string {
	var rows [][]string
	for _, s := range d.States[:min(len(d.States), showOwners)] {
		share := 100 * float64(s.Entries) / float64(max(d.Entries, 1))
		rows = append(rows, []string{s.Transport + " " + s.Type + " " + s.State, number(s.Entries), fmt.Sprintf("%.1f %%", share)})
	}
	return table("states", []string{"entries", "share"}, rows, width, st)
}

func owners(d *Dump, width int, st style) []string {
	var rows [][]string
	for _, o := range d.Owners {
		rows = append(rows, []string{arrow(o), number(o.Entries), number(o.HalfOpen)})
	}
	return table("owners", []string{"entries", "half-open"}, rows, width, st)
}

func targets(d *Dump, width int, st style) []string {
	var rows [][]string
	for _, o := range d.Targets {
		rows = append(rows, []string{arrow(o), number(o.HalfOpen), number(o.Prefixes)})
	}
	return table("half-open", []string{"entries", "prefixes"}, rows, width, st)
}

func sources(d *Dump, width int, st style) []string {
	var rows [][]string
	for _, s := range d.Sources {
		rows = append(rows, []string{s.Address.String(), number(s.Entries), number(s.HalfOpen)})
	}
	return table("sources", []string{"entries", "half-open"}, rows, width, st)
}

func arrow(o Owner) string {
	switch {
	case o.Owner == "other":
		return "  other"
	case o.Target:
		return "→ " + o.Owner
	}
	return "← " + o.Owner
}

// beside sets two panels side by side, each width columns wide.
func beside(a, b []string, width int) (lines []string) {
	for i := range max(len(a), len(b)) {
		var l, r string
		if i < len(a) {
			l = a[i]
		}
		if i < len(b) {
			r = b[i]
		}
		lines = append(lines, strings.TrimRight(l+strings.Repeat(" ", max(0, width-visible(l)))+"   "+r, " "))
	}
	return lines
}

func spread(left, right string, width int) string {
	return left + strings.Repeat(" ", max(1, width-visible(left)-visible(right))) + right
}

// visible is how many columns s takes: every rune we draw is one wide, colours none.
func visible(s string) (n int) {
	escape := false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			n++
		}
	}
	return n
}

func pad(s string, width int) string {
	s = cut(s, width)
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}

// cut shortens plain text to width columns.
func cut(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:max(0, width-1)]) + "…"
}

// wrap breaks plain text at spaces into lines of width columns.
func wrap(s string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, cut(line, width))
			line = " "
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, cut(line, width))
}

// number writes n with commas.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func left(minutes float64) string { return short(time.Duration(minutes * float64(time.Minute))) }

func short(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}
