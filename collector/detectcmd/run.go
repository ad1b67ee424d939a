package detectcmd

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/eventclock"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/mitigation"
	"github.com/vigie-otel/vigie/internal/request"
)

// session is one run of the command.
type session struct {
	files        []string
	format       accesslog.Format
	parse        accesslog.Options
	by           serviceBy
	service      []byte
	detect       detect.Config
	calendarPath string
	marksPath    string
	rules        mitigation.Format // "" for none
	rulesPath    string
	order        sorting
	changes      bool
	quiet        bool
	in           io.Reader
	out, err     io.Writer

	newJudge func(detect.Config) (judge, error)
	detector judge
	clock    eventclock.Clock
	parser   *accesslog.Parser
	file     int      // that parser reads
	parsers  []parsed // what became of each file
	request  request.Request
	lines    uint64 // the number of the current line
	read     uint64 // lines judged so far; not lines, when they are sorted
	bytes    int64  // in those
	tooLong  uint64
	resorted bool // lines were put in order
	unsorted bool // they should have been, and are too many
	restarts int
	first    time.Time // event time
	marks    *marks
	findings *findings
	course   course
	late     detect.Stats // of detectors before a restart
	progress *progress
	began    time.Time // wall clock
}

// judge is what the command needs of a detect.Detector; tests give it one that
// finds what they say.
type judge interface {
	Observe(*request.Request) detect.Mark
	Tick(time.Time) []finding.Finding
	Flush() []finding.Finding
	Services() []string
	Status(string) (detect.Status, bool)
	Stats() detect.Stats
}

func newDetector(c detect.Config) (judge, error) { return detect.New(c) }

// parsed says how a file was read.
type parsed struct {
	file   string
	format accesslog.Format
	stats  accesslog.Stats
}

// run reads everything and writes everything. What was found before an error is
// written all the same.
func run(ctx context.Context, s *session) (err error) {
	s.began = time.Now()
	if err := s.loadCalendar(); err != nil {
		return err
	}
	if s.detector, err = s.newJudge(s.detect); err != nil {
		return err
	}
	src, err := newSource(s.files, s.in)
	if err != nil {
		return err
	}
	stdout := bufio.NewWriter(s.out)
	s.findings = newFindings(stdout, s.changes, s.rules == "" || s.rulesPath != "")
	if s.marks, err = newMarks(s.marksPath); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { src.run(ctx) })
	s.progress = newProgress(s.err, src, s.quiet)
	workers.Go(s.progress.run)

	readErr := s.consume(ctx, src, stdout)
	s.flush()

	cancel()
	s.progress.stop()
	workers.Wait()
	err = errors.Join(readErr, s.marks.close(), s.writeRules(stdout), s.findings.err, stdout.Flush())
	if !s.quiet {
		s.summarise()
	}
	return err
}

// consume judges what the source reads: in the order of the lines, or, where
// that is not the order of time, sorted.
func (s *session) consume(ctx context.Context, src *source, stdout *bufio.Writer) error {
	var h held
	if s.order != sortNever {
		var pause <-chan time.Time
		if slices.Contains(s.files, "-") && s.order == sortAuto {
			pause = time.After(lookPause)
		}
		h.hold(src, lookBytes, pause)
		if s.order == sortAlways || s.lateShare(&h, cmp.Or(s.detect.Lateness, 3*time.Second)) > disorder {
			h.hold(src, sortBytes, nil)
			s.resorted = h.ended
			s.unsorted = !h.ended
		}
	}
	var err error
	if s.resorted {
		err = s.sorted(&h)
		for _, b := range h.blocks {
			err = errors.Join(err, b.err)
		}
	} else {
		err = s.inOrder(ctx, src, &h, stdout)
	}
	s.endFile()
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted after %d lines", s.lines)
	}
	return s.nothingRead()
}

// inOrder judges the blocks held, then those to come.
func (s *session) inOrder(ctx context.Context, src *source, h *held, stdout *bufio.Writer) error {
	for _, b := range h.blocks {
		if err := s.take(src, b, stdout); err != nil {
			return err
		}
	}
	h.blocks = nil
	for b := range src.blocks {
		if err := s.take(src, b, stdout); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// take judges a block.
func (s *session) take(src *source, b block, stdout *bufio.Writer) error {
	if b.file != s.file || s.parser == nil {
		s.endFile()
		s.file = b.file
		p, err := accesslog.New(s.format, s.parse)
		if err != nil {
			return err
		}
		s.parser = p
	}
	switch {
	case b.err != nil:
		return b.err
	case b.tooLong:
		s.lines++
		s.tooLong++
	default:
		for data := b.data; len(data) > 0; {
			var line []byte
			line, data = nextLine(data)
			s.lines++
			s.line(line)
		}
	}
	src.release(b)
	s.progress.note(s)
	return stdout.Flush() // a reader that follows sees findings as they end
}

// endFile keeps what became of a file.
func (s *session) endFile() {
	if s.parser == nil {
		return
	}
	s.parsers = append(s.parsers, parsed{s.files[s.file], s.parser.Format(), s.parser.Stats()})
	s.parser = nil
}

// nothingRead is an error if there were lines and none could be read: a wrong
// format must not look like a quiet day.
func (s *session) nothingRead() error {
	var all accesslog.Stats
	for _, p := range s.parsers {
		all.Lines += p.stats.Lines
		all.Requests += p.stats.Requests
		for i, n := range p.stats.Unread {
			all.Unread[i] += n
		}
	}
	if all.Requests > 0 || all.Bad()+s.tooLong == 0 {
		return nil
	}
	return fmt.Errorf("no request in %d lines could be read as format %s (%s): try another --format, or --fields for JSON with names of its own",
		s.lines, s.format, reasons(&all, s.tooLong))
}

// line judges a line with what was known before it.
func (s *session) line(line []byte) {
	s.read++
	s.bytes += int64(len(line)) + 1
	r := &s.request
	if s.parser.Parse(line, r) != nil {
		return // counted by the parser
	}
	s.nameService(r)
	switch s.clock.See(r.UnixNano) {
	case eventclock.NewSecond:
		s.tick(s.clock.Second())
	case eventclock.Rewound:
		s.restart()
	}
	if m := s.detector.Observe(r); m.FindingID != "" {
		s.marks.put(s.lines, m)
	}
}

func (s *session) nameService(r *request.Request) {
	switch s.by {
	case byNone:
		r.Service = nil
	case byHost:
		r.Service = r.Host
	case byAuto:
		if r.Service == nil {
			r.Service = r.Host
		}
	}
	if r.Service == nil {
		r.Service = s.service
	}
}

func (s *session) tick(now time.Time) {
	if s.first.IsZero() {
		s.first = now
	}
	s.findings.take(s.detector.Tick(now))
	s.course.see(s.detector, now)
}

func (s *session) flush() {
	s.findings.take(s.detector.Flush())
	s.course.end(s.detector)
}

// restart begins anew when the log goes back to the past: a detector never
// moves back.
func (s *session) restart() {
	s.flush()
	st := s.detector.Stats()
	s.late.Late += st.Late
	s.late.Future += st.Future
	s.late.Timeless += st.Timeless
	s.late.Overflowed += st.Overflowed
	s.restarts++
	if d, err := s.newJudge(s.detect); err == nil { // the configuration was good once
		s.detector = d
	}
}

func (s *session) loadCalendar() error {
	if s.calendarPath == "" {
		return nil
	}
	c, problems, err := calendar.Load(s.calendarPath)
	if err != nil {
		return fmt.Errorf("read calendar: %w", err)
	}
	for _, p := range problems {
		fmt.Fprintf(s.err, "vigie detect: calendar %s: %v, ignored\n", s.calendarPath, p)
	}
	s.detect.Expect = func(service string, at time.Time) float64 { return c.Expectation(service, at).Factor }
	return nil
}

func (s *session) writeRules(stdout io.Writer) error {
	if s.rules == "" {
		return nil
	}
	if s.rulesPath == "" {
		return mitigation.Write(stdout, s.rules, s.findings.final)
	}
	f, err := os.Create(s.rulesPath)
	if err != nil {
		return err
	}
	return errors.Join(mitigation.Write(f, s.rules, s.findings.final), f.Close())
}
