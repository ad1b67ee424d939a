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

// shop serves pages and writes a line in nginx' combined format for each request.
// Behind a load balancer the client is who X-Forwarded-For names, as nginx'
// realip module has it; who comes straight is who they are.
func shop(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("shop", flag.ExitOnError)
	listen := flags.String("listen", ":8080", "address")
	_ = flags.Parse(args)

	log := make(chan string, 4096)
	var served, missing atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprintf(w, "# TYPE shop_requests_total counter\nshop_requests_total{code=\"200\"} %d\nshop_requests_total{code=\"404\"} %d\n", served.Load(), missing.Load())
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		status, body := http.StatusOK, "the match is on\n"
		if strings.HasPrefix(r.URL.Path, "/missing") {
			status, body = http.StatusNotFound, "nothing here\n"
			missing.Add(1)
		} else {
			served.Add(1)
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
		client, _, _ := net.SplitHostPort(r.RemoteAddr)
		if forwarded := r.Header.Get("X-Forwarded-For"); forwarded != "" {
			client = forwarded
		}
		log <- fmt.Sprintf("%s - - [%s] \"%s %s %s\" %d %d \"-\" %q\n", client, time.Now().Format("02/Jan/2006:15:04:05 -0700"), r.Method, r.URL.RequestURI(), r.Proto, status, len(body), r.UserAgent())
	})
	go func() {
		out := bufio.NewWriter(os.Stdout)
		for line := range log {
			_, _ = out.WriteString(line)
			if len(log) == 0 {
				_ = out.Flush()
			}
		}
	}()
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return server.ListenAndServe()
}
