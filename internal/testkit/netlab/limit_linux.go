package netlab

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

const maxPath = "/proc/sys/net/netfilter/nf_conntrack_max"

// Limit sets nf_conntrack_max of the machine until the test ends. Call it
// before New: it waits until no other lab runs, and no other lab starts before
// the test ends. It skips the test where the limit can't be written.
func Limit(t testing.TB, entries int) {
	t.Helper()
	require(t)
	f := lock(t, unix.LOCK_EX)
	before, err := os.ReadFile(maxPath)
	if err != nil {
		t.Skipf("no conntrack in this kernel: %v", err)
	}
	write(t, f, string(before))
	t.Cleanup(func() {
		if err := os.WriteFile(maxPath, before, 0); err != nil {
			t.Errorf("set nf_conntrack_max back: %v", err)
			return
		}
		write(t, f, "")
	})
	if err := os.WriteFile(maxPath, []byte(strconv.Itoa(entries)), 0); err != nil {
		t.Skipf("nf_conntrack_max is not ours to set: %v", err)
	}
}

// held is the process's one lock: a file lock is no matter of goroutines, and a
// second one of the same process would wait for the first. Guarded by mu.
var held struct {
	mu   sync.Mutex
	file *os.File
	refs int
}

// lock takes the lock, or one more share of it where the process has it; it is
// released when the last test that took it ends.
func lock(t testing.TB, how int) *os.File {
	t.Helper()
	held.mu.Lock()
	defer held.mu.Unlock()
	if held.refs > 0 && how == unix.LOCK_EX {
		t.Fatal("netlab.Limit comes before netlab.New, once a test")
	}
	if held.refs == 0 {
		f, err := os.OpenFile(filepath.Join(os.TempDir(), "vigie-netlab.lock"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		for err = unix.EINTR; err == unix.EINTR; {
			err = unix.Flock(int(f.Fd()), how)
		}
		if err != nil {
			t.Fatalf("lock %s: %v", f.Name(), err)
		}
		held.file = f
		repair(t, f)
	}
	held.refs++
	t.Cleanup(func() {
		held.mu.Lock()
		defer held.mu.Unlock()
		if held.refs--; held.refs == 0 {
			held.file.Close()
			held.file = nil
		}
	})
	return held.file
}

// repair sets back the limit that a killed test left changed: whoever changes
// it holds the lock alone, so what the file says now has no owner.
func repair(t testing.TB, f *os.File) {
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if s := strings.TrimSpace(string(b)); s != "" {
		t.Logf("nf_conntrack_max back to %s, which an earlier test left changed", s)
		if err := os.WriteFile(maxPath, []byte(s), 0); err != nil {
			t.Fatal(err)
		}
		write(t, f, "")
	}
}

func write(t testing.TB, f *os.File, s string) {
	if err := f.Truncate(0); err != nil {
		t.Error(err)
	}
	if _, err := f.WriteAt([]byte(s), 0); err != nil {
		t.Error(err)
	}
}
