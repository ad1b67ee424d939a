package remotewriteexporter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// notNowError is an answer after which the same request may be taken later.
type notNowError struct {
	status int    // 0: no answer
	body   string // the server's words
	after  time.Duration
	err    error // why there was no answer
}

func (e *notNowError) Error() string {
	if e.err != nil {
		return "remote write: " + e.err.Error()
	}
	switch e.status {
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Sprintf("remote write: %d %s: allow aps:RemoteWrite on the workspace to the role in use, or check the credentials: %s", e.status, http.StatusText(e.status), e.body)
	}
	return fmt.Sprintf("remote write: %d %s: %s", e.status, http.StatusText(e.status), e.body)
}

// Unwrap gives why there was no answer.
func (e *notNowError) Unwrap() error { return e.err }

// deliver sends a request until its fate is known and counts it in t. An error
// says that it is not.
func (w *writer) deliver(ctx context.Context, r request, t *tally) error {
	status, body, sent, err := w.send(ctx, r)
	switch {
	case err != nil:
		return err
	case status < 300:
		t.samples += r.samples()
		t.bytes += int64(sent)
		return nil
	case status == http.StatusRequestEntityTooLarge:
		first, second, ok := r.halves()
		if !ok {
			w.drop(r, t, "too_large", status, body)
			return nil
		}
		if err := w.deliver(ctx, first, t); err != nil {
			return err
		}
		return w.deliver(ctx, second, t)
	case strings.Contains(body, "out of order") || strings.Contains(body, "too old") || strings.Contains(body, "duplicate sample"):
		w.drop(r, t, "out_of_order", status, body)
	default:
		w.drop(r, t, "refused", status, body)
	}
	return nil
}

func (w *writer) drop(r request, t *tally, reason string, status int, body string) {
	t.drop(reason, r.samples())
	w.tell(reason, zap.Int("status", status), zap.String("server", body), zap.Int64("samples", r.samples()))
}

// maxWords is how much of an answer is read: the server's reason.
const maxWords = 512

// send makes one HTTP request. An error is a notNowError.
func (w *writer) send(ctx context.Context, r request) (status int, words string, sent int, err error) {
	b := w.buffers.Get().(*buffer)
	defer w.buffers.Put(b)
	body, err := b.encode(r)
	if err != nil {
		return http.StatusBadRequest, err.Error(), 0, nil // it would fail again
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.Endpoint, bytes.NewReader(body))
	if err != nil {
		return http.StatusBadRequest, err.Error(), 0, nil
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	req.Header.Set("User-Agent", w.agent)
	w.tel.RemoteWriteRequests.Add(ctx, 1)
	res, err := w.client.Do(req)
	if err != nil {
		return 0, "", 0, &notNowError{err: err}
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxWords))
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is kept
	words = strings.ToValidUTF8(strings.TrimSpace(string(answer)), "\uFFFD")
	if s := res.StatusCode; s >= 500 || s == http.StatusTooManyRequests || s == http.StatusForbidden || s == http.StatusUnauthorized || s == http.StatusRequestTimeout {
		return s, words, 0, &notNowError{status: s, body: words, after: retryAfter(res.Header.Get("Retry-After"), time.Now())}
	}
	return res.StatusCode, words, len(body), nil
}

// longest is the longest pause that a server can ask for.
const longest = 5 * time.Minute

// retryAfter reads the header's two forms, seconds and a date; 0 if it has none.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return min(max(time.Duration(seconds)*time.Second, 0), longest)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longest)
	}
	return 0
}
