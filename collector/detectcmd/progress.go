package detectcmd

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// progress draws a bar on a terminal, five times a second, from numbers that
// the detecting goroutine leaves for it.
type progress struct {
	w     io.Writer
	src   *source
	lines atomic.Uint64
	bytes atomic.Int64 // of the lines, decompressed
	event atomic.Int64 // Unix s
	open  atomic.Int64
	done  chan struct{}
	draws bool
}

func newProgress(w io.Writer, src *source, quiet bool) *progress {
	return &progress{w: w, src: src, done: make(chan struct{}), draws: !quiet && isTerminal(w)}
}

// isTerminal says whether w can move its cursor.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) note(s *session) {
	p.lines.Store(s.read)
	p.bytes.Store(s.bytes)
	p.open.Store(int64(s.findings.open))
	if now, ok := s.clock.Now(); ok {
		p.event.Store(now.Unix())
	}
}

func (p *progress) run() {
	if !p.draws {
		<-p.done
		return
	}
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	began := time.Now()
	for {
		select {
		case <-p.done:
			fmt.Fprint(p.w, "\r\x1b[K")
			return
		case <-t.C:
			fmt.Fprint(p.w, "\r\x1b[K"+p.draw(time.Since(began)))
		}
	}
}

func (p *progress) stop() { close(p.done) }

const barWidth = 24

// draw is the bar as of now, shorter than a narrow terminal.
func (p *progress) draw(since time.Duration) string {
	lines := p.lines.Load()
	var b strings.Builder
	if p.src.total > 0 {
		done := p.src.done(p.bytes.Load())
		full := int(done * barWidth)
		fmt.Fprintf(&b, "%s%s %3.0f %%  ", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), 100*done)
	}
	fmt.Fprintf(&b, "%s lines, %s/s", count(lines), count(uint64(float64(lines)/max(since.Seconds(), 0.001))))
	if at := p.event.Load(); at != 0 {
		fmt.Fprintf(&b, ", %s", time.Unix(at, 0).UTC().Format("2006-01-02 15:04:05"))
	}
	if n := p.open.Load(); n > 0 {
		fmt.Fprintf(&b, ", %d open", n)
	}
	return b.String()
}

// count writes a number with commas.
func count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
