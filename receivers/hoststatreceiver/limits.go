package hoststatreceiver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// unlimited is from where fs.file-max is no limit: systemd sets LONG_MAX, since
// what descriptors take is accounted as memory.
const unlimited = 1 << 62

// fileNumbers reads /proc/sys/fs/file-nr: allocated, of those free (0 since Linux
// 2.6), and the most that may be.
func fileNumbers(b []byte) (used, limit int64, limited bool, err error) {
	fields := bytes.Fields(b)
	var n [3]int64
	if len(fields) != len(n) {
		return 0, 0, false, fmt.Errorf("read file-nr: want three numbers, got %q", bytes.TrimSpace(b))
	}
	for i, f := range fields {
		if n[i], err = strconv.ParseInt(string(f), 10, 64); err != nil {
			return 0, 0, false, fmt.Errorf("read file-nr: %w", err)
		}
	}
	return n[0] - n[1], n[2], n[2] < unlimited, nil
}

func (s *hostScraper) descriptors(now pcommon.Timestamp) error {
	b, err := os.ReadFile(filepath.Join(s.proc, "sys", "fs", "file-nr"))
	if err != nil {
		return err
	}
	used, limit, limited, err := fileNumbers(b)
	if err != nil {
		return err
	}
	s.mb.RecordSystemLinuxFileDescriptorUsageDataPoint(now, used)
	if limited {
		s.mb.RecordSystemLinuxFileDescriptorLimitDataPoint(now, limit)
	}
	return nil
}

// threadLimit is the lower of two: each thread needs a task and a PID. A cgroup's
// pids.max may be lower still, for those within it.
func (s *hostScraper) threadLimit(now pcommon.Timestamp) error {
	limit := int64(0)
	for _, name := range []string{"threads-max", "pid_max"} {
		b, err := os.ReadFile(filepath.Join(s.proc, "sys", "kernel", name))
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if limit == 0 || n < limit {
			limit = n
		}
	}
	s.mb.RecordSystemThreadsLimitDataPoint(now, limit)
	return nil
}
