package gather

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vigie-otel/vigie/internal/finding"
)

const (
	pageSize = 500
	// maxPages ends a server that always has one more: 500,000 objects.
	maxPages = 1000
	maxError = 4 << 10
)

// statusError is an answer that is no list.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string {
	if e.text == "" {
		return fmt.Sprintf("the API server answers %d", e.code)
	}
	return fmt.Sprintf("the API server answers %d: %s", e.code, e.text)
}

func is(err error, code int) bool {
	s, ok := errors.AsType[*statusError](err)
	return ok && s.code == code
}

// get is the one place that sends anything to the API server, and it only reads.
func (a *API) get(ctx context.Context, path string, q url.Values) (io.ReadCloser, error) {
	u := a.base.JoinPath(path)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask the API server: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the API server %s: %w", a.base.Host, bare(err))
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(res.Body, maxError))
	var said struct{ Message string }
	if json.Unmarshal(raw, &said) != nil || said.Message == "" {
		said.Message = string(raw)
	}
	return nil, &statusError{res.StatusCode, cut(finding.Clean(strings.TrimSpace(said.Message)), 300)}
}

// bare is an error of net/http without the method and the URL, which hold nothing
// that a person asked for.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// page is what a list says of itself.
type page struct {
	Continue  string `json:"continue"`
	Remaining *int64 `json:"remainingItemCount"`
}

// list calls each for every object of a resource, a page and an object at a time.
// A list whose pages have expired meanwhile (410) begins again, once, after reset.
func list[T any](ctx context.Context, a *API, path string, reset func(), each func(*T)) error {
	for again := 0; ; again++ {
		reset()
		err := pages(ctx, a, path, each)
		if !is(err, http.StatusGone) || again > 0 {
			return err
		}
	}
}

func pages[T any](ctx context.Context, a *API, path string, each func(*T)) error {
	q := url.Values{"limit": {strconv.Itoa(pageSize)}}
	for range maxPages {
		body, err := a.get(ctx, path, q)
		if err != nil {
			return err
		}
		p, err := decode(body, each)
		_ = body.Close()
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if p.Continue == "" {
			return nil
		}
		q.Set("continue", p.Continue)
	}
	return fmt.Errorf("read %s: more than %d pages", path, maxPages)
}

// decode reads one list without holding it: a server that ignores limit, as some
// do for resources of others, costs no more memory than one that does not. One
// object that can't be read ends the list: a sum without it would be too small.
func decode[T any](r io.Reader, each func(*T)) (p page, err error) {
	dec := json.NewDecoder(r)
	if err := expect(dec, '{'); err != nil {
		return p, err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return p, err
		}
		switch key {
		case "metadata":
			err = dec.Decode(&p)
		case "items":
			err = items(dec, each)
		default:
			var skip json.RawMessage
			err = dec.Decode(&skip)
		}
		if err != nil {
			return p, err
		}
	}
	return p, expect(dec, '}')
}

func items[T any](dec *json.Decoder, each func(*T)) error {
	first, err := dec.Token()
	if err != nil || first == nil { // null: none
		return err
	}
	if first != json.Delim('[') {
		return fmt.Errorf("items: want a list, got %v", first)
	}
	for dec.More() {
		var o T
		if err := dec.Decode(&o); err != nil {
			return err
		}
		each(&o)
	}
	return expect(dec, ']')
}

func expect(dec *json.Decoder, want json.Delim) error {
	got, err := dec.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("want %v, got %v", want, got)
	}
	return nil
}

// one reads one object.
func one[T any](ctx context.Context, a *API, path string) (*T, error) {
	body, err := a.get(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var o T
	if err := json.NewDecoder(io.LimitReader(body, 4<<20)).Decode(&o); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &o, nil
}

// count is how many objects there are, out of the first page where the server
// says how many remain.
func count(ctx context.Context, a *API, path string) (n int, err error) {
	type name struct{}
	body, err := a.get(ctx, path, url.Values{"limit": {"1"}})
	if err != nil {
		return 0, err
	}
	p, err := decode(body, func(*name) { n++ })
	_ = body.Close()
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case p.Continue == "":
		return n, nil
	case p.Remaining != nil:
		return n + int(*p.Remaining), nil
	}
	err = list(ctx, a, path, func() { n = 0 }, func(*name) { n++ })
	return n, err
}
