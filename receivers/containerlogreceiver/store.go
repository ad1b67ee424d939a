package containerlogreceiver

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/tail"
)

// indexKey holds which files there are checkpoints of, since storages can't list
// their keys: a version, and the files' IDs as uvarints. aliveKey holds the time
// (Unix ms, a uvarint) of which they are all files that there were.
const (
	indexKey     = "files"
	indexVersion = 1
	aliveKey     = "alive"
)

// store keeps checkpoints. Without a client it keeps none.
type store struct {
	client storage.Client
	every  time.Duration
	logger *zap.Logger
	counts *counts

	known   map[tail.ID]struct{} // that have a checkpoint
	pending map[tail.ID][]byte   // nil: to be deleted
	indexed bool                 // the index is as known says

	alive         time.Time // to be stored
	saved, logged time.Time
}

// load gives what the last run stored, and when it last did.
func (s *store) load(ctx context.Context) (saved []tail.Checkpoint, alive time.Time, err error) {
	s.known, s.pending = map[tail.ID]struct{}{}, map[tail.ID][]byte{}
	if s.client == nil {
		return nil, time.Time{}, nil
	}
	index, err := s.client.Get(ctx, indexKey)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read checkpoints: %w", err)
	}
	b, err := s.client.Get(ctx, aliveKey)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read checkpoints: %w", err)
	}
	if ms, n := binary.Uvarint(b); n > 0 && ms < 1<<52 {
		alive = time.UnixMilli(int64(ms))
	}
	ids := parseIndex(index)
	broken := 0
	for _, id := range ids {
		b, err := s.client.Get(ctx, id.String())
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("read checkpoint: %w", err)
		}
		c, err := tail.ParseCheckpoint(b)
		if err != nil || c.ID != id {
			broken++
			continue
		}
		s.known[id] = struct{}{}
		saved = append(saved, c)
	}
	if broken > 0 {
		s.logger.Warn("Some checkpoints are not readable; those files begin anew", zap.Int("checkpoints", broken))
	}
	return saved, alive, nil
}

// save stores a batch's marks, at once or when it is time.
func (s *store) save(ctx context.Context, b *batch, now time.Time) {
	if s.client == nil {
		return
	}
	for _, m := range b.marks {
		s.pending[m.File.ID] = m.Checkpoint(now).AppendBinary(nil)
	}
	for _, id := range b.forgotten {
		s.pending[id] = nil
	}
	if !b.alive.IsZero() {
		s.alive = b.alive
	}
	if now.Sub(s.saved) >= s.every {
		s.flush(ctx, now)
	}
}

// flush stores what is pending.
func (s *store) flush(ctx context.Context, now time.Time) {
	if s.client == nil {
		return
	}
	ops := make([]*storage.Operation, 0, len(s.pending)+1)
	for id, value := range s.pending {
		_, had := s.known[id]
		switch {
		case value != nil:
			ops = append(ops, storage.SetOperation(id.String(), value))
			s.known[id] = struct{}{}
			s.indexed = s.indexed && had
		case had:
			ops = append(ops, storage.DeleteOperation(id.String()))
			delete(s.known, id)
			s.indexed = false
		}
	}
	if !s.indexed {
		ops = append(ops, storage.SetOperation(indexKey, s.index()))
	}
	if !s.alive.IsZero() {
		ops = append(ops, storage.SetOperation(aliveKey, binary.AppendUvarint(nil, uint64(s.alive.UnixMilli()))))
	}
	if len(ops) == 0 {
		return
	}
	s.saved = now
	if err := s.client.Batch(ctx, ops...); err != nil {
		// Reading goes on; what is pending is tried again with the next batch.
		s.indexed = false
		s.counts.notStored.Add(1)
		if now.Sub(s.logged) >= time.Minute {
			s.logged = now
			s.logger.Error("Store checkpoints: a restart would read again what was read since", zap.Error(err))
		}
		return
	}
	s.counts.stored.Add(1)
	s.indexed = true
	clear(s.pending)
}

func (s *store) index() []byte {
	b := []byte{indexVersion}
	for id := range s.known {
		b = binary.AppendUvarint(binary.AppendUvarint(b, id.Dev), id.Ino)
	}
	return b
}

func parseIndex(b []byte) (ids []tail.ID) {
	if len(b) == 0 || b[0] != indexVersion {
		return nil
	}
	for b = b[1:]; len(b) > 0; {
		dev, n := binary.Uvarint(b)
		ino, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 {
			break
		}
		b = b[n+m:]
		ids = append(ids, tail.ID{Dev: dev, Ino: ino})
	}
	return ids
}
