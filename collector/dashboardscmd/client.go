package dashboardscmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds an answer, in bytes: a dashboard with what Grafana adds.
const maxAnswer = 8 << 20

// client speaks to one Grafana as one service account.
type client struct {
	base  *url.URL
	token string
	http  *http.Client
	wait  func(ctx context.Context, d time.Duration) error // between tries
}

// newClient reads the token. Redirects are refused: they lead to a page to sign
// in at, or to another address, to which the token must not go.
func newClient(base, tokenFile string, h *http.Client) (*client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("--grafana must be an address such as https://grafana.example.com (got %q)", base)
	}
	if u.User != nil {
		return nil, errors.New("--grafana must not hold a password: put a service account's token into --token-file")
	}
	raw, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" || strings.ContainsAny(token, " \t\r\n") || len(token) > 4096 {
		return nil, fmt.Errorf("%s must hold one token and nothing else", tokenFile)
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{base: u, token: token, http: h, wait: sleep}, nil
}

// insecure reports whether the token travels in the clear beyond this machine.
func (c *client) insecure() bool {
	host := c.base.Hostname()
	ip := net.ParseIP(host)
	return c.base.Scheme == "http" && host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// refusal is an answer that is not a success.
type refusal struct {
	act     string // what was tried
	status  int
	reason  string // Grafana's status word, such as name-exists
	message string // Grafana's own words
	hint    string // the way out
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("%s: Grafana answers %d", r.act, r.status)
	if r.message != "" {
		text += " (" + r.message + ")"
	}
	if r.hint != "" {
		text += ": " + r.hint
	}
	return text
}

// is reports whether err is an answer of that status.
func is(err error, status int) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == status
}

// tries is how often a request is sent that Grafana was too busy for.
const tries = 4

// call sends a request and reads the answer into out, unless that is nil. act
// says what is done and need which permission it takes, both for the error.
func (c *client) call(ctx context.Context, act, need, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("%s: %w", act, err)
		}
	}
	for try := 1; ; try++ {
		status, raw, after, err := c.send(ctx, method, path, body)
		if err != nil {
			return fmt.Errorf("%s: %w", act, err)
		}
		busy := status == http.StatusTooManyRequests || status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout
		if busy && try < tries {
			if err := c.wait(ctx, max(after, time.Duration(try)*time.Second)); err != nil {
				return fmt.Errorf("%s: %w", act, err)
			}
			continue
		}
		if status != http.StatusOK {
			return c.refused(act, need, status, raw)
		}
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(raw, out); err != nil {
			return fmt.Errorf("%s: %s does not answer as Grafana does; is the address right? %w", act, c.base, err)
		}
		return nil
	}
}

func (c *client) send(ctx context.Context, method, path string, body []byte) (status int, raw []byte, after time.Duration, err error) {
	u := *c.base
	p, query, _ := strings.Cut(path, "?")
	u.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, method, u.JoinPath(p).String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, 0, err
	}
	defer res.Body.Close()
	raw, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, nil, 0, err
	}
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	return res.StatusCode, raw, min(time.Duration(max(seconds, 0))*time.Second, 30*time.Second), nil
}

// refused says what is wrong and what to do about it.
func (c *client) refused(act, need string, status int, raw []byte) error {
	var answer struct{ Message, Status string }
	_ = json.Unmarshal(raw, &answer) // a proxy's page has neither
	r := &refusal{act: act, status: status, reason: answer.Status, message: answer.Message}
	switch {
	case status == http.StatusUnauthorized:
		r.hint = "make a service account with the role Editor and put its token into the token file"
	case status == http.StatusForbidden:
		r.hint = "give the service account the permission " + need + ", which the role Editor has"
	case status >= 300 && status < 400:
		r.hint = "it sends us elsewhere; give the address at which it answers itself, with https and its path"
	case status == http.StatusPreconditionFailed && r.reason == "name-exists":
		r.hint = "another dashboard of this folder has the same title; rename it, or take another --folder"
	case status == http.StatusPreconditionFailed && r.reason == "version-mismatch":
		r.hint = "somebody saved it at this moment; run the import again"
	case strings.Contains(strings.ToLower(r.message), "provisioned"):
		r.hint = "it comes from files on Grafana's disk; change it there, or delete it there first"
	}
	return r
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
