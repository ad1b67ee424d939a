package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

var (
	pages  = []string{"/", "/live", "/live/match-7", "/schedule", "/teams/reds", "/teams/blues", "/assets/app.js", "/assets/app.css", "/assets/logo.svg", "/api/score", "/api/score", "/api/lineup", "/missing.ico"}
	agents = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
	}
)

// at calls what so often a second, each time anew, until ctx ends.
func at(ctx context.Context, rate int, what func()) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	begun, done := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int(time.Since(begun).Seconds() * float64(rate)); done < due; done++ {
			what()
		}
	}
}

// get makes a request over a connection of its own: each is a flow of its own in
// the kernel's table.
func get(ctx context.Context, client *http.Client, url, forwardedFor, agent string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", agent)
	if forwardedFor != "" {
		r.Header.Set("X-Forwarded-For", forwardedFor)
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// load sends requests that next describes, at most so many at once; what does not
// get a place is not sent.
func load(ctx context.Context, rate int, next func() (url, forwardedFor, agent string)) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	places := make(chan struct{}, 64)
	var failures atomic.Int64
	at(ctx, rate, func() {
		select {
		case places <- struct{}{}:
		default:
			return
		}
		url, forwardedFor, agent := next()
		go func() {
			defer func() { <-places }()
			if err := get(ctx, client, url, forwardedFor, agent); err != nil && ctx.Err() == nil && failures.Add(1) <= 10 {
				fmt.Fprintln(os.Stderr, "workload:", err)
			}
		}()
	})
}

// viewers are many clients behind one load balancer.
func viewers(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("viewers", flag.ExitOnError)
	target := flags.String("target", "http://shop", "where to")
	rate := flags.Int("rate", 30, "requests a second, of all of them")
	clients := flags.Int("clients", 2000, "how many there are")
	spans := flags.String("spans", "", "where to send a span of a request each second, as OTLP/HTTP; empty: nowhere")
	_ = flags.Parse(args)
	if *spans != "" {
		go at(ctx, 1, func() { tell(ctx, *spans, *target) })
	}
	load(ctx, *rate, func() (string, string, string) {
		who := rand.IntN(*clients)
		// Each has an address and a browser; addresses are spread over 500 networks.
		address := fmt.Sprintf("100.%d.%d.%d", 64+who%5, who%100, 1+who/100%250)
		return *target + pages[rand.IntN(len(pages))], address, agents[who%len(agents)]
	})
	return nil
}

// flood is one client that asks for the same again and again.
func flood(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("flood", flag.ExitOnError)
	target := flags.String("target", "http://shop", "where to")
	rate := flags.Int("rate", 200, "requests a second")
	wait := flags.Duration("after", 0, "when to begin")
	length := flags.Duration("for", time.Minute, "how long")
	_ = flags.Parse(args)
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(*wait):
	}
	attack, done := context.WithTimeout(ctx, *length)
	defer done()
	fmt.Println("the flood begins")
	load(attack, *rate, func() (string, string, string) {
		return *target + "/api/score", "", "python-requests/2.32"
	})
	fmt.Println("the flood is over")
	<-ctx.Done()
	return nil
}
