package awsfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far a request's date may be from ours.
const maxSkew = 5 * time.Minute

const (
	algorithm   = "AWS4-HMAC-SHA256"
	dateFormat  = "20060102T150405Z"
	scopeFormat = "20060102"
)

// Credentials sign requests.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	// SessionToken is empty for long-term credentials.
	SessionToken string
}

// issued is a set of credentials that the fake knows.
type issued struct {
	Credentials
	arn     string
	expires time.Time // zero: never
}

// authorization is what an Authorization header says.
type authorization struct {
	key, date, region, service string
	headers                    []string
	signature                  string
}

func parseAuthorization(header string) (authorization, bool) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return authorization{}, false
	}
	var a authorization
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return authorization{}, false
			}
			a.key, a.date, a.region, a.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			a.headers = strings.Split(value, ";")
		case "Signature":
			a.signature = value
		}
	}
	return a, a.key != "" && a.signature != "" && len(a.headers) > 0
}

// authenticate recomputes the signature of r over body. It returns who signed,
// or the error that AWS gives. A wrong region or service in the scope, an
// unsigned header that must be signed, a stale date and a wrong hash are
// violations; an unknown key or expired credentials are not.
func (s *Server) authenticate(r *http.Request, body []byte, want Service) (*issued, *apiError) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, &apiError{code: "MissingAuthenticationTokenException", message: "Missing Authentication Token", status: http.StatusForbidden, violation: true}
	}
	a, ok := parseAuthorization(header)
	if !ok {
		return nil, &apiError{code: "IncompleteSignatureException", message: "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.", violation: true}
	}
	s.mu.Lock()
	who := s.known[a.key]
	s.mu.Unlock()
	if who == nil || who.SessionToken != r.Header.Get("X-Amz-Security-Token") {
		return nil, &apiError{code: "UnrecognizedClientException", message: "The security token included in the request is invalid."}
	}
	if a.region != s.Region || a.service != string(want) {
		return nil, badSignature("Credential should be scoped to a valid region and to the service '" + string(want) + "' (got " + a.region + "/" + a.service + ")")
	}
	date, err := time.Parse(dateFormat, r.Header.Get("X-Amz-Date"))
	if err != nil || date.Format(scopeFormat) != a.date {
		return nil, badSignature("Date in Credential scope does not match X-Amz-Date")
	}
	if now := s.now(); now.Sub(date) > maxSkew || date.Sub(now) > maxSkew {
		word := "expired"
		if date.After(now) {
			word = "not yet current"
		}
		return nil, badSignature("Signature " + word + ": " + date.Format(dateFormat) + " against " + now.UTC().Format(dateFormat) + " (5 min.)")
	}
	if missing := unsigned(r, a.headers); missing != "" {
		return nil, badSignature("'" + missing + "' must be a 'SignedHeader' in the Authorization header")
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != hash {
		return nil, badSignature("The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if !hmac.Equal([]byte(a.signature), []byte(sign(r, a, who.SecretAccessKey, hash))) {
		return nil, badSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	if !who.expires.IsZero() && s.now().After(who.expires) {
		return nil, errExpired()
	}
	return who, nil
}

func badSignature(message string) *apiError {
	return &apiError{code: "InvalidSignatureException", message: message, violation: true}
}

func errExpired() *apiError {
	return &apiError{code: "ExpiredTokenException", message: "The security token included in the request is expired"}
}

// unsigned names a header that must be signed and is not: the host, and every
// x-amz-* header that came.
func unsigned(r *http.Request, signed []string) string {
	if !slices.Contains(signed, "host") {
		return "host"
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(signed, name) {
			return name
		}
	}
	return ""
}

// sign is Signature Version 4 of r with the headers that a names.
func sign(r *http.Request, a authorization, secret, payloadHash string) string {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	// Every service but S3 escapes the escaped path once more.
	path = strings.ReplaceAll(escape(path), "%2F", "/")
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range a.headers {
		canonical.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	canonical.WriteString("\n" + strings.Join(a.headers, ";") + "\n" + payloadHash)

	sum := sha256.Sum256([]byte(canonical.String()))
	scope := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	text := strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// canonicalHeader gives back what net/http takes out of the header map.
func canonicalHeader(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

func canonicalQuery(values url.Values) string {
	var pairs []string
	for k, vs := range values {
		for _, v := range vs {
			pairs = append(pairs, escape(k)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape is the SigV4 URI encoding: all but the unreserved characters of RFC 3986.
func escape(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

// know adds credentials that AssumeRole or a metadata service hands out.
func (s *Server) know(arn string, lifetime time.Duration) issued {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence++
	n := strconv.FormatUint(s.sequence, 10)
	who := issued{
		Credentials: Credentials{AccessKeyID: "ASIAFAKEISSUED" + strings.Repeat("0", 6-min(6, len(n))) + n, SecretAccessKey: "issued/" + n, SessionToken: "session-" + n},
		arn:         arn, expires: s.now().Add(lifetime),
	}
	s.known[who.AccessKeyID] = &who
	return who
}

// ExpireCredentials makes all credentials known so far count as expired, as
// happens when a role's session ends. Those issued afterwards are good.
func (s *Server) ExpireCredentials() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, who := range s.known {
		old := *who
		old.expires = s.now().Add(-time.Second)
		s.known[key] = &old
	}
}

// RestoreCredentials makes the credentials known from the start good again.
func (s *Server) RestoreCredentials() {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := *s.known[s.Credentials.AccessKeyID]
	who.expires = time.Time{}
	s.known[s.Credentials.AccessKeyID] = &who
}
