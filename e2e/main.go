//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/vigie-otel/vigie/e2e/cluster"
)

// dir is where everything is that the test builds, caches and leaves.
const dir = "build/e2e"

// outage is how long the API server answers nobody: E2E_OUTAGE, else 40 seconds.
func outage() (time.Duration, error) {
	text := cmp.Or(os.Getenv("E2E_OUTAGE"), "40s")
	d, err := time.ParseDuration(text)
	if err != nil || d < 20*time.Second || d > time.Hour {
		return 0, fmt.Errorf("E2E_OUTAGE must be 20s to 1h (got %q), e.g. 10m", text)
	}
	return d, nil
}

// limit is the longest that the whole may take once everything is built.
const limit = 15 * time.Minute

func main() {
	role := "outside"
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	roles := map[string]func() error{"outside": outside, "inside": inside, "node": cluster.RunNode, "prepare": func() error { _, err := prepare(context.Background()); return err }}
	run := roles[role]
	if run == nil {
		fmt.Fprintln(os.Stderr, "usage: e2e [prepare]")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: %v\n", err)
		os.Exit(1)
	}
}

// outside prepares, starts the inside in namespaces of its own, and puts back what
// they do not hold.
func outside() error {
	// The inside dies with the thread that started it, so that must be the one that
	// stays.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if os.Getuid() != 0 {
		return errors.New("a node needs root: containerd, network namespaces and control groups; run it as root")
	}
	if _, err := choose(os.Getenv("E2E_RUN")); err != nil {
		return err // before minutes of building
	}
	away, err := outage()
	if err != nil {
		return err
	}
	made, err := prepare(ctx)
	if err != nil {
		return err
	}
	// Socket paths in it may be no longer than 108 bytes.
	state, err := filepath.Abs(filepath.Join(dir, "run"))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o755); err != nil {
		return err
	}
	left, err := cluster.Remember(filepath.Join(dir, "kernel-settings"))
	if err != nil {
		return err
	}
	if os.Getenv("E2E_KEEP") == "" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit+away)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "inside")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	environment, err := made.environment(state)
	if err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), environment...)
	// A signal to stop lets it say where it was; it has a moment for that.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true, // Ctrl-C is for the outside to pass on
	}
	err = cmd.Run()
	if errors.Is(err, context.Canceled) && cmd.ProcessState.Success() {
		err = nil // a kept cluster, that nobody needs any more
	}
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("make PID, network and mount namespaces: %w: this needs CAP_SYS_ADMIN, which a container seldom has; run it on a machine or VM", err)
	}
	if err != nil {
		err = fmt.Errorf("it did not hold (%w); logs are in %s/logs", err, state)
	}
	leftover := errors.Join(left.Restore(), cluster.Check(state))
	if leftover == nil {
		fmt.Println("  nothing is left of the cluster: processes, mounts, control groups, kernel settings")
	}
	return errors.Join(err, leftover, tidy(state, err == nil && leftover == nil))
}

// tidy removes a cluster's state; after a failure the logs stay.
func tidy(state string, held bool) error {
	if held {
		return os.RemoveAll(state)
	}
	entries, err := os.ReadDir(state)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != "logs" && e.Name() != "audit.log" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(state, e.Name())))
		}
	}
	return err
}
