package hoststatreceiver

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/vigie-otel/vigie/receivers/hoststatreceiver/internal/metadata"
)

// userHz is the unit of /proc/stat. USER_HZ is 100 on every architecture that
// Linux runs a collector on (include/asm-generic/param.h).
const userHz = 100

// Columns of a cpu line in /proc/stat, in the kernel's order (proc_stat(5)).
const (
	colUser = iota
	colNice
	colSystem
	colIdle
	colWait
	colInterrupt
	colSoftirq
	colSteal
	colGuest     // since Linux 2.6.24
	colGuestNice // since Linux 2.6.33
	colCount
)

var cpuStates = [colCount]metadata.AttributeCPUState{
	colUser:      metadata.AttributeCPUStateUser,
	colNice:      metadata.AttributeCPUStateNice,
	colSystem:    metadata.AttributeCPUStateSystem,
	colIdle:      metadata.AttributeCPUStateIdle,
	colWait:      metadata.AttributeCPUStateWait,
	colInterrupt: metadata.AttributeCPUStateInterrupt,
	colSoftirq:   metadata.AttributeCPUStateSoftirq,
	colSteal:     metadata.AttributeCPUStateSteal,
	colGuest:     metadata.AttributeCPUStateGuest,
	colGuestNice: metadata.AttributeCPUStateGuestNice,
}

// cpuTimes yields the seconds of each logical CPU by state. The kernel counts
// guest time in user and guest_nice in nice too (account_guest_time in
// kernel/sched/cputime.c); here each second is counted once.
func cpuTimes(stat []byte) iter.Seq2[string, [colCount]float64] {
	return func(yield func(string, [colCount]float64) bool) {
		for line := range bytes.Lines(stat) {
			fields := bytes.Fields(line)
			if len(fields) < 5 || !bytes.HasPrefix(fields[0], []byte("cpu")) || len(fields[0]) == len("cpu") {
				continue
			}
			var ticks [colCount]int64
			for i, f := range fields[1:min(len(fields), colCount+1)] {
				ticks[i], _ = strconv.ParseInt(string(f), 10, 64)
			}
			ticks[colUser] = max(0, ticks[colUser]-ticks[colGuest])
			ticks[colNice] = max(0, ticks[colNice]-ticks[colGuestNice])
			var seconds [colCount]float64
			for i, t := range ticks {
				seconds[i] = float64(t) / userHz
			}
			if !yield(string(fields[0]), seconds) {
				return
			}
		}
	}
}

// bootTime reads the btime line of /proc/stat.
func bootTime(stat []byte) (time.Time, bool) {
	for line := range bytes.Lines(stat) {
		if rest, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			sec, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			return time.Unix(sec, 0), err == nil
		}
	}
	return time.Time{}, false
}

// threadCount reads the total of "running/total", the fourth field of
// /proc/loadavg.
func threadCount(loadavg []byte) (int64, error) {
	fields := bytes.Fields(loadavg)
	if len(fields) >= 4 {
		if _, total, ok := bytes.Cut(fields[3], []byte("/")); ok {
			return strconv.ParseInt(string(total), 10, 64)
		}
	}
	return 0, fmt.Errorf("read loadavg: no running/total in %q", bytes.TrimSpace(loadavg))
}
