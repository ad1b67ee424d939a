package reportcmd

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/report"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// read makes the report from the data directory of a Vigie that does not run.
func (o *options) read(ctx context.Context) (doc document, err error) {
	var c *calendar.Calendar
	if path := cmp.Or(o.calendar, os.Getenv("VIGIE_CALENDAR")); path != "" {
		if c, _, err = calendar.Load(path); err != nil {
			return doc, err
		}
	}
	from, to, ev, err := report.When(o.from, o.to, o.now(), c)
	if err != nil {
		return doc, fmt.Errorf("--%w", err)
	}
	dir := filepath.Join(cmp.Or(o.dataDir, os.Getenv("VIGIE_DATA_DIR"), "data"), "store")
	if _, err := os.Stat(dir); err != nil {
		return doc, fmt.Errorf("there is no store to read: %w; name its parent with --data-dir, or a running Vigie with --server", err)
	}
	store, err := open(dir)
	if errors.Is(err, promstore.ErrLocked) {
		return doc, fmt.Errorf("%w; a Vigie runs on it: ask that one, e.g. with --server http://127.0.0.1:8640", err)
	}
	if err != nil {
		return doc, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	in := report.Input{From: from, To: to, Made: o.now(), Event: ev, SLO: o.slo, Version: o.version, Store: store, Grafana: o.grafana}
	if err := readRoom(&in, filepath.Join(dir, "room")); err != nil {
		return doc, err
	}
	rep, err := report.Make(ctx, in)
	if err != nil {
		return doc, fmt.Errorf("make the report: %w", err)
	}
	var html, lines bytes.Buffer
	if err := errors.Join(rep.WriteHTML(&html), rep.WriteNDJSON(&lines)); err != nil {
		return doc, err
	}
	return document{html.Bytes(), lines.Bytes()}, nil
}

// open opens a store to read it: nothing in it is too old, or too large, to stay.
func open(dir string) (*promstore.Store, error) {
	const years = 10 * 365 * 24 * time.Hour
	return promstore.Open(promstore.Config{
		Dir: dir, Retention: years, MaxBytes: 1 << 50, MinFreeBytes: -1, QueryTimeout: 2 * time.Minute,
	}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
}

// readRoom reads the log book and the findings; a room that wrote none has none.
func readRoom(in *report.Input, dir string) error {
	entries, broken, err := timeline.Read(filepath.Join(dir, "timeline.ndjson"), in.From, in.To)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	in.Entries, in.Broken = entries, broken
	known, broken, err := timeline.ReadFindings(filepath.Join(dir, "findings.ndjson"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	in.Broken += broken
	for i := range known {
		f := report.Finding{Finding: known[i]}
		switch {
		case f.Status == finding.Closed && f.ClosedAt.After(in.To):
			f.Status, f.ClosedAt = finding.Update, time.Time{}
		case f.Status != finding.Closed:
			f.Stale = true // nobody is there any more who could tell its end
		}
		in.Findings = append(in.Findings, f)
	}
	return nil
}
