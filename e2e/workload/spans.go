package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// tell sends a client's span of one request to the target: with the address that
// its name has, a Service's, as an instrumented program would.
func tell(ctx context.Context, to, target string) {
	u, err := url.Parse(target)
	if err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		return
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
	if err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		return
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	trace, span := make([]byte, 16), make([]byte, 8)
	_, _ = rand.Read(trace)
	_, _ = rand.Read(span)
	now := time.Now().UnixNano()
	body := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"viewers"}}]},"scopeSpans":[{"spans":[
{"traceId":"%x","spanId":"%x","name":"watch","kind":3,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
{"key":"server.address","value":{"stringValue":%q}},{"key":"server.port","value":{"intValue":%q}}]}]}]}]}`, trace, span, now-int64(time.Millisecond), now, addresses[0], port)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Do(r)
	if err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		return
	}
	_ = response.Body.Close()
}
