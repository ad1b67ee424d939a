package score

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/eventclock"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/request"
)

// Recorded judges the recorded traffic in a folder laid out as its README says:
// frade, scanners, elastic-logs and a peer's tests in crowdsec-hub. What is not
// there is named in the notes.
func Recorded(ctx context.Context, folder string) ([]RealResult, []string, error) {
	if folder == "" {
		return nil, []string{"no folder of recorded traffic was given (VIGIE_DATA); the figures are of made traffic alone"}, nil
	}
	var out []RealResult
	var notes []string
	for _, judge := range []func(context.Context, string) ([]RealResult, error){frade, scanners, ordinary, peerTests} {
		results, err := judge(ctx, folder)
		if errors.Is(err, os.ErrNotExist) {
			notes = append(notes, fmt.Sprintf("recorded traffic that is not in the folder was skipped: %v", err))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		out = append(out, results...)
	}
	return out, notes, nil
}

// recording is what the detector made of one file.
type recording struct {
	lines, unread int64
	findings      []finding.Finding // each in its last state
	first         int64             // ns: the oldest request
	tally         []tally           // by line: what was marked, by whom
}

type tally struct {
	client netip.Addr
	marked bool
	open   bool // an attack finding was open
	at     int64
}

// maxRecorded bounds the lines that are kept of one file.
const maxRecorded = 5_000_000

func record(ctx context.Context, path string) (*recording, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer file.Close()
	r, err := Decompress(path, file)
	if err != nil {
		return nil, err
	}
	parser, err := accesslog.New(accesslog.Auto, accesslog.Options{})
	if err != nil {
		return nil, err
	}
	d, err := detect.New(detect.Config{})
	if err != nil {
		return nil, err
	}
	rec := &recording{}
	last, open := map[string]int{}, map[string]bool{}
	keep := func(list []finding.Finding) {
		for _, f := range list {
			if f.Class.Attack() {
				open[f.ID] = f.Status != finding.Closed
			}
			if i, ok := last[f.ID]; ok {
				rec.findings[i] = f
				continue
			}
			last[f.ID] = len(rec.findings)
			rec.findings = append(rec.findings, f)
		}
	}
	anyOpen := func() bool {
		for _, is := range open {
			if is {
				return true
			}
		}
		return false
	}
	var clock eventclock.Clock
	var req request.Request
	service := []byte("recorded")
	isOpen := false
	lines, err := readLines(ctx, path, r, parser)
	if err != nil {
		return nil, err
	}
	rec.lines, rec.tally = int64(len(lines)), make([]tally, len(lines))
	for i, l := range inOrder(lines) {
		if i%65536 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		req.Reset()
		if l.at == 0 || parser.Parse(l.text, &req) != nil {
			rec.unread++
			continue
		}
		req.Service = service
		if clock.See(req.UnixNano) != eventclock.Same {
			keep(d.Tick(clock.Second()))
			isOpen = anyOpen()
		}
		mark := d.Observe(&req)
		rec.tally[l.n] = tally{client: req.Client, marked: mark.FindingID != "", open: isOpen, at: req.UnixNano}
		if rec.first == 0 {
			rec.first = req.UnixNano
		}
	}
	if now, ok := clock.Now(); ok { // the file is over; as live, time goes on
		for i := range 120 {
			keep(d.Tick(now.Add(time.Duration(i+1) * time.Second)))
		}
	}
	keep(d.Flush())
	return rec, nil
}

// recordedLine is a line of a log, where it stood and when it happened; at is 0
// when it cannot be read.
type recordedLine struct {
	text []byte
	n    int
	at   int64
}

func readLines(ctx context.Context, path string, r io.Reader, parser *accesslog.Parser) ([]recordedLine, error) {
	var lines []recordedLine
	var req request.Request
	scan := newScanner(r)
	for scan.Scan() {
		if len(lines) == maxRecorded {
			return nil, fmt.Errorf("read %s: more than %d lines, which have to be put in order", path, maxRecorded)
		}
		if len(lines)%65536 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l := recordedLine{text: slices.Clone(scan.Bytes()), n: len(lines)}
		req.Reset()
		if parser.Parse(l.text, &req) == nil {
			l.at = req.UnixNano
		}
		lines = append(lines, l)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return lines, nil
}

// inOrder puts lines in the order of their seconds, as vigie detect does with a
// log that is not: some data sets are shuffled.
func inOrder(lines []recordedLine) []recordedLine {
	slices.SortStableFunc(lines, func(a, b recordedLine) int { return cmp.Compare(a.at/1e9, b.at/1e9) })
	return lines
}

// attacks lists the classes of the attack findings, with their number.
func (r *recording) attacks() string {
	count := map[finding.Class]int{}
	for _, f := range r.findings {
		if f.Class.Attack() {
			count[f.Class]++
		}
	}
	var out []string
	for _, c := range finding.Classes() {
		if count[c] > 0 {
			out = append(out, fmt.Sprintf("%d %s", count[c], c))
		}
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, ", ")
}

// against scores the marks with the truth of each line.
func (r *recording) against(attack func(line int) bool) (precision, recall string) {
	var hit, miss, wrong float64
	for i, t := range r.tally {
		is := attack(i)
		switch {
		case t.marked && is:
			hit++
		case t.marked:
			wrong++
		case is && t.open:
			miss++
		}
	}
	precision, recall = "–", "–"
	if hit+wrong > 0 {
		precision = fmt.Sprintf("%.1f %%", 100*hit/(hit+wrong))
	}
	if hit+miss > 0 {
		recall = fmt.Sprintf("%.1f %%", 100*hit/(hit+miss))
	}
	return precision, recall
}

// frade is an emulated crowd and slow flash-crowd bots; labels by line.
func frade(ctx context.Context, folder string) ([]RealResult, error) {
	labels, err := os.Open(filepath.Join(folder, "frade", "labels.csv.gz"))
	if err != nil {
		return nil, fmt.Errorf("frade: %w", err)
	}
	defer labels.Close()
	plain, err := Decompress(labels.Name(), labels)
	if err != nil {
		return nil, err
	}
	bots := map[int]bool{}
	rows := csv.NewReader(bufio.NewReader(plain))
	first := int64(0)
	for i := -1; ; i++ { // the first row is the header
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(row) < 4 {
			return nil, fmt.Errorf("read frade labels row %d: %v", i+2, err)
		}
		if row[3] == "bot" {
			bots[i] = true
		}
	}
	rec, err := record(ctx, filepath.Join(folder, "frade", "access.clf.log.gz"))
	if err != nil {
		return nil, err
	}
	for i, t := range rec.tally {
		if bots[i] {
			first = t.at
			break
		}
	}
	out := RealResult{Name: "frade: an emulated crowd and slow bots", Lines: rec.lines, Findings: rec.attacks(), Wanted: fmt.Sprintf("%d requests of bots", len(bots)), Found: "no"}
	for _, f := range rec.findings {
		if f.Class.Attack() {
			out.Found = fmt.Sprintf("%s, %.0f s after the first", f.Class, f.DetectedAt.Sub(time.Unix(0, first)).Seconds())
			break
		}
	}
	out.Precision, out.Recall = rec.against(func(i int) bool { return bots[i] })
	return []RealResult{out}, nil
}

// scanners are two vulnerability scanners at work, nothing else.
func scanners(ctx context.Context, folder string) ([]RealResult, error) {
	var out []RealResult
	for _, name := range []string{"acunetix", "w3af"} {
		rec, err := record(ctx, filepath.Join(folder, "scanners", name+".log.gz"))
		if err != nil {
			return nil, err
		}
		r := RealResult{Name: "scanner " + name, Lines: rec.lines, Findings: rec.attacks(), Wanted: "all of it", Found: "no"}
		if len(rec.findings) > 0 {
			r.Found = fmt.Sprintf("%s, %.0f s after the first", rec.findings[0].Class, rec.findings[0].DetectedAt.Sub(time.Unix(0, rec.first)).Seconds())
		}
		r.Precision, r.Recall = rec.against(func(int) bool { return true })
		out = append(out, r)
	}
	return out, nil
}

// ordinary is a small site's log with a few crawlers.
func ordinary(ctx context.Context, folder string) ([]RealResult, error) {
	rec, err := record(ctx, filepath.Join(folder, "elastic-logs", "apache_logs.gz"))
	if err != nil {
		return nil, err
	}
	marked := 0
	for _, t := range rec.tally {
		if t.marked {
			marked++
		}
	}
	return []RealResult{{
		Name: "a small site's ordinary traffic", Lines: rec.lines, Findings: rec.attacks(), Wanted: "nothing",
		Found: fmt.Sprintf("%d of %d requests marked", marked, rec.lines), Precision: "–", Recall: "–",
	}}, nil
}

// peerTest is one of a peer's tests: which sources it names in a log.
type peerTest struct {
	Test   string `json:"test"`
	Log    string `json:"log"`
	Lines  int    `json:"lines"`
	Expect []struct {
		Scenario string   `json:"scenario"`
		Sources  []string `json:"sources"`
		Events   int      `json:"events"`
	} `json:"expect"`
}

// inScope are the scenarios about behaviour; signatures of one vulnerability in
// one request, or of one user agent, are not ours.
func inScope(scenario string) bool {
	for _, word := range []string{"-bf", "http-probing", "crawl", "dos", "dos-swit", "user-enum", "sensitive-files", "admin-interface-probing", "path-traversal", "sqli-prob", "xss-prob"} {
		if strings.Contains(scenario, word) && !strings.Contains(scenario, "CVE") {
			return true
		}
	}
	return false
}

func peerTests(ctx context.Context, folder string) ([]RealResult, error) {
	text, err := os.ReadFile(filepath.Join(folder, "crowdsec-hub", "expectations.json"))
	if err != nil {
		return nil, fmt.Errorf("crowdsec-hub: %w", err)
	}
	var tests []peerTest
	if err := json.Unmarshal(text, &tests); err != nil {
		return nil, fmt.Errorf("read crowdsec-hub: %w", err)
	}
	var named, missed, calm []string
	lines, silent, raised := int64(0), 0, 0
	for _, test := range tests {
		sources := map[string]bool{}
		for _, e := range test.Expect {
			if inScope(e.Scenario) && e.Events > 1 {
				for _, s := range e.Sources {
					sources[s] = true
				}
			}
		}
		if test.Lines == 0 || len(sources) == 0 && len(test.Expect) > 0 {
			continue
		}
		rec, err := record(ctx, filepath.Join(folder, "crowdsec-hub", test.Log))
		if err != nil {
			return nil, err
		}
		lines += rec.lines
		if len(test.Expect) == 0 { // the peer expects nothing
			if rec.attacks() == "none" {
				silent++
			} else {
				raised++
				calm = append(calm, test.Test)
			}
			continue
		}
		for s := range sources {
			if rec.names(s) {
				named = append(named, test.Test)
			} else {
				missed = append(missed, test.Test)
			}
		}
	}
	slices.Sort(missed)
	out := RealResult{
		Name: "a peer's tests: brute force, probing, crawling, DoS", Lines: lines, Findings: fmt.Sprintf("%d of %d expected sources named", len(named), len(named)+len(missed)),
		Wanted: fmt.Sprintf("%d sources", len(named)+len(missed)), Found: fmt.Sprintf("%d", len(named)), Precision: fmt.Sprintf("%d of %d tests that expect nothing stay silent", silent, silent+raised), Recall: "–",
	}
	if len(missed) > 0 {
		out.Found += " (not: " + strings.Join(missed, ", ") + ")"
	}
	if len(calm) > 0 {
		out.Precision += " (not: " + strings.Join(calm, ", ") + ")"
	}
	return []RealResult{out}, nil
}

// names says whether an attack finding has the source among its actors, or its
// requests are marked.
func (r *recording) names(source string) bool {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return false
	}
	for _, f := range r.findings {
		for _, a := range f.Actors {
			if p, err := netip.ParsePrefix(a.Value); err == nil && f.Class.Attack() && p.Contains(addr) {
				return true
			}
			if a.Value == source && f.Class.Attack() {
				return true
			}
		}
	}
	return slices.ContainsFunc(r.tally, func(t tally) bool { return t.marked && t.client == addr })
}
