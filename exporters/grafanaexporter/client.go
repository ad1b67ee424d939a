package grafanaexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// maxAnswer bounds what is read of an answer, and maxToken a token file, in bytes.
const (
	maxAnswer = 1 << 20
	maxToken  = 16 << 10
)

// client speaks Grafana's annotation API. It is safe for concurrent use.
type client struct {
	http      *http.Client
	root      string // without a slash at its end
	tokenFile string
	orgID     int64
}

// annotation is the API's own form.
type annotation struct {
	ID           int64    `json:"id,omitempty"`
	DashboardUID string   `json:"dashboardUID,omitempty"`
	PanelID      int64    `json:"panelId,omitempty"`
	Time         int64    `json:"time,omitempty"`
	TimeEnd      int64    `json:"timeEnd,omitempty"`
	Text         string   `json:"text,omitempty"`
	Tags         []string `json:"tags,omitempty"`
}

// refusal is an answer other than 200.
type refusal struct {
	act        string
	status     int
	message    string
	retryAfter time.Duration
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("%s: Grafana answers %d", r.act, r.status)
	if r.message != "" {
		text += ", " + r.message
	}
	switch r.status {
	case http.StatusUnauthorized:
		text += "; put a valid service-account token into token_file"
	case http.StatusForbidden:
		text += "; the service account needs annotations:read, annotations:create and annotations:write (the role Editor has them)"
	}
	return text
}

// hopeless reports whether the same call will be refused again, whatever is
// mended on Grafana's side.
func (r *refusal) hopeless() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusRequestURITooLong:
		return true
	}
	return false
}

// find returns the oldest annotation that has the tag; false where there is none.
func (c *client) find(ctx context.Context, tag string) (annotation, bool, error) {
	var got []annotation
	q := url.Values{"tags": {tag}, "type": {"annotation"}, "limit": {"100"}}
	if err := c.call(ctx, "look for the annotation", http.MethodGet, "/api/annotations?"+q.Encode(), nil, &got); err != nil {
		return annotation{}, false, err
	}
	var oldest annotation
	for _, a := range got {
		if a.ID > 0 && (oldest.ID == 0 || a.ID < oldest.ID) {
			oldest = a
		}
	}
	return oldest, oldest.ID > 0, nil
}

func (c *client) create(ctx context.Context, a annotation) (id int64, err error) {
	var got struct {
		ID int64 `json:"id"`
	}
	if err := c.call(ctx, "create the annotation", http.MethodPost, "/api/annotations", a, &got); err != nil {
		return 0, err
	}
	if got.ID == 0 {
		return 0, errors.New("create the annotation: Grafana answers without an id")
	}
	return got.ID, nil
}

func (c *client) update(ctx context.Context, id int64, a annotation) error {
	return c.call(ctx, "update the annotation", http.MethodPatch, "/api/annotations/"+strconv.FormatInt(id, 10), a, nil)
}

func (c *client) call(ctx context.Context, act, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s: %w", act, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.root+path, body)
	if err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if c.orgID > 0 {
		req.Header.Set("X-Grafana-Org-Id", strconv.FormatInt(c.orgID, 10))
	}
	if c.tokenFile != "" {
		token, err := readToken(c.tokenFile)
		if err != nil {
			return fmt.Errorf("%s: %w", act, err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // the connection is used again
		_ = res.Body.Close()
	}()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", act, err)
	}
	if res.StatusCode != http.StatusOK {
		return refused(act, res, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: the answer is not Grafana's JSON; endpoint must be Grafana's root, and no page to sign in may stand before it: %w", act, err)
	}
	return nil
}

func refused(act string, res *http.Response, answer []byte) *refusal {
	r := &refusal{act: act, status: res.StatusCode}
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &said) == nil {
		r.message = finding.Clean(said.Message)
	}
	switch after := res.Header.Get("Retry-After"); {
	case after == "":
	case strings.HasSuffix(after, "GMT"):
		if at, err := http.ParseTime(after); err == nil {
			r.retryAfter = max(time.Until(at), 0)
		}
	default:
		if s, err := strconv.Atoi(after); err == nil && s > 0 {
			r.retryAfter = time.Duration(s) * time.Second
		}
	}
	r.retryAfter = min(r.retryAfter, maxRetryAfter)
	return r
}

// maxRetryAfter bounds what is believed of Retry-After: nobody may send the
// exporter to sleep for the length of a match.
const maxRetryAfter = 5 * time.Minute

// readToken reads a file that is changed by replacing it, as Kubernetes does with
// secrets.
func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read token_file: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("read token_file: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, " \r\n\t") {
		return "", fmt.Errorf("token_file %s must hold one token and nothing else", path)
	}
	return token, nil
}
