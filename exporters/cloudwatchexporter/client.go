package cloudwatchexporter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/klauspost/compress/gzip"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/emf"
)

// client makes the one call that carries data, PutLogEvents, by hand: appended,
// compressed and signed from buffers that are used again. README.md has what the
// SDK's own way costs. The calls that create streams are the SDK's.
type client struct {
	sdk      *cloudwatchlogs.Client
	creds    aws.CredentialsProvider
	region   string
	url      string
	http     *http.Client
	signer   *v4.Signer
	gzip     bool
	timeout  time.Duration
	now      func() time.Time
	clock    awsclient.Clock
	scratchs sync.Pool // *scratch
}

type scratch struct {
	body    []byte
	zipped  bytes.Buffer
	zip     *gzip.Writer
	readers atomic.Int32 // bodies that the transport has not closed
}

// reader counts itself among readers until it is closed.
func (s *scratch) reader(body []byte) io.ReadCloser {
	s.readers.Add(1)
	return &reader{Reader: bytes.NewReader(body), of: s}
}

type reader struct {
	*bytes.Reader
	of     *scratch
	closed atomic.Bool
}

func (r *reader) Close() error {
	if !r.closed.Swap(true) {
		r.of.readers.Add(-1)
	}
	return nil
}

func newClient(ctx context.Context, cfg aws.Config, own *Config) (*client, error) {
	// A client of our own with the SDK's transport (its TLS settings, authorities
	// and proxies), since one has to be able to close its connections.
	transport := awshttp.NewBuildableClient().GetTransport()
	if b, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		transport = b.GetTransport()
	}
	transport.MaxIdleConnsPerHost = own.Concurrency
	connections := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	// One attempt: what failed is tried again by the exporter's own retry, which
	// knows about the queue and about shutting down.
	sdk := cloudwatchlogs.NewFromConfig(cfg, func(o *cloudwatchlogs.Options) {
		o.RetryMaxAttempts = 1
		o.HTTPClient = connections
	})
	o := sdk.Options()
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, cloudwatchlogs.EndpointParameters{
		Region:       aws.String(o.Region),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		Endpoint:     o.BaseEndpoint,
	})
	if err != nil {
		return nil, fmt.Errorf("find the CloudWatch Logs endpoint of region %s: %w", o.Region, err)
	}
	return &client{
		sdk: sdk, creds: cfg.Credentials, region: o.Region, url: strings.TrimSuffix(endpoint.URI.String(), "/") + "/",
		http: connections, signer: v4.NewSigner(), gzip: own.Compression == "gzip", timeout: own.Timeout, now: time.Now,
		scratchs: sync.Pool{New: func() any {
			// Level 1: measured at three times the speed of the default for a
			// tenth more bytes, and the bytes on this wire are not billed.
			zip, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
			return &scratch{zip: zip}
		}},
	}, nil
}

// rejected says which of a batch's events the service took no part of; the
// indices are as in its API reference, -1 for none.
type rejected struct {
	tooNewFrom, tooOldTo, expiredTo int
}

// put sends one batch. An error is one of awsclient's kinds.
func (c *client) put(ctx context.Context, to destination, events []event) (rejected, error) {
	s := c.scratchs.Get().(*scratch)
	defer func() {
		// The transport may read on after an early answer; then the buffers are
		// its own.
		if s.readers.Load() == 0 {
			c.scratchs.Put(s)
		}
	}()
	s.body = appendPut(s.body[:0], to, events)
	body := s.body
	if c.gzip {
		s.zipped.Reset()
		s.zip.Reset(&s.zipped)
		if _, err := s.zip.Write(s.body); err != nil {
			return rejected{}, fmt.Errorf("compress log events: %w", err)
		}
		if err := s.zip.Close(); err != nil {
			return rejected{}, fmt.Errorf("compress log events: %w", err)
		}
		body = s.zipped.Bytes()
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	resp, err := c.post(ctx, s, to, body)
	if err != nil {
		return rejected{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode != http.StatusOK {
		return rejected{}, c.failed(resp, answer)
	}
	if err != nil {
		return rejected{}, fmt.Errorf("read the answer: %w", err)
	}
	return readAnswer(answer), nil
}

func (c *client) post(ctx context.Context, s *scratch, to destination, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, nil)
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return s.reader(body), nil }
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "Logs_20140328.PutLogEvents")
	if c.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if to.emf {
		req.Header.Set("X-Amzn-Logs-Format", "json/emf")
	}
	creds, err := c.creds.Retrieve(ctx)
	if err != nil {
		return nil, awsclient.NotReady(err)
	}
	sum := sha256.Sum256(body)
	at := c.clock.At(c.now())
	if err := c.signer.SignHTTP(ctx, creds, req, hex.EncodeToString(sum[:]), "logs", c.region, at); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	req.Body = s.reader(body)
	return c.http.Do(req)
}

// appendPut appends the body of a PutLogEvents request.
func appendPut(b []byte, to destination, events []event) []byte {
	b = append(b, `{"logGroupName":`...)
	b = emf.AppendString(b, to.group)
	b = append(b, `,"logStreamName":`...)
	b = emf.AppendString(b, to.stream)
	b = append(b, `,"logEvents":[`...)
	for i := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"timestamp":`...)
		b = strconv.AppendInt(b, events[i].at, 10)
		b = append(b, `,"message":`...)
		b = emf.AppendString(b, events[i].message)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

func readAnswer(body []byte) rejected {
	r := rejected{tooNewFrom: -1, tooOldTo: -1, expiredTo: -1}
	if !bytes.Contains(body, []byte("rejectedLogEventsInfo")) {
		return r
	}
	var answer struct {
		Info struct {
			TooNew  *int `json:"tooNewLogEventStartIndex"`
			TooOld  *int `json:"tooOldLogEventEndIndex"`
			Expired *int `json:"expiredLogEventEndIndex"`
		} `json:"rejectedLogEventsInfo"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return r
	}
	for _, f := range []struct {
		to   *int
		from *int
	}{{&r.tooNewFrom, answer.Info.TooNew}, {&r.tooOldTo, answer.Info.TooOld}, {&r.expiredTo, answer.Info.Expired}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	return r
}

// failed makes of an answer the error that the SDK would make, so that one
// function sorts both.
func (c *client) failed(resp *http.Response, body []byte) error {
	var answer struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Upper   string `json:"Message"`
	}
	_ = json.Unmarshal(body, &answer)
	code := answer.Type
	if code == "" {
		code, _, _ = strings.Cut(resp.Header.Get("X-Amzn-Errortype"), ":")
	}
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	if answer.Message == "" {
		answer.Message = answer.Upper
	}
	var cause error = &smithy.GenericAPIError{Code: code, Message: answer.Message}
	if code == "" {
		cause = errors.New(http.StatusText(resp.StatusCode))
	}
	err := &awshttp.ResponseError{
		RequestID:     resp.Header.Get("X-Amzn-Requestid"),
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: resp}, Err: cause},
	}
	if awsclient.KindOf(err) == awsclient.Credentials {
		c.clock.Refused(resp, c.clock.At(c.now()), c.now())
	}
	return err
}

// retryAfter is what the service asked for, 0 when it said nothing.
func retryAfter(err error) time.Duration {
	resp, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || resp.Response == nil {
		return 0
	}
	seconds, err := strconv.Atoi(resp.Response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 300)) * time.Second
}
