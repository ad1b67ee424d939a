package checkcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/finding"
)

// endpoint is one URL that a part posts to, and how it does.
type endpoint struct {
	part        string
	client      confighttp.ClientConfig
	url         string
	body        []byte // empty of telemetry, in the part's own encoding
	headers     map[string]string
	permission  string // IAM action, where it is AWS
	takes       string // "remote write", for the line
	nothingHere string // what to do about a 404
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 8 << 10

// post is the probe of an endpoint: one request, made by the client that the part
// itself would make.
func (p *plan) post(e endpoint) probe {
	var id *identity
	if auth := e.client.Auth.Get(); auth != nil {
		if s, ok := p.signers[auth.AuthenticatorID]; ok {
			id = p.ids.of(s, e.part)
		}
	}
	return probe{e.part, func(ctx context.Context) []Result {
		if auth := e.client.Auth.Get(); auth != nil && p.broken[auth.AuthenticatorID] != nil {
			return one(fail("mend the extension", "not tried: %s does not start: %v", auth.AuthenticatorID, p.broken[auth.AuthenticatorID]))
		}
		if id != nil {
			if _, err := id.get(ctx); err != nil {
				return one(untried())
			}
		}
		client, err := e.client.ToClient(ctx, p.auth, telemetry())
		if err != nil {
			return one(fail("", "the HTTP client cannot be made: %v", err))
		}
		defer client.CloseIdleConnections()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		client.Transport = timed{p.clock, client.Transport}
		res, answer, err := e.send(ctx, client)
		if err != nil {
			return one(unreachable(ctx, e.url, err, p.timeout))
		}
		at := e
		if res.Request != nil { // a signer may have named the region in the host
			at.url = res.Request.URL.String()
		}
		return one(at.judge(res, answer, id))
	}}
}

// send posts once, and again while a signer has not found its credentials yet.
func (e endpoint) send(ctx context.Context, client *http.Client) (*http.Response, string, error) {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, strings.NewReader(string(e.body)))
		if err != nil {
			return nil, "", err
		}
		for k, v := range e.headers {
			req.Header.Set(k, v)
		}
		res, err := client.Do(req)
		if _, waits := errors.AsType[*awsclient.NotReadyError](err); waits {
			select {
			case <-ctx.Done():
				return nil, "", err
			case <-time.After(50 * time.Millisecond):
				continue
			}
		}
		if err != nil {
			return nil, "", err
		}
		b, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		_ = res.Body.Close()
		return res, strings.TrimSpace(string(b)), nil
	}
}

// judge says what an answer means. AWS looks at the signature and the permission
// before it looks at the request, so that even a refusal of an empty request says
// that both are good.
func (e endpoint) judge(res *http.Response, answer string, id *identity) Result {
	short := said(answer)
	switch status := res.StatusCode; {
	case status/100 == 2:
		return ok("%s takes %s%s", e.url, e.takes, e.allowed(id))
	case status/100 == 3:
		return fail("set endpoint to where it leads, or look at what stands before it", "%s leads to %s", e.url, finding.Clean(res.Header.Get("Location")))
	case status == http.StatusBadRequest && strings.Contains(answer, "x-aws-log-"):
		return fail("set headers::x-aws-log-group and headers::x-aws-log-stream to a group and a stream that are there", "%s: %s", e.url, short)
	case status == http.StatusBadRequest && id != nil && !aboutCredentials(answer):
		return warn("nothing, if real data arrives", "%s accepts signature and permission, and refuses an empty request: %s", e.url, short)
	case (status == http.StatusForbidden || status == http.StatusBadRequest || status == http.StatusUnauthorized) && id != nil && aboutCredentials(answer):
		return fail("look at expiry, at the clock, and at the region that is signed for", "%s does not accept the signature: %s", e.url, short)
	case status == http.StatusForbidden && id != nil:
		return fail(fmt.Sprintf("allow %s to %s", e.permission, id.name()), "%s denies access: %s", e.url, short)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fail("look at auth and headers of "+e.part+e.unsigned(), "%s denies access (%d): %s", e.url, status, short)
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return fail(e.nothingHere, "%s: there is nothing that takes %s (%d): %s", e.url, e.takes, status, short)
	case status == http.StatusTooManyRequests:
		return warn("raise the quota", "%s asks to slow down (429): %s", e.url, short)
	case status >= http.StatusInternalServerError:
		return fail("look at that service's own health", "%s is in trouble (%d): %s", e.url, status, short)
	default:
		return fail("look at endpoint", "%s answers %d: %s", e.url, status, short)
	}
}

func (e endpoint) allowed(id *identity) string {
	if id == nil || e.permission == "" {
		return ""
	}
	return " (" + e.permission + ")"
}

// unsigned hints at a signature that is missing altogether.
func (e endpoint) unsigned() string {
	if strings.Contains(e.url, ".amazonaws.com") {
		return "; AWS needs an authenticator of type aws_sigv4"
	}
	return ""
}

func aboutCredentials(answer string) bool {
	for _, sign := range []string{"ExpiredToken", "UnrecognizedClient", "InvalidSignature", "SignatureDoesNotMatch", "InvalidClientTokenId", "MissingAuthenticationToken", "IncompleteSignature", "security token", "signature", "credential should be scoped"} {
		if strings.Contains(strings.ToLower(answer), strings.ToLower(sign)) {
			return true
		}
	}
	return false
}

// said is the beginning of an answer, on one line.
func said(answer string) string {
	answer = strings.Join(strings.FieldsFunc(answer, func(r rune) bool { return r < ' ' }), " ")
	if len(answer) > 200 {
		answer = strings.ToValidUTF8(answer[:200], "") + "…"
	}
	if answer == "" {
		return "without a word"
	}
	return finding.Clean(answer)
}
