package awsfake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

// signed is a DescribeLogGroups request with the SDK's own signature.
func signed(t *testing.T, s *Server, who Credentials, at time.Time, change func(*http.Request)) *http.Request {
	t.Helper()
	body := []byte(`{"logGroupNamePrefix":"/"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-Amz-Target", "Logs_20140328.DescribeLogGroups")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if change != nil {
		change(r)
	}
	signRequest(t, r, body, who, "logs", s.Region, at)
	return r
}

func signRequest(t *testing.T, r *http.Request, body []byte, who Credentials, service, region string, at time.Time) {
	t.Helper()
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: who.AccessKeyID, SecretAccessKey: who.SecretAccessKey, SessionToken: who.SessionToken}
	require.NoError(t, v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), service, region, at))
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestASignatureThatWasTamperedWithIsRefused(t *testing.T) {
	s := Start(t, Options{})
	now, who := time.Now(), s.Credentials
	otherBody := func(r *http.Request) {
		other := []byte(`{"logGroupNamePrefix":"x"}`)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(other)), int64(len(other))
	}
	replace := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			before := r.Header.Get("Authorization")
			r.Header.Set("Authorization", strings.Replace(before, old, with, 1))
			require.NotEqual(t, before, r.Header.Get("Authorization"))
		}
	}
	for _, c := range []struct {
		what   string
		at     time.Time
		who    Credentials
		tamper func(*http.Request)
		want   string // "" means accepted
	}{
		{what: "nothing", at: now, who: who},
		{what: "a clock 4 min. behind", at: now.Add(-4 * time.Minute), who: who},
		{what: "a clock 6 min. behind", at: now.Add(-6 * time.Minute), who: who, want: "InvalidSignatureException"},
		{what: "a clock 6 min. ahead", at: now.Add(6 * time.Minute), who: who, want: "InvalidSignatureException"},
		{what: "body", at: now, who: who, tamper: otherBody, want: "InvalidSignatureException"},
		{what: "a signed header", at: now, who: who, tamper: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, want: "InvalidSignatureException"},
		{what: "the target", at: now, who: who, tamper: func(r *http.Request) { r.Header.Set("X-Amz-Target", "Logs_20140328.DescribeLogStreams") }, want: "InvalidSignatureException"},
		{what: "an unsigned x-amz header", at: now, who: who, tamper: func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public") }, want: "InvalidSignatureException"},
		{what: "the date", at: now, who: who, tamper: func(r *http.Request) { r.Header.Set("X-Amz-Date", now.Add(time.Second).UTC().Format(dateFormat)) }, want: "InvalidSignatureException"},
		{what: "no date", at: now, who: who, tamper: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, want: "InvalidSignatureException"},
		{what: "the host", at: now, who: who, tamper: func(r *http.Request) { r.Host = "logs.eu-west-3.amazonaws.com" }, want: "InvalidSignatureException"},
		{what: "the query", at: now, who: who, tamper: func(r *http.Request) { r.URL.RawQuery = "a=1" }, want: "InvalidSignatureException"},
		{what: "the path", at: now, who: who, tamper: func(r *http.Request) { r.URL.Path = "/other" }, want: "InvalidSignatureException"},
		{what: "the signature", at: now, who: who, tamper: replace("Signature=", "Signature=0"), want: "InvalidSignatureException"},
		{what: "the region", at: now, who: who, tamper: replace("/eu-west-3/", "/us-east-1/"), want: "InvalidSignatureException"},
		{what: "the service", at: now, who: who, tamper: replace("/logs/", "/events/"), want: "InvalidSignatureException"},
		{what: "the host out of the signed headers", at: now, who: who, tamper: replace(";host;", ";"), want: "InvalidSignatureException"},
		{what: "a claimed hash", at: now, who: who, tamper: func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "00") }, want: "InvalidSignatureException"},
		{what: "another algorithm", at: now, who: who, tamper: replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), want: "IncompleteSignatureException"},
		{what: "no signature", at: now, who: who, tamper: func(r *http.Request) { r.Header.Del("Authorization") }, want: "MissingAuthenticationTokenException"},
		{what: "no session token", at: now, who: who, tamper: func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }, want: "UnrecognizedClientException"},
		{what: "another secret", at: now, who: Credentials{who.AccessKeyID, "wrong", who.SessionToken}, want: "InvalidSignatureException"},
		{what: "another token", at: now, who: Credentials{who.AccessKeyID, who.SecretAccessKey, "wrong"}, want: "UnrecognizedClientException"},
		{what: "an unknown key", at: now, who: Credentials{"ASIANOBODY", "wrong", ""}, want: "UnrecognizedClientException"},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := signed(t, s, c.who, c.at, nil)
			if c.tamper != nil {
				c.tamper(r)
			}
			status, body := do(t, r)
			if c.want == "" {
				if status != http.StatusOK {
					t.Errorf("%d %s", status, body)
				}
				return
			}
			if status != http.StatusBadRequest || !strings.Contains(body, `"__type":"`+c.want+`"`) {
				t.Errorf("%d %s, want 400 %s", status, body, c.want)
			}
			wantViolation := c.want != "UnrecognizedClientException"
			if got := len(s.TakeViolations()) == 1; got != wantViolation {
				t.Errorf("violation: %t, want %t", got, wantViolation)
			}
		})
	}
}

func TestOddPathsAndQueriesAreCanonicalAsTheSDKHasThem(t *testing.T) {
	s := Start(t, Options{})
	for _, target := range []string{"/", "/a b/c%2Fd", "/ws-é~*/x", "/?b=2&a=1&a=0", "/?q=a%20b%2Bc&empty="} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+strings.ReplaceAll(target, " ", "%20"), strings.NewReader("x"))
		require.NoError(t, err)
		r.Header.Set("X-Odd", "  two   spaces ")
		signRequest(t, r, []byte("x"), s.Credentials, "sts", s.Region, time.Now())
		// What arrives is what a server's parser makes of it.
		arrived := httptest.NewRequest(r.Method, r.URL.RequestURI(), nil)
		arrived.Host, arrived.Header, arrived.ContentLength = r.URL.Host, r.Header, 1
		if _, refused := s.authenticate(arrived, []byte("x"), STS); refused != nil {
			t.Errorf("%s: %v", target, refused)
		}
	}
}

func TestCredentialsExpireAndComeBack(t *testing.T) {
	s := Start(t, Options{})
	status := func() string {
		code, body := do(t, signed(t, s, s.Credentials, time.Now(), nil))
		return fmt.Sprint(code, " ", body[:min(len(body), 34)])
	}
	if got := status(); !strings.HasPrefix(got, "200") {
		t.Error(got)
	}
	s.ExpireCredentials()
	if got := status(); got != `400 {"__type":"ExpiredTokenException",` {
		t.Error(got)
	}
	s.RestoreCredentials()
	if got := status(); !strings.HasPrefix(got, "200") {
		t.Error(got)
	}
}
