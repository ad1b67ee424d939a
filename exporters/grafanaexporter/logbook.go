package grafanaexporter

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/event"
	"github.com/vigie-otel/vigie/internal/timeline"
)

const (
	// bookLook is how often the log book is asked whether it grew.
	bookLook = 5 * time.Second
	// bookPast is how old an entry may be that is drawn at the start.
	bookPast = 24 * time.Hour
	// bookLine and bookPass bound what is read of it: a line, and at a time.
	bookLine = 64 << 10
	bookPass = 4 << 20
)

// logBook reads the war room's log book, which only grows, from where it was
// last.
type logBook struct {
	path   string
	offset int64 // of the first byte that was not read
}

// next returns the entries that came since, whole lines only. A file that is
// shorter than what was read is another one and is read from its beginning.
func (b *logBook) next() (entries []timeline.Entry, err error) {
	f, err := os.Open(b.path)
	if errors.Is(err, os.ErrNotExist) { // nobody has written yet
		b.offset = 0
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open log book: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat log book: %w", err)
	}
	if info.Size() < b.offset {
		b.offset = 0
	}
	if _, err := f.Seek(b.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read log book: %w", err)
	}
	in := bufio.NewReaderSize(io.LimitReader(f, bookPass), bookLine)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF): // the rest of the line is still to come
			return entries, nil
		case errors.Is(err, bufio.ErrBufferFull): // a line that nobody here wrote
			b.offset += int64(len(line))
			continue
		case err != nil:
			return entries, fmt.Errorf("read log book: %w", err)
		}
		b.offset += int64(len(line))
		var e timeline.Entry
		if json.Unmarshal(line, &e) == nil && !e.At.IsZero() {
			entries = append(entries, e)
		}
	}
}

// keep tells the log book's entries as they are written, until ctx ends.
func (g *grafana) keep(ctx context.Context) {
	book := &logBook{path: g.cfg.LogBook}
	said := ""
	for ctx.Err() == nil {
		before := book.offset
		entries, err := book.next()
		if err != nil && err.Error() != said {
			g.set.Logger.Warn("the log book is not drawn until it can be read", zap.Error(err))
			said = err.Error()
		} else if err == nil {
			said = ""
		}
		g.take(ctx, g.written(entries, time.Now()))
		if err != nil || book.offset == before {
			g.rest(ctx, bookLook, nil)
		}
	}
}

// written are the entries that are drawn: what people wrote. Phases come from the
// calendar where that is drawn, as regions.
func (g *grafana) written(entries []timeline.Entry, now time.Time) (words []word) {
	for _, entry := range entries {
		if entry.At.Add(bookPast).Before(now) || entry.Kind == timeline.Phase && g.cfg.Calendar != "" {
			continue
		}
		if e, ok := event.FromEntry(entry, ""); ok {
			words = append(words, g.cfg.ofEvent(&e))
		}
	}
	return words
}
