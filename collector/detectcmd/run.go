package detectcmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	changes      bool
	quiet        bool
	in           io.Reader
	out, err     io.Writer

	newJudge func(detect.Config) (judge, error)
	detector judge
	clock    eventclock.Clock
	parser   *accesslog.Parser
	parsers  []parsed // what became of each file
	request  request.Request
	lines    uint64
	tooLong  uint64
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

	readErr := s.blocks(ctx, src, stdout)
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

// blocks consumes what the source reads.
func (s *session) blocks(ctx context.Context, src *source, stdout *bufio.Writer) error {
	file := -1
	for b := range src.blocks {
		if b.file != file {
			s.endFile()
			file = b.file
			p, err := accesslog.New(s.format, s.parse)
			if err != nil {
				return err
			}
			s.parser = p
		}
		switch {
		case b.err != nil:
			s.endFile()
			return b.err
		case b.tooLong:
			s.lines++
			s.tooLong++
		default:
			s.block(b.data)
		}
		src.release(b)
		s.progress.note(s)
		if err := stdout.Flush(); err != nil { // a reader that follows sees findings as they end
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	s.endFile()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("interrupted after %d lines", s.lines)
	}
	return s.nothingRead()
}

// endFile keeps what became of a file.
func (s *session) endFile() {
	if s.parser == nil {
		return
	}
	s.parsers = append(s.parsers, parsed{s.files[len(s.parsers)], s.parser.Format(), s.parser.Stats()})
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

func (s *session) block(data []byte) {
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		s.lines++
		s.line(line)
	}
}

// line judges a line with what was known before it.
func (s *session) line(line []byte) {
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
