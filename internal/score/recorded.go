package score

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
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
