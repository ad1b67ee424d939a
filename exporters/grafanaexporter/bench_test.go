package grafanaexporter

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkATableThatIsFullOfWaitingFindings measures one call's bookkeeping in
// the worst case, when Grafana comes back and all 5,000 wait: a millisecond or
// two are little beside the call itself.
func BenchmarkATableThatIsFullOfWaitingFindings(b *testing.B) {
	cfg := createDefaultConfig().(*Config)
	var c counts
	now := time.Unix(1_800_000_000, 0)
	table := newTable(cfg, &c)
	for i := range cfg.MaxEntries {
		f := flood(fmt.Sprint(i), now)
		table.tell(cfg.ofFinding(&f, "high"), now)
	}
	b.ReportAllocs()
	for b.Loop() {
		e, _ := table.next(now, false)
		table.sent(e, 1, 1, now)
		table.entries[e.Key].Sent = 0 // it waits again
	}
}
