package memlimit

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const mib = 1 << 20

// Shares of the budget. GOMEMLIMIT is soft: the collector runs ever more often
// near it. The memory_limiter refuses data from Limit−Spike and forces
// collections at Limit. What is left above is for what the Go runtime does not
// count: stacks of C code, mapped files, the kernel's share of the cgroup.
const (
	goShare    = 0.80
	limitShare = 0.90
	spikeShare = 0.20
)

// On a machine without a cgroup limit Vigie is one program among others: an
// eighth of the memory, within these bounds.
const (
	machineShare = 8
	machineLeast = 512 * mib
	machineMost  = 4096 * mib
)

// Budget is how much memory the process may use.
type Budget struct {
	Bytes  uint64
	Source string // for a person: "cgroup limit 512 MiB"
}

// GoMemLimit is the soft limit for the Go runtime, in bytes.
func (b Budget) GoMemLimit() int64 { return int64(float64(b.Bytes) * goShare) }

// LimitMiB is the memory_limiter's limit_mib.
func (b Budget) LimitMiB() uint64 { return max(64, uint64(float64(b.Bytes)*limitShare)/mib) }

// SpikeMiB is the memory_limiter's spike_limit_mib.
func (b Budget) SpikeMiB() uint64 { return max(16, uint64(float64(b.Bytes)*spikeShare)/mib) }

// Derive reads the limit of this process's cgroup, or the machine's memory.
// Root is where /proc and /sys are, "/" but in tests.
func Derive(root string) (Budget, error) {
	machine, err := memTotal(filepath.Join(root, "proc/meminfo"))
	if err != nil {
		return Budget{}, err
	}
	if limit, ok := cgroupLimit(root); ok && limit < machine {
		return Budget{Bytes: limit, Source: fmt.Sprintf("cgroup limit %d MiB", limit/mib)}, nil
	}
	b := min(max(machine/machineShare, machineLeast), machineMost, machine)
	return Budget{Bytes: b, Source: fmt.Sprintf("%d MiB of the machine's %d MiB", b/mib, machine/mib)}, nil
}

func memTotal(path string) (uint64, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the machine's memory: %w", err)
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kb, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read the machine's memory: %w", err)
			}
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("no MemTotal in %s", path)
}

// cgroupLimit is the lowest limit on the way from this process's cgroup to the
// root. Inside a container the process's own cgroup is usually mounted as the
// root, so both its path and the mount's top are looked at.
func cgroupLimit(root string) (uint64, bool) {
	body, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, false
	}
	lowest, found := uint64(0), false
	look := func(dir, own, file string) {
		for p := filepath.Clean("/" + own); ; p = filepath.Dir(p) {
			if v, ok := readLimit(filepath.Join(root, dir, p, file)); ok && (!found || v < lowest) {
				lowest, found = v, true
			}
			if p == "/" {
				return
			}
		}
	}
	for line := range strings.Lines(string(body)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[0] == "0" && parts[1] == "": // cgroup v2
			look("sys/fs/cgroup", parts[2], "memory.max")
		case strings.Contains(","+parts[1]+",", ",memory,"): // v1
			look("sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes")
		}
	}
	return lowest, found
}

func readLimit(path string) (uint64, bool) {
	body, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	v, err := strconv.ParseUint(strings.TrimSpace(string(body)), 10, 64)
	return v, err == nil // "max" is no number and no limit
}
