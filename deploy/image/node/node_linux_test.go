package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain is also the program that vigie-node becomes: it shows what it may.
func TestMain(m *testing.M) {
	if os.Getenv("VIGIE_NODE_TEST_SHOW") == "" {
		os.Exit(m.Run())
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(status)) {
		if name, value, _ := strings.Cut(line, ":"); name == "Uid" || name == "CapEff" || name == "NoNewPrivs" {
			fmt.Println(name, strings.Fields(value)[0])
		}
	}
}

func root(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not root: can't give files capabilities and owners")
	}
}

// open is a directory that every user may enter.
func open(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vigie-node")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// In a container of user 10001 without privilege escalation the runtime leaves the
// added capabilities permitted at the exec. Ambient ones do the same here.
func TestAnOrdinaryUserWithoutPrivilegeEscalationGetsTheCapability(t *testing.T) {
	root(t)
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("no setpriv (util-linux)")
	}
	dir := open(t)
	node, show := filepath.Join(dir, "vigie-node"), filepath.Join(dir, "show")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", node, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(show, self, 0o755); err != nil { //nolint:gosec // to be executed
		t.Fatal(err)
	}
	// As the image's layer has it: permitted, not effective.
	if err := unix.Setxattr(node, "security.capability", []byte("\x00\x00\x00\x02\x00\x10\x00\x00"+strings.Repeat("\x00", 12)), 0); err != nil {
		t.Skipf("files here have no capabilities: %v", err)
	}
	run := func(ambient ...uintptr) string {
		cmd := exec.CommandContext(t.Context(), setpriv, "--no-new-privs", node, "net-admin", show)
		cmd.Env, cmd.Dir = []string{"VIGIE_NODE_TEST_SHOW=1"}, dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 10001, Gid: 10001}, AmbientCaps: ambient}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if got, want := run(unix.CAP_NET_ADMIN), "Uid 10001\nCapEff 0000000000001000\nNoNewPrivs 1\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	// And nothing where the container was not permitted it: it says so and goes on.
	got := run()
	if !strings.Contains(got, "going on without CAP_NET_ADMIN: it is not permitted") || !strings.Contains(got, "CapEff 0000000000000000\n") {
		t.Error(got)
	}
	// Another capability is not handed on.
	if got := run(unix.CAP_NET_ADMIN, unix.CAP_NET_RAW); !strings.Contains(got, "CapEff 0000000000001000\n") {
		t.Error(got)
	}
}

func TestTheDataDirectoryIsTheGroupsAndNobodyElses(t *testing.T) {
	root(t)
	dir := filepath.Join(open(t), "vigie")
	check := func(what string) {
		t.Helper()
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != shared {
			t.Errorf("%s: %o", what, info.Mode().Perm())
		}
	}
	for _, step := range []struct {
		what   string
		before func() error
	}{
		{"not there", func() error { return nil }},
		{"as it was left", func() error { return nil }},
		{"made by the kubelet", func() error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)) }},
	} {
		if err := step.before(); err != nil {
			t.Fatal(err)
		}
		old := syscall.Umask(0o077) // whatever the runtime's is
		err := prepareData(dir)
		syscall.Umask(old)
		if err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
		check(step.what)
	}
	if err := os.Chown(dir, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if err := prepareData(dir); err == nil || !strings.Contains(err.Error(), "belongs to user 1234") || !strings.Contains(err.Error(), "chown it to 0:0") {
		t.Error(err)
	}
	if err := prepareData("/dev/null"); err == nil {
		t.Error("a device was taken for a directory")
	}
}
