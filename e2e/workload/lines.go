package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// longEvery is how often a line is longer than 16 KiB, which the container runtime
// splits into parts.
const longEvery = 500

// lines writes numbered lines until somebody asks it to stop; GET /written says how
// many there are, and after POST /stop that number is final.
func lines(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("lines", flag.ExitOnError)
	stream := flags.String("stream", "a", "name of the stream, part of each line")
	rate := flags.Int("rate", 200, "lines a second")
	size := flags.Int("size", 200, "bytes of a line")
	listen := flags.String("listen", ":8080", "where to ask for the count")
	_ = flags.Parse(args)

	var written atomic.Int64
	stopping, stopped := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /written", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, written.Load()) })
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case stopping <- struct{}{}:
		case <-stopped:
		}
		<-stopped
		_, _ = fmt.Fprint(w, written.Load())
	})
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	go func() { _ = (&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(listener) }()

	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	pad, long := strings.Repeat("x", *size), strings.Repeat("y", 20<<10)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	begun := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-stopping:
			close(stopped)
			<-ctx.Done() // the pod stays, and so do its files
			return nil
		case <-tick.C:
		}
		for due := int64(time.Since(begun).Seconds() * float64(*rate)); written.Load() < due; {
			n, fill := written.Load()+1, pad
			if n%longEvery == 0 {
				fill = long
			}
			_, _ = fmt.Fprintf(out, "line %s/%d %s\n", *stream, n, fill)
			if err := out.Flush(); err != nil {
				return err
			}
			written.Store(n)
		}
	}
}
