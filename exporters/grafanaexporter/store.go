package grafanaexporter

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// indexKey holds the keys of all entries, a line each: a storage client cannot
// list what it has. Each entry is JSON under its own key, and both change in one
// batch, which file_storage carries out as one transaction.
const indexKey = "index"

// store keeps the table over restarts; with a nil client it does nothing. Its
// user calls it from one goroutine at a time.
type store struct {
	client storage.Client
	index  map[string]bool
}

func newStore(client storage.Client) *store {
	return &store{client: client, index: map[string]bool{}}
}

// load reads all entries; broken says how many could not be read and are left
// out.
func (s *store) load(ctx context.Context) (entries []*entry, broken int, err error) {
	if s.client == nil {
		return nil, 0, nil
	}
	index, err := s.client.Get(ctx, indexKey)
	if err != nil {
		return nil, 0, fmt.Errorf("read stored annotations: %w", err)
	}
	for key := range strings.SplitSeq(string(index), "\n") {
		if key == "" {
			continue
		}
		s.index[key] = true
		b, err := s.client.Get(ctx, key)
		if err != nil {
			return nil, 0, fmt.Errorf("read stored annotations: %w", err)
		}
		e := &entry{}
		if json.Unmarshal(b, e) != nil || e.Key != key || e.Look.Text == "" {
			broken++
			continue
		}
		entries = append(entries, e)
	}
	return entries, broken, nil
}

// save stores the entries and removes those that are gone.
func (s *store) save(ctx context.Context, entries []*entry, gone []string) error {
	if s.client == nil || len(entries)+len(gone) == 0 {
		return nil
	}
	var ops []*storage.Operation
	changed := false
	for _, key := range gone {
		ops = append(ops, storage.DeleteOperation(key))
		changed = changed || s.index[key]
		delete(s.index, key)
	}
	for _, e := range entries {
		b, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("store annotation: %w", err)
		}
		ops = append(ops, storage.SetOperation(e.Key, b))
		changed = changed || !s.index[e.Key]
		s.index[e.Key] = true
	}
	if changed {
		var b strings.Builder
		for key := range s.index {
			b.WriteString(key + "\n")
		}
		ops = append(ops, storage.SetOperation(indexKey, []byte(b.String())))
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("store annotations: %w", err)
	}
	return nil
}

func (s *store) close(ctx context.Context) error {
	if s.client == nil {
		return nil
	}
	return s.client.Close(ctx)
}
