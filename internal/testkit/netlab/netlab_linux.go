package netlab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// NS is one network namespace of a test.
type NS struct {
	// Path opens the namespace from this process and its children, as long as
	// the test runs.
	Path string

	t    testing.TB
	name string
}

// New makes a namespace whose loopback interface is up. It skips the test
// where namespaces can't be made. The lab's lock is held until the test ends.
func New(t testing.TB, name string) *NS {
	t.Helper()
	require(t)
	lock(t, unix.LOCK_SH)
	fd, err := unshared()
	if err != nil {
		t.Skipf("network namespaces can't be made here: %v", err)
	}
	f := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { f.Close() })
	ns := &NS{Path: fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), t: t, name: name}
	ns.Run("ip", "link", "set", "lo", "up")
	return ns
}

func require(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s (Debian: iproute2, nftables): %v", tool, err)
		}
	}
}

// unshared returns a descriptor of a new network namespace. The thread that
// made it dies with its goroutine: it is never unlocked.
func unshared() (fd int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("unshare(CLONE_NEWNET): %w", err)
			return
		}
		fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}()
	<-done
	return fd, err
}

// Do runs fn on a thread inside the namespace and waits for it. Sockets made
// and processes started by fn's own goroutine belong to the namespace; a
// goroutine that fn starts does not run in it. fn must not call FailNow.
func (ns *NS) Do(fn func() error) {
	ns.t.Helper()
	if err := ns.try(fn); err != nil {
		ns.t.Fatalf("in namespace %s: %v", ns.name, err)
	}
}

func (ns *NS) try(fn func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		fd, oerr := unix.Open(ns.Path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if oerr != nil {
			err = fmt.Errorf("open %s: %w", ns.Path, oerr)
			return
		}
		defer unix.Close(fd)
		if err = unix.Setns(fd, unix.CLONE_NEWNET); err == nil {
			err = fn()
		}
	}()
	<-done
	return err
}

// Run runs a command in the namespace and returns what it printed.
func (ns *NS) Run(name string, args ...string) string {
	ns.t.Helper()
	return ns.run(nil, exec.Command(name, args...))
}

func (ns *NS) run(stdin []byte, cmd *exec.Cmd) string {
	ns.t.Helper()
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := ns.try(cmd.Run); err != nil {
		ns.t.Fatalf("in namespace %s: %s: %v\n%s", ns.name, strings.Join(cmd.Args, " "), err, errs.String())
	}
	return out.String()
}

// NFT loads a ruleset in nft's own language, in one transaction.
func (ns *NS) NFT(ruleset string) {
	ns.t.Helper()
	ns.run([]byte(ruleset), exec.Command("nft", "-f", "-"))
}

// Sysctl sets a net.* key of the namespace, e.g. "net.ipv4.ip_forward".
func (ns *NS) Sysctl(key, value string) {
	ns.t.Helper()
	path := filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
	ns.Do(func() error { return os.WriteFile(path, []byte(value), 0) })
}

// Link joins two namespaces by a veth pair named after the other side. The
// addresses are prefixes: "10.9.0.1/24". IPv6 addresses are usable at once.
func (ns *NS) Link(other *NS, here, there string) {
	ns.t.Helper()
	a, b := "to-"+other.name, "to-"+ns.name
	// ip takes a name of /run/netns or a process, so the far end is sent by a
	// process that sits in the other namespace.
	sleeper := exec.Command("sleep", "60")
	other.Do(sleeper.Start)
	defer func() { sleeper.Process.Signal(syscall.SIGKILL); sleeper.Wait() }()
	ns.Run("ip", "link", "add", a, "type", "veth", "peer", "name", b, "netns", fmt.Sprint(sleeper.Process.Pid))
	for _, end := range []struct {
		ns           *NS
		dev, address string
	}{{ns, a, here}, {other, b, there}} {
		end.ns.Run("ip", "address", "add", end.address, "dev", end.dev, "nodad")
		end.ns.Run("ip", "link", "set", end.dev, "up")
	}
}

// Track makes the namespace track all its traffic: without a rule that asks
// for the state of a flow, the kernel leaves conntrack off.
func (ns *NS) Track() {
	ns.t.Helper()
	ns.NFT(`table inet track {
		chain in  { type filter hook prerouting priority 0; ct state new accept; }
		chain out { type filter hook output priority 0; ct state new accept; }
	}`)
}

// DNAT sends what is for service on to backend, both "address:port", for
// traffic that comes in and for traffic made in the namespace.
func (ns *NS) DNAT(proto, service, backend string) {
	ns.t.Helper()
	s, b := split(service), split(backend)
	family := "ip"
	if strings.Contains(s[0], ":") {
		family = "ip6"
		b[0] = "[" + b[0] + "]"
	}
	rule := fmt.Sprintf("%s daddr %s %s dport %s dnat to %s:%s", family, s[0], proto, s[1], b[0], b[1])
	ns.NFT(fmt.Sprintf(`table %[1]s nat {
		chain pre { type nat hook prerouting priority -100; %[2]s; }
		chain out { type nat hook output priority -100; %[2]s; }
	}`, family, rule))
}

// Masquerade makes traffic that leaves by dev come from dev's address.
func (ns *NS) Masquerade(family, dev string) {
	ns.t.Helper()
	ns.NFT(fmt.Sprintf(`table %s nat {
		chain post { type nat hook postrouting priority 100; oifname %q masquerade; }
	}`, family, dev))
}

func split(addrPort string) []string {
	i := strings.LastIndexByte(addrPort, ':')
	return []string{strings.Trim(addrPort[:i], "[]"), addrPort[i+1:]}
}
