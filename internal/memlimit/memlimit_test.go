package memlimit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, body := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
	}
	return root
}

func TestTheLowestLimitOnTheWayToTheRootCounts(t *testing.T) {
	const big = "MemTotal:       32000000 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"v2, own cgroup": {map[string]string{
			"proc/meminfo": big, "proc/self/cgroup": "0::/kubepods/pod1\n",
			"sys/fs/cgroup/kubepods/pod1/memory.max": "max\n",
			"sys/fs/cgroup/kubepods/memory.max":      "268435456\n",
		}, 256 * mib},
		"v2, mounted as the root": {map[string]string{
			"proc/meminfo": big, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n",
		}, 512 * mib},
		"v1": {map[string]string{
			"proc/meminfo": big, "proc/self/cgroup": "4:cpu,cpuacct:/x\n9:memory:/docker/abc\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "134217728\n",
		}, 128 * mib},
		"v1 without a limit is the machine": {map[string]string{
			"proc/meminfo": "MemTotal: 16777216 kB\n", "proc/self/cgroup": "9:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 2048 * mib},
		"no cgroup at all":         {map[string]string{"proc/meminfo": "MemTotal: 16777216 kB\n"}, 2048 * mib},
		"a large machine":          {map[string]string{"proc/meminfo": "MemTotal: 134217728 kB\n"}, 4096 * mib},
		"a small machine":          {map[string]string{"proc/meminfo": "MemTotal: 1048576 kB\n"}, 512 * mib},
		"less than the least take": {map[string]string{"proc/meminfo": "MemTotal: 262144 kB\n"}, 256 * mib},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Derive(tree(t, c.files))
			require.NoError(t, err)
			if b.Bytes != c.want || b.Source == "" {
				t.Errorf("got %d MiB (%s), want %d MiB", b.Bytes/mib, b.Source, c.want/mib)
			}
			if uint64(b.GoMemLimit()) >= b.LimitMiB()*mib || b.LimitMiB()*mib > b.Bytes || b.SpikeMiB() >= b.LimitMiB() {
				t.Errorf("GOMEMLIMIT %d, limit %d MiB, spike %d MiB are out of order", b.GoMemLimit(), b.LimitMiB(), b.SpikeMiB())
			}
		})
	}
}

func TestAMachineThatCannotBeReadIsAnError(t *testing.T) {
	if _, err := Derive(t.TempDir()); err == nil {
		t.Error("a budget came from nowhere")
	}
	if _, err := Derive(tree(t, map[string]string{"proc/meminfo": "MemTotal: lots\n"})); err == nil {
		t.Error("a budget came from junk")
	}
}
