package reportcmd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/httpaccess"
)

// maxAnswer bounds a report from a server, in bytes.
const maxAnswer = 64 << 20

// ask lets a running Vigie make both forms. The ends are settled once by the
// server's clock as good as possible: a relative time is sent as it was meant
// here.
func (o *options) ask(ctx context.Context) (doc document, err error) {
	server, err := o.as.Open(o.server)
	if err != nil {
		return doc, fmt.Errorf("--server: %w", err)
	}
	q := url.Values{"from": {o.fixed(o.from)}}
	if o.to != "" {
		q.Set("to", o.fixed(o.to))
	} else if !strings.HasPrefix(o.from, "event:") {
		q.Set("to", o.now().UTC().Format(time.RFC3339))
	}
	q.Set("format", "html")
	if doc.html, err = get(ctx, server, q); err != nil {
		return doc, err
	}
	q.Set("format", "ndjson")
	doc.ndjson, err = get(ctx, server, q)
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

func get(ctx context.Context, server *httpaccess.Server, q url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	host := server.Base.Host
	u := server.Base.JoinPath("api/warroom/report")
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", host, err)
	}
	res, err := server.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w; without a running Vigie, leave --server out", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the report of %s: %w", host, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: %s", host, res.Status, finding.Clean(strings.TrimSpace(string(body[:min(len(body), 500)]))))
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the report of %s has more than %d bytes: ask for a shorter time", host, maxAnswer)
	}
	return body, nil
}
