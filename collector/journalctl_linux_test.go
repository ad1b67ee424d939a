package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// This machine's journalctl, as a container sees it: below another root.
func TestTheHostsJournalctlIsStartedUnderItsName(t *testing.T) {
	if !there("/usr/bin/journalctl") {
		t.Skip("this machine has no journalctl")
	}
	root, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink("/usr", filepath.Join(root, "usr")))
	t.Setenv("VIGIE_JOURNALCTL", "")
	require.NoError(t, linkJournalctl(dir))
	require.NoError(t, linkJournalctl(dir), "once more")
	link := os.Getenv("VIGIE_JOURNALCTL")
	require.Equal(t, filepath.Join(dir, "journalctl"), link)

	start := func(root string) (string, error) {
		cmd := exec.CommandContext(t.Context(), link, "--version")
		cmd.Env = append(os.Environ(), "VIGIE_TEST_RUN_MAIN=1", "VIGIE_HOST_ROOT="+root)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := start(root)
	require.NoError(t, err, out)
	if !strings.HasPrefix(out, "systemd ") {
		t.Errorf("got %s", out)
	}
	out, err = start(t.TempDir())
	if err == nil || !strings.Contains(out, "dynamic linkers") {
		t.Errorf("a host without a linker: %v %s", err, out)
	}
}

func TestTheHostsJournalctlIsBorrowedOnlyWhereItIsNeeded(t *testing.T) {
	root, data := t.TempDir(), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "usr/bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "usr/bin/journalctl"), nil, 0o755)) //nolint:gosec // a program
	t.Setenv("VIGIE_HOST_ROOT", root)
	t.Setenv("VIGIE_DATA_DIR", data)
	t.Setenv("VIGIE_JOURNALCTL", "")
	for units, want := range map[string]bool{"": false, "none": false, "kubelet": !there("/usr/bin/journalctl") && !there("/bin/journalctl")} {
		t.Setenv("VIGIE_JOURNALD", units)
		require.NoError(t, borrowJournalctl())
		if got := os.Getenv("VIGIE_JOURNALCTL") != ""; got != want {
			t.Errorf("%q: borrowed %v, want %v", units, got, want)
		}
	}
}
