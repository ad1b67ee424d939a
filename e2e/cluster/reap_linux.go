package cluster

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// reap takes leave of orphans that ended, as the first process of a PID namespace
// has to: containerd's shims are nobody else's. Its own children are waited for by
// who started them.
func reap(own []*Process) {
	mine := map[int]bool{}
	for _, p := range own {
		mine[p.cmd.Process.Pid] = true
	}
	self := strconv.Itoa(os.Getpid())
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		// proc(5): "pid (comm) state ppid …", and comm may hold anything.
		line := string(b)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		rest := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
		if len(rest) > 1 && rest[0] == "Z" && rest[1] == self && !mine[pid] {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	}
}
