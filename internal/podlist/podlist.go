// Package podlist knows a node's pods (names, owners, addresses, ports, labels and
// annotations), from the kubelet's own list: no watch on the API server, and
// nothing waits for it.
//
// One goroutine, started by Run, asks for the list at an interval, and earlier
// when Want says that an unknown pod was seen. Whatever goes wrong, the last list
// stays; Get and Generation never block.
package podlist

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Options say whom to ask and how. All but CAFile must be set.
type Options struct {
	Endpoint  string // https://<node>:10250
	TokenFile string // read anew for each request: it is rotated
	CAFile    string // whom to believe; "": the system's authorities
	Insecure  bool   // believe anybody
	Interval  time.Duration
	Soonest   time.Duration // between two requests, however many pods are unknown
	Timeout   time.Duration
}

// Bounds of a list. A node has 110 pods, or a few hundred; a pod's description is
// some 10 KiB.
const (
	maxBytes = 64 << 20
	maxPods  = 4096
	maxText  = 16 << 10 // bytes of a pod's annotations, and of its labels
	maxValue = 1 << 10  // of one of them; what kubectl applied last is larger
	maxPorts = 256      // of a pod
)

// List is the newest list. Make one with New.
type List struct {
	opts   Options
	client *http.Client
	wake   chan struct{}

	pods       atomic.Pointer[index]
	generation atomic.Uint64
	at         atomic.Int64 // Unix milliseconds of the newest list

	// OK and Failed count requests.
	OK, Failed atomic.Int64
}

// New makes a list that knows nothing yet. An error is about the CA file.
func New(o Options) (*List, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure} //nolint:gosec // as configured
	if o.CAFile != "" && !o.Insecure {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the kubelet's authority: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the kubelet's authority: no certificate in %s", o.CAFile)
		}
	}
	return &List{
		opts: o, wake: make(chan struct{}, 1),
		client: &http.Client{
			Transport: &http.Transport{TLSClientConfig: conf, MaxIdleConns: 1, IdleConnTimeout: 2 * o.Interval},
			// A redirect would carry the token elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Get gives what is known of a pod; false while nothing is.
func (l *List) Get(namespace, pod string) (Pod, bool) {
	return l.one(func(x *index) int32 { return find(x.name, namespace+"/"+pod) })
}

// OfUID is the pod of a UID.
func (l *List) OfUID(uid string) (Pod, bool) {
	return l.one(func(x *index) int32 { return find(x.uid, uid) })
}

// OfAddress is the pod of an address that no other pod has: those in the host's
// network share the node's.
func (l *List) OfAddress(ip string) (Pod, bool) {
	return l.one(func(x *index) int32 { return find(x.ip, ip) })
}

func find(m map[string]int32, key string) int32 {
	if i, ok := m[key]; ok && key != "" {
		return i
	}
	return -1
}

func (l *List) one(where func(*index) int32) (Pod, bool) {
	if l == nil {
		return Pod{}, false
	}
	x := l.pods.Load()
	if x == nil {
		return Pod{}, false
	}
	i := where(x)
	if i < 0 {
		return Pod{}, false
	}
	return x.all[i], true
}

// All are the pods of the newest list, which nobody may change; false while there
// is none.
func (l *List) All() ([]Pod, bool) {
	if l == nil {
		return nil, false
	}
	x := l.pods.Load()
	if x == nil {
		return nil, false
	}
	return x.all, true
}

// Generation changes with each new list. A nil list stays at 0.
func (l *List) Generation() uint64 {
	if l == nil {
		return 0
	}
	return l.generation.Load()
}

// At is when the newest list came.
func (l *List) At() time.Time { return time.UnixMilli(l.at.Load()) }

// Want says that the list lacks a pod.
func (l *List) Want() {
	if l == nil {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run asks until ctx is done. tell takes how it went, each time: nil when it went
// well.
func (l *List) Run(ctx context.Context, tell func(error)) {
	defer l.client.CloseIdleConnections()
	for {
		switch err := l.Refresh(ctx); {
		case err == nil:
			l.OK.Add(1)
			tell(nil)
		case ctx.Err() == nil:
			l.Failed.Add(1)
			tell(err)
		}
		if !pause(ctx, l.opts.Soonest, nil) || !pause(ctx, l.opts.Interval-l.opts.Soonest, l.wake) {
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
		return false
	}
	return true
}

// Refresh asks once. Run does so; tests may.
func (l *List) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	url := strings.TrimSuffix(l.opts.Endpoint, "/") + "/pods"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask the kubelet for its pods: %w", err)
	}
	token, err := os.ReadFile(l.opts.TokenFile)
	if err != nil {
		return fmt.Errorf("ask the kubelet for its pods: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	res, err := l.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the kubelet for its pods: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("ask the kubelet for its pods: %s: the service account needs to get nodes/proxy (or nodes/pods, since Kubernetes 1.33)", res.Status)
	default:
		return fmt.Errorf("ask the kubelet for its pods: %s", res.Status)
	}
	pods, err := decode(io.LimitReader(res.Body, maxBytes))
	if err != nil {
		return fmt.Errorf("read the kubelet's pods: %w", err)
	}
	l.pods.Store(newIndex(pods))
	l.at.Store(time.Now().UnixMilli())
	l.generation.Add(1)
	return nil
}
