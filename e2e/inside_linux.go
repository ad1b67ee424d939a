package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vigie-otel/vigie/e2e/cluster"
)

// inside is the first process of the cluster's namespaces: when it returns, all that
// it started has ended.
func inside() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to this run: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	r := &report{out: os.Stdout, begun: time.Now()}
	e := &env{report: r, state: os.Getenv("E2E_STATE"), killed: map[types.UID]int32{}}
	chosen, err := choose(os.Getenv("E2E_RUN"))
	if err == nil {
		err = json.Unmarshal([]byte(os.Getenv("E2E_MADE")), &e.prepared)
	}
	if err == nil {
		err = e.start(ctx)
	}
	defer e.page.close()
	if err == nil {
		err = e.scenarios(ctx, chosen)
	}
	if os.Getenv("E2E_KEEP") != "" && e.cluster != nil && ctx.Err() == nil {
		fmt.Printf("  kept until Ctrl-C: nsenter -t $(pgrep -f 'e2e/harness|exe inside' | tail -1) -n env KUBECONFIG=%s %s get pods -A\n", e.cluster.Kubeconfig, e.cluster.Program("kubectl"))
		<-ctx.Done()
	}
	r.summary()
	return errors.Join(err, r.failed())
}

// env is what the scenarios share.
type env struct {
	*report
	prepared
	state    string
	calendar string // path of the event calendar
	cluster  *cluster.Cluster
	sink     sink
	page     page
	killed   map[types.UID]int32 // how often this test killed a pod's program
}

// start brings up the control plane and the first node.
func (e *env) start(ctx context.Context) error {
	life := ctx // the cluster's, longer than its start
	err := e.holds(ctx, "the control plane is ready", 3*time.Minute, func(context.Context) (string, error) {
		var err error
		e.cluster, err = cluster.Start(life, cluster.Config{Dir: e.state, Kubebox: e.Kubebox, Images: e.Images})
		if err != nil {
			return "", err
		}
		v, err := e.cluster.Client.Discovery().ServerVersion()
		if err != nil {
			return "", err
		}
		return "Kubernetes " + v.GitVersion, nil
	})
	if err != nil {
		return err
	}
	if err := e.sink.listen(ctx); err != nil {
		return err
	}
	return e.holds(ctx, "a node is ready", 2*time.Minute, func(ctx context.Context) (string, error) {
		n, err := e.cluster.AddNode(ctx, 1)
		if err != nil {
			return "", err
		}
		return n.Name, nil
	})
}
