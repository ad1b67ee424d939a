package replay

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Sink takes requests where they go. Flush hands on what Add has kept.
type Sink interface {
	Add(ctx context.Context, ev *Event) error
	Flush(ctx context.Context) error
}

// Lines is a Sink that writes lines.
type Lines struct {
	w     io.Writer
	lines LineWriter
	buf   []byte
}

// NewLines writes lines of the format to w, in pieces of about 256 KiB or at each
// Flush, always whole lines.
func NewLines(w io.Writer, format Format) *Lines {
	return &Lines{w: w, lines: LineWriter{Format: format}, buf: make([]byte, 0, 1<<18+4096)}
}

// Add appends a line.
func (l *Lines) Add(ctx context.Context, ev *Event) error {
	l.buf = l.lines.Append(l.buf, ev)
	if len(l.buf) < 1<<18 {
		return nil
	}
	return l.Flush(ctx)
}

// Flush writes what is kept.
func (l *Lines) Flush(context.Context) error {
	if len(l.buf) == 0 {
		return nil
	}
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	if err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	return nil
}

// Progress is where a run stands.
type Progress struct {
	Lines   int64
	Elapsed time.Duration // wall clock
	Event   time.Duration // event time since the scenario's beginning
	Rate    float64       // lines/s of wall clock since the last report
	Lag     time.Duration // behind the schedule; 0 at full speed
	Attacks []string      // ids of the attacks under way
}

// Pace says how fast a run goes.
type Pace struct {
	// Speed is event seconds a wall-clock second; 0 means as fast as possible.
	Speed float64
	// Report, where given, is called about once a second and at the end.
	Report func(Progress)
}

// flushEvery keeps a paced file close to now, so that whoever follows it sees
// each line within a tenth of a second.
const flushEvery = 50 * time.Millisecond

// Run makes the whole scenario, each request to the sink and its label to labels
// (nil for none). It returns ctx's error when it is stopped before the end; what
// was made until then is flushed.
func Run(ctx context.Context, g *Generator, sink Sink, labels *Labels, pace Pace) error {
	var ev Event
	began := time.Now()
	flushed, reported := began, began
	reportedLines := int64(0)
	report := func(now time.Time, lag time.Duration) {
		if pace.Report == nil {
			return
		}
		elapsed := max(now.Sub(reported), time.Millisecond)
		pace.Report(Progress{
			Lines: g.truth.Lines, Elapsed: now.Sub(began), Event: time.Duration(max(0, g.slot)), Lag: lag,
			Rate: float64(g.truth.Lines-reportedLines) / elapsed.Seconds(), Attacks: g.underWay(),
		})
		reported, reportedLines = now, g.truth.Lines
	}
	flush := func() error {
		if labels != nil {
			if err := labels.Flush(); err != nil {
				return fmt.Errorf("write labels: %w", err)
			}
		}
		return sink.Flush(ctx)
	}
	slot := int64(-1)
	for g.Next(&ev) {
		if g.slot != slot { // at most a hundred times an event second
			slot = g.slot
			lag, err := pace.wait(ctx, began, slot, &flushed, flush)
			if err != nil {
				sink.Flush(context.WithoutCancel(ctx))
				return err
			}
			if now := flushed; now.Sub(reported) >= time.Second {
				report(now, lag)
			}
		}
		if err := sink.Add(ctx, &ev); err != nil {
			return err
		}
		if labels != nil {
			labels.add(&ev)
		}
	}
	if err := flush(); err != nil {
		return err
	}
	report(time.Now(), 0)
	return nil
}

// wait holds a paced run back until the slot's time has come and flushes; a run
// at full speed only looks at the clock and at ctx.
func (p Pace) wait(ctx context.Context, began time.Time, slot int64, flushed *time.Time, flush func() error) (lag time.Duration, err error) {
	now := time.Now()
	if p.Speed <= 0 {
		*flushed = now
		return 0, ctx.Err()
	}
	due := began.Add(time.Duration(float64(slot) / p.Speed))
	if early := due.Sub(now); early > 0 || now.Sub(*flushed) >= flushEvery {
		if err := flush(); err != nil {
			return 0, err
		}
		*flushed = now
		if early > 0 {
			timer := time.NewTimer(early)
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-timer.C:
			}
			return 0, nil
		}
	}
	return max(0, now.Sub(due)), ctx.Err()
}

func (g *Generator) underWay() []string {
	var ids []string
	for _, a := range g.attacks {
		if g.slot >= a.from && g.slot < a.to {
			ids = append(ids, a.spec.ID)
		}
	}
	return ids
}
