//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/e2e/cluster"
)

// Names of the images, as pods ask for them.
const (
	repository = "e2e.local/vigie"
	tag        = "1"
	nextTag    = "2" // of the same image: what an upgrade changes
)

// debian are the programs that a node needs, and the packages that have them.
var debian = []struct{ program, pkg string }{
	{"/usr/bin/containerd", "containerd"}, {"/usr/sbin/runc", "runc"}, {"/usr/sbin/iptables", "iptables"}, {"/usr/sbin/ip", "iproute2"},
	{"/usr/bin/socat", "socat"}, {"/usr/sbin/ethtool", "ethtool"}, {"/usr/sbin/conntrack", "conntrack"}, {"/usr/lib/cni/ptp", "containernetworking-plugins"},
}

// kubernetes is the version that e2e/kubebox/go.mod names.
const kubernetes = "v1.36.3"

// prepared are the paths of what was made, all absolute.
type prepared struct {
	Kubebox, Helm, Vigie string
	Images               []cluster.Image
}

// prepare builds and installs what the cluster needs, and only what is not there.
func prepare(ctx context.Context) (*prepared, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	p := &prepared{Kubebox: filepath.Join(root, "kubebox")}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"Debian's packages", install},
		{"kubebox: Kubernetes " + kubernetes + " (minutes from an empty cache)", p.kubebox},
		{"helm", p.helm},
		{"the image, by make image", p.product},
		{"the workload's image", p.workload},
	} {
		begun := time.Now()
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", step.what, err)
		}
		fmt.Printf("  made %6.1fs  %s\n", time.Since(begun).Seconds(), step.what)
	}
	return p, nil
}

// environment hands it to the inside.
func (p *prepared) environment(state string) ([]string, error) {
	made, err := json.Marshal(p)
	return []string{"E2E_STATE=" + state, "E2E_MADE=" + string(made)}, err
}

// do runs a command and shows what it said only where it failed.
func do(ctx context.Context, in string, env []string, words ...string) error {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env = in, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(words[:min(3, len(words))], " "), err, out)
	}
	return nil
}

// install takes what is missing from Debian's packages.
func install(ctx context.Context) error {
	var missing []string
	for _, d := range debian {
		if _, err := os.Stat(d.program); err != nil {
			missing = append(missing, d.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this machine lacks %s, and apt-get to install them", strings.Join(missing, ", "))
	}
	// containerd must not start as a service of the machine.
	const policy = "/usr/sbin/policy-rc.d"
	if _, err := os.Stat(policy); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
			return err
		}
		defer func() { _ = os.Remove(policy) }()
	}
	quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := do(ctx, "", quiet, "apt-get", "update", "-qq"); err != nil {
		return err
	}
	return do(ctx, "", quiet, append([]string{"apt-get", "install", "-y", "-qq", "--no-install-recommends"}, missing...)...)
}

// kubebox builds Kubernetes, unless the binary that is there was built from the same
// files by the same flags.
func (p *prepared) kubebox(ctx context.Context) error {
	ldflags := "-s -w"
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		minor := strings.Split(kubernetes, ".")[1]
		for _, setting := range []string{"gitVersion=" + kubernetes, "gitMajor=1", "gitMinor=" + minor, "gitTreeState=clean", "gitCommit=module", "buildDate=2026-01-01T00:00:00Z"} {
			ldflags += " -X " + pkg + "." + setting
		}
	}
	hash := sha256.New()
	for _, f := range []string{"main.go", "go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join("e2e/kubebox", f))
		if err != nil {
			return err
		}
		hash.Write(b)
	}
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOARCH").Output()
	if err != nil {
		return err
	}
	hash.Write(version)
	hash.Write([]byte(kubernetes))
	key := hex.EncodeToString(hash.Sum(nil))
	if made, err := os.ReadFile(p.Kubebox + ".key"); err == nil && string(made) == key {
		if _, err := os.Stat(p.Kubebox); err == nil {
			return nil
		}
	}
	// The product's own flags would compile all of it anew.
	env := []string{"CGO_ENABLED=0", "GOFLAGS=-buildvcs=false"}
	if err := do(ctx, "e2e/kubebox", env, "go", "build", "-trimpath", "-ldflags", ldflags, "-o", p.Kubebox, "."); err != nil {
		return err
	}
	return os.WriteFile(p.Kubebox+".key", []byte(key), 0o644)
}

// helm is where the chart's own tests have it from.
func (p *prepared) helm(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "deploy/helm/tools.sh").Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return fmt.Errorf("deploy/helm/tools.sh: %w: %s", err, exit.Stderr)
		}
		return err
	}
	p.Helm = filepath.Join(strings.TrimSpace(string(out)), "helm")
	return nil
}

// product makes the image as a release does, for this machine; with E2E_KEEP_IMAGE
// the one of the last run serves.
func (p *prepared) product(ctx context.Context) error {
	made := filepath.Join(dir, "image")
	if os.Getenv("E2E_KEEP_IMAGE") == "" {
		if err := p.makeImage(ctx, made); err != nil {
			return err
		}
	}
	archive, err := filepath.Abs(filepath.Join(made, "vigie.tar"))
	p.Images = append(p.Images, cluster.Image{Archive: archive, Name: repository + ":" + tag, Tags: []string{repository + ":" + nextTag}})
	p.Vigie = filepath.Join(filepath.Dir(archive), runtime.GOARCH, "vigie")
	return err
}

func (p *prepared) makeImage(ctx context.Context, into string) error {
	return do(ctx, "", nil, "make", "--no-print-directory", "image", "ARCH="+runtime.GOARCH, "IMAGE="+into, "NAME="+repository, "VERSION="+tag)
}

// workload makes the image of what runs beside the product.
func (p *prepared) workload(ctx context.Context) error {
	program := filepath.Join(dir, "workload")
	if err := do(ctx, "", []string{"CGO_ENABLED=0"}, "go", "build", "-ldflags", "-s -w", "-o", program, "./e2e/workload"); err != nil {
		return err
	}
	archive := p.Kubebox + "-workload.tar"
	p.Images = append(p.Images, cluster.Image{Archive: archive, Name: cluster.Pause})
	return cluster.WriteImage(archive, cluster.Pause, "/workload", "65532:65532", cluster.File{Path: "workload", From: program, Mode: 0o755})
}
