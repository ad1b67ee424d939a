package conntrackcmd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// Terminal control (ECMA-48, and xterm's alternate screen).
const (
	enter     = "\x1b[?1049h\x1b[?25l" // alternate screen, cursor hidden
	leave     = "\x1b[?25h\x1b[?1049l"
	home      = "\x1b[H"
	endOfLine = "\x1b[K"
	endOfAll  = "\x1b[J"
)

// live draws until q, Ctrl-C or ctx's end. Each frame is one write over the
// last: lines are cleared behind their text, never before it, so nothing
// flickers.
func live(ctx context.Context, obs *observer, interval time.Duration, out *os.File) error {
	s, err := obs.look(ctx, time.Now()) // before the screen is taken: an error stays readable
	if err != nil {
		return fmt.Errorf("read the connection-tracking table: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if in := int(os.Stdin.Fd()); term.IsTerminal(in) {
		if before, err := term.MakeRaw(in); err == nil {
			defer term.Restore(in, before)
			go keys(os.Stdin, cancel)
		}
	}
	if _, err := out.WriteString(enter); err != nil {
		return err
	}
	defer out.WriteString(leave)
	st := style{colour: os.Getenv("NO_COLOR") == ""}
	return every(ctx, interval, func() error {
		if now := time.Now(); now.After(s.At) {
			next, err := obs.look(ctx, now)
			if err != nil {
				next = s // what was last seen, and why it is no longer seen
				next.Notes = []string{err.Error()}
			}
			s = next
		}
		width, height, err := term.GetSize(int(out.Fd()))
		if err != nil {
			width, height = 80, 24
		}
		_, err = out.Write(frame(render(&s, width, height-1, st), st.dim("q quits")))
		return err
	})
}

// frame is a whole screen in one write. In raw mode a line ends by CR LF.
func frame(lines []string, footer string) []byte {
	var b bytes.Buffer
	b.WriteString(home)
	for _, l := range lines {
		b.WriteString(l)
		b.WriteString(endOfLine + "\r\n")
	}
	b.WriteString(footer + endOfLine + endOfAll)
	return b.Bytes()
}

// keys ends the view by q, Q, Escape or Ctrl-C (a byte, in raw mode).
func keys(in *os.File, quit func()) {
	b := make([]byte, 16)
	for {
		n, err := in.Read(b)
		if err != nil || bytes.ContainsAny(b[:n], "qQ\x03\x1b") {
			quit()
			return
		}
	}
}
