//go:build linux

package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// as runs a client program as the administrator. It returns what the program
// printed; what it complained about is in the error.
func (c *Cluster) as(ctx context.Context, in io.Reader, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	// Clients keep caches and plug-ins at home; theirs is here.
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig, "HOME="+c.Dir)
	var out, complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &complaints
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return out.Bytes(), nil
}

// Run runs another client, such as helm, as the administrator.
func (c *Cluster) Run(ctx context.Context, program string, args ...string) ([]byte, error) {
	return c.as(ctx, nil, program, args...)
}
