package reportcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// maxAnswer bounds a report from a server, in bytes.
const maxAnswer = 64 << 20

// ask lets a running Vigie make both forms. The ends are settled once by the
// server's clock as good as possible: a relative time is sent as it was meant
// here.
func (o *options) ask(ctx context.Context) (doc document, err error) {
	base, err := url.Parse(o.server)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return doc, fmt.Errorf("--server must be an address such as http://127.0.0.1:8640 (got %q)", o.server)
	}
	if base.User != nil {
		return doc, errors.New("--server must not hold a password: put a bearer token into --token-file")
	}
	token := ""
	if o.tokenFile != "" {
		raw, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return doc, fmt.Errorf("read the token: %w", err)
		}
		token = strings.TrimSpace(string(raw))
		if ip := net.ParseIP(base.Hostname()); base.Scheme == "http" && base.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return doc, errors.New("--token-file needs https, or a server on this machine: the token would travel in the clear")
		}
	}
	q := url.Values{"from": {o.fixed(o.from)}}
	if o.to != "" {
		q.Set("to", o.fixed(o.to))
	} else if !strings.HasPrefix(o.from, "event:") {
		q.Set("to", o.now().UTC().Format(time.RFC3339))
	}
	q.Set("format", "html")
	if doc.html, err = get(ctx, base, q, token); err != nil {
		return doc, err
	}
	q.Set("format", "ndjson")
	doc.ndjson, err = get(ctx, base, q, token)
	return doc, err
}

// fixed turns a time before now into the time that it means, so that both forms
// are of the same range.
func (o *options) fixed(text string) string {
	if d, err := time.ParseDuration(text); err == nil && strings.HasPrefix(text, "-") {
		return o.now().Add(d).UTC().Format(time.RFC3339)
	}
	return text
}

func get(ctx context.Context, base *url.URL, q url.Values, token string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	u := base.JoinPath("api/warroom/report")
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", base.Host, err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	// A redirect leads to a page to sign in at, or to where the token must not go.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s for the report: %w; without a running Vigie, leave --server out", base.Host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the report of %s: %w", base.Host, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: %s", base.Host, res.Status, finding.Clean(strings.TrimSpace(string(body[:min(len(body), 500)]))))
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the report of %s has more than %d bytes: ask for a shorter time", base.Host, maxAnswer)
	}
	return body, nil
}
