package awssigv4extension

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

// signer is the extension. It has no state of its own beside the source's.
type signer struct {
	cfg    *Config
	source *awsclient.Source
	log    *zap.Logger
}

// Start begins to look for credentials and returns at once.
func (s *signer) Start(_ context.Context, host component.Host) error {
	s.source.Start(host)
	return nil
}

// Shutdown is safe before Start and twice.
func (s *signer) Shutdown(context.Context) error {
	s.source.Shutdown()
	return nil
}

// RoundTripper returns base with a signature on each request. It is called when
// the exporter starts.
func (s *signer) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return &roundTripper{signer: s, base: base, v4: v4.NewSigner()}, nil
}

type roundTripper struct {
	*signer
	base  http.RoundTripper
	v4    *v4.Signer
	clock awsclient.Clock
}

// RoundTrip signs a copy of the request, since a RoundTripper must not change the
// one that it was given, and sends it: twice, where the first was refused because
// this machine's clock is minutes off.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	res, at, err := t.send(req)
	if err != nil || !refused(res) {
		return res, err
	}
	ahead, wrong := t.clock.Refused(res, at, time.Now())
	if !wrong {
		return res, nil
	}
	t.log.Warn("This machine's clock is wrong. Requests are signed with AWS' time; what they carry keeps the machine's.",
		zap.Duration("behind_aws_by", ahead), zap.String("host", req.URL.Host))
	again := req.Clone(req.Context())
	if req.Body != nil {
		if req.GetBody == nil {
			return res, nil
		}
		if again.Body, err = req.GetBody(); err != nil {
			return res, nil //nolint:nilerr // the first answer stands
		}
	}
	_ = res.Body.Close()
	res, _, err = t.send(again)
	return res, err
}

// send signs and sends req once; at is the time in the signature.
func (t *roundTripper) send(req *http.Request) (res *http.Response, at time.Time, err error) {
	at = t.clock.At(time.Now())
	signed, err := t.sign(req, at)
	if err != nil {
		closeBody(req)
		return nil, at, err
	}
	if res, err = t.base.RoundTrip(signed); err == nil {
		t.tell(res, signed)
	}
	return res, at, err
}

func (t *roundTripper) sign(req *http.Request, at time.Time) (*http.Request, error) {
	cfg, err := t.source.Config()
	if err != nil {
		return nil, err
	}
	service, region, err := t.scope(req.URL.Host, cfg.Region)
	if err != nil {
		return nil, err
	}
	credentials, err := cfg.Credentials.Retrieve(req.Context())
	if err != nil {
		err = fmt.Errorf("get AWS credentials: %w", err)
		t.source.Told(err)
		return nil, err
	}
	signed := req.Clone(req.Context())
	nameRegion(signed, region)
	hash, err := hashBody(signed)
	if err != nil {
		return nil, fmt.Errorf("read the request to sign it: %w", err)
	}
	if err := t.v4.SignHTTP(req.Context(), credentials, signed, hash, service, region, at); err != nil {
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	return signed, nil
}

// services are AWS' signing names by the beginning of their endpoints' names.
var services = []struct{ host, service string }{ //nolint:gochecknoglobals // a constant table
	{"aps-workspaces", "aps"}, {"xray", "xray"}, {"logs", "logs"}, {"monitoring", "monitoring"},
}

// scope returns what the signature is for. A host such as
// aps-workspaces.eu-west-3.amazonaws.com tells both parts; of another host,
// such as a private one, the configuration must tell the service.
func (t *roundTripper) scope(host, found string) (service, region string, err error) {
	service, region = t.cfg.Service, t.cfg.Region
	first, rest, _ := strings.Cut(host, ".")
	for _, s := range services {
		if strings.TrimSuffix(first, "-fips") != s.host {
			continue
		}
		if service == "" {
			service = s.service
		}
		if in, _, ok := strings.Cut(rest, "."); ok && region == "" && strings.Count(in, "-") >= 2 {
			region = in
		}
	}
	if region == "" {
		region = found
	}
	if service == "" {
		return "", "", fmt.Errorf("%s does not say which AWS service it is: set service of aws_sigv4, e.g. aps", host)
	}
	return service, region, nil
}

// auto stands in a host name for the region that was found.
const auto = ".auto."

// nameRegion writes the region into a host such as xray.auto.amazonaws.com, so
// that an exporter can be configured before anybody knows the region.
func nameRegion(req *http.Request, region string) {
	if strings.Contains(req.URL.Host, auto) {
		req.URL.Host = strings.Replace(req.URL.Host, auto, "."+region+".", 1)
		req.Host = req.URL.Host
	}
}

// hashBody returns the payload's SHA-256 in hexadecimal digits. A body that can't
// be read twice is read into memory.
func hashBody(req *http.Request) (string, error) {
	h := sha256.New()
	switch {
	case req.Body == nil || req.Body == http.NoBody:
	case req.GetBody != nil:
		body, err := req.GetBody()
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, body)
		if err := errors.Join(err, body.Close()); err != nil {
			return "", err
		}
	default:
		all, err := io.ReadAll(req.Body)
		if err := errors.Join(err, req.Body.Close()); err != nil {
			return "", err
		}
		h.Write(all)
		req.Body = io.NopCloser(bytes.NewReader(all))
		req.ContentLength = int64(len(all))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func refused(res *http.Response) bool {
	return res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized
}

// tell hands the outcome to health: a permission that is missing, or credentials
// that are refused, are a state of the pipeline and not of one request.
func (t *roundTripper) tell(res *http.Response, req *http.Request) {
	switch {
	case refused(res):
		t.source.Told(&refusedError{status: res.StatusCode, host: req.URL.Host, action: action(req)})
	case res.StatusCode < 300:
		t.source.Told(nil)
	}
}

// action is the IAM action that a request to one of the known endpoints needs.
func action(req *http.Request) string {
	path := req.URL.Path
	switch {
	case strings.HasSuffix(path, "/remote_write"):
		return "aps:RemoteWrite"
	case strings.HasSuffix(path, "/v1/traces"):
		return "xray:PutTraceSegments"
	case strings.HasSuffix(path, "/v1/metrics"):
		return "cloudwatch:PutMetricData"
	case strings.HasSuffix(path, "/v1/logs"):
		return "logs:PutLogEvents"
	}
	return ""
}

// refusedError is AWS' no to who we are.
type refusedError struct {
	status int
	host   string
	action string
}

func (e *refusedError) Error() string {
	what := fmt.Sprintf("%s answered %d %s", e.host, e.status, http.StatusText(e.status))
	if e.action == "" {
		return what + ": check the role's permissions"
	}
	return what + ": allow " + e.action + " to the role in use"
}

// ErrorCode, ErrorMessage and ErrorFault make it an smithy.APIError, by which
// awsclient sorts errors.
func (e *refusedError) ErrorCode() string             { return "AccessDenied" }
func (e *refusedError) ErrorMessage() string          { return e.Error() }
func (e *refusedError) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
