package promstore

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
)

// repairs notes whether tsdb repaired its log.
type repairs struct{ seen atomic.Bool }

// quiet turns tsdb's chatter about each log segment and block into debug
// records; a repair stays what it was.
type quiet struct {
	slog.Handler
	repairs *repairs
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "Successfully repaired") {
		q.repairs.seen.Store(true)
	} else if r.Level == slog.LevelInfo {
		r.Level = slog.LevelDebug
		if !q.Enabled(ctx, r.Level) {
			return nil
		}
	}
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(as []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(as), q.repairs}
}
func (q quiet) WithGroup(n string) slog.Handler { return quiet{q.Handler.WithGroup(n), q.repairs} }
