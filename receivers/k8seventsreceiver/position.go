package k8seventsreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// positionKey is the storage's one key: the resourceVersion by namespace, as JSON.
const positionKey = "position"

// positions are the revisions up to which everything was told, by namespace ("" is
// all of them).
type positions struct {
	client storage.Client // nil: none
	counts *counts
	logger *zap.Logger

	mu     sync.Mutex
	by     map[string]string // guarded by mu
	broken bool              // guarded by mu: the last write failed
}

// load reads what the last run stored. What can't be read is no reason not to start:
// the first list tells more than it must, then.
func (p *positions) load(ctx context.Context) {
	if p.client == nil {
		return
	}
	b, err := p.client.Get(ctx, positionKey)
	if err == nil && b != nil {
		err = p.merge(b)
	}
	if err != nil {
		p.logger.Warn("The stored position can't be read; events may be told again", zap.Error(err))
	}
}

// merge takes over what is newer, of another run or instance. Text that somebody
// else wrote must not become a position that the API server refuses for ever.
func (p *positions) merge(text []byte) error {
	var other map[string]string
	if err := json.Unmarshal(text, &other); err != nil {
		return fmt.Errorf("read a position: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for namespace, version := range other {
		if _, err := strconv.ParseUint(version, 10, 64); err != nil {
			return fmt.Errorf("read a position: %w", err)
		}
		if own, ok := p.by[namespace]; (ok || len(p.by) < 2*maxNamespaces) && newer(version, own) {
			p.by[namespace] = version
		}
	}
	return nil
}

// get gives the revision of a namespace, "" if none is known.
func (p *positions) get(namespace string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.by[namespace]
}

// set says that everything up to version was told, and stores that.
func (p *positions) set(namespace, version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if version == "" || p.by[namespace] == version {
		return
	}
	p.by[namespace] = version
	if p.client == nil {
		return
	}
	err := p.client.Set(context.Background(), positionKey, encode(p.by))
	if err != nil {
		p.counts.notStored.Add(1)
	} else {
		p.counts.stored.Add(1)
	}
	if broken := err != nil; broken != p.broken {
		p.broken = broken
		if broken {
			p.logger.Warn("The position can't be stored; a restart may tell events again", zap.Error(err))
		} else {
			p.logger.Info("The position is stored again")
		}
	}
}

// text is all of them, as JSON.
func (p *positions) text() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return encode(p.by)
}

func encode(by map[string]string) []byte {
	b, err := json.Marshal(by)
	if err != nil {
		panic(err) // strings always can
	}
	return b
}

// newer tells whether resource version a comes after b. Kubernetes promises that
// those of one resource compare as numbers (KEP-5504, from 1.35; every version kept
// in etcd does so before that). Where one is no number, everything is newer.
func newer(a, b string) bool {
	x, errA := strconv.ParseUint(a, 10, 64)
	y, errB := strconv.ParseUint(b, 10, 64)
	return errA != nil || errB != nil || x > y
}
