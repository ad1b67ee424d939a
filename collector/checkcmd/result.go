package checkcmd

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/vigie-otel/vigie/internal/finding"
)

// Level is how a part stands.
type Level string

// The levels. A warning does not fail the check.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// Result is one line.
type Result struct {
	Level Level  `json:"level"`
	Part  string `json:"part"`          // as in the configuration, e.g. exporters::grafana
	Text  string `json:"text"`          // what was found
	Fix   string `json:"fix,omitempty"` // what to do; empty where there is nothing
	Ms    int64  `json:"ms"`            // how long it took
}

func ok(format string, args ...any) Result {
	return Result{Level: OK, Text: fmt.Sprintf(format, args...)}
}

func warn(fix, format string, args ...any) Result {
	return Result{Level: Warn, Fix: fix, Text: fmt.Sprintf(format, args...)}
}

func fail(fix, format string, args ...any) Result {
	return Result{Level: Fail, Fix: fix, Text: fmt.Sprintf(format, args...)}
}

// Results are all lines, in the configuration's order.
type Results []Result

func (r Results) count(l Level) (n int) {
	for _, x := range r {
		if x.Level == l {
			n++
		}
	}
	return n
}

// err is nil only if nothing failed.
func (r Results) err() error {
	if n := r.count(Fail); n > 0 {
		return fmt.Errorf("%d of %d checks failed", n, len(r))
	}
	return nil
}

func (r Results) printJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if r == nil {
		r = Results{}
	}
	return enc.Encode(struct {
		OK      bool    `json:"ok"`
		Results Results `json:"results"`
	}{r.err() == nil, r})
}

// maxPartColumn is where the column of parts stops growing.
const maxPartColumn = 44

func (r Results) print(w io.Writer, colours bool) error {
	paint := func(l Level) string {
		text := fmt.Sprintf("%-4s", l)
		if !colours {
			return text
		}
		return map[Level]string{OK: "\x1b[32m", Warn: "\x1b[33m", Fail: "\x1b[31m"}[l] + text + "\x1b[0m"
	}
	width := 0
	for _, x := range r {
		width = max(width, min(utf8.RuneCountInString(x.Part), maxPartColumn))
	}
	var b strings.Builder
	for _, x := range r {
		// What an endpoint answers is on this screen: no escapes of its own.
		fmt.Fprintf(&b, "%s  %-*s  %s\n", paint(x.Level), width, x.Part, finding.Clean(x.Text))
		if x.Fix != "" {
			fmt.Fprintf(&b, "      %*s  → %s\n", width, "", finding.Clean(x.Fix))
		}
	}
	fmt.Fprintf(&b, "%d ok, %d to look at, %d failed\n", r.count(OK), r.count(Warn), r.count(Fail))
	_, err := io.WriteString(w, b.String())
	return err
}
