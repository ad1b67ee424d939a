package eventbridgeexporter

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
)

// maxRemembered bounds the findings whose last update is remembered.
const maxRemembered = 5000

// chooser stands before the queue and lets only wanted findings through, so that
// the requests of a match never pass a queue on disk.
type chooser struct {
	exporter.Logs
	cfg       *Config
	malformed *atomic.Int64

	mu   sync.Mutex
	told map[string]time.Time // guarded by mu: findings that are open, and their newest update that was sent; at most maxRemembered
}

// ConsumeLogs queues the wanted findings of a batch.
func (c *chooser) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	out := plog.NewLogs()
	for _, rl := range ld.ResourceLogs().All() {
		var into plog.LogRecordSlice
		begun := false
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				if !finding.Is(r) || !c.wanted(r) {
					continue
				}
				if !begun {
					to := out.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(to.Resource())
					into, begun = to.ScopeLogs().AppendEmpty().LogRecords(), true
				}
				r.CopyTo(into.AppendEmpty())
			}
		}
	}
	if out.LogRecordCount() == 0 {
		return nil
	}
	return c.Logs.ConsumeLogs(ctx, out)
}

func (c *chooser) wanted(r plog.LogRecord) bool {
	f, err := finding.FromLogRecord(r)
	if err != nil {
		c.malformed.Add(1)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.told[f.ID]
	if f.Status == finding.Closed {
		delete(c.told, f.ID)
	}
	// A finding that was told of is told of to its end, however sure it is then.
	if !known && f.Confidence < c.cfg.MinConfidence || !c.cfg.wants(f.Status) {
		return false
	}
	if f.Status == finding.Closed {
		return true
	}
	if f.Status == finding.Update && known && f.UpdatedAt.Sub(last) < c.cfg.UpdateInterval {
		return false
	}
	if !known && len(c.told) >= maxRemembered {
		c.forgetLocked()
	}
	c.told[f.ID] = f.UpdatedAt
	if f.UpdatedAt.Before(f.DetectedAt) {
		c.told[f.ID] = f.DetectedAt
	}
	return true
}

// forgetLocked drops the finding that has been silent for longest: its next
// update comes early, and that is all.
func (c *chooser) forgetLocked() {
	var worst string
	for id, at := range c.told {
		if worst == "" || at.Before(c.told[worst]) {
			worst = id
		}
	}
	delete(c.told, worst)
}
