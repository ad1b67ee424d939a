// Command workload is what runs in the pods of the end-to-end test: one program, so
// that there is one image. Without arguments it waits, which makes it the pause
// image as well.
//
//	workload lines    numbered lines at a rate, so that a lost one has a name
//	workload shop     an HTTP server with access logs and metrics
//	workload viewers  many clients of a shop, as a load balancer passes them on
//	workload flood    one client that wants too much
//
// It imports nothing but the standard library: the image is a few megabytes, and
// what it says about the product does not depend on the product.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	modes := map[string]func(context.Context, []string) error{"lines": lines, "shop": shop, "viewers": viewers, "flood": flood}
	if len(os.Args) < 2 {
		<-ctx.Done()
		return
	}
	mode := modes[os.Args[1]]
	if mode == nil {
		fmt.Fprintf(os.Stderr, "workload: no mode %q; there are lines, shop, viewers, flood\n", os.Args[1])
		os.Exit(2)
	}
	if err := mode(ctx, os.Args[2:]); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		os.Exit(1)
	}
}
