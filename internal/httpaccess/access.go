// Package httpaccess makes the HTTP client with which a command asks a server that may
// want to know who is there: a token or a user's password from a file goes in, with the
// authority that signed the server's certificate; nothing of it travels in the clear.
package httpaccess

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Access is what a command's flags say of a server.
type Access struct {
	TokenFile    string // a bearer token
	User         string
	PasswordFile string
	CAFile       string // PEM; the system's authorities where it is empty

	prefix string
}

// Flags adds the flags of a to f, each name after prefix: metrics- makes
// --metrics-token-file. of names what they are for.
func (a *Access) Flags(f *pflag.FlagSet, prefix, of string) {
	a.prefix = prefix
	f.StringVar(&a.TokenFile, prefix+"token-file", "", "`file` with a bearer token for "+of)
	f.StringVar(&a.User, prefix+"user", "", "`name` of a user for "+of)
	f.StringVar(&a.PasswordFile, prefix+"password-file", "", "`file` with that user's password")
	f.StringVar(&a.CAFile, prefix+"ca-file", "", "`file` with the authority (PEM) that signed its certificate (default the system's)")
}

// Given says whether any of the flags is.
func (a *Access) Given() bool {
	return a.TokenFile != "" || a.User != "" || a.PasswordFile != "" || a.CAFile != ""
}

// Server is one that can be asked.
type Server struct {
	Base   *url.URL
	client http.Client
	as     func(*http.Request) // says who asks; nil where nobody is to be named
}

// Open reads the files and makes the client; it asks nobody yet. address is that of
// the server, of which errors say only that it is none: it may hold a password.
func (a *Access) Open(address string) (*Server, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("want an address such as http://127.0.0.1:8640 (got %q)", redacted(u, address))
	}
	if u.User != nil {
		return nil, fmt.Errorf("the address must not hold a password: give --%suser and --%spassword-file, or --%stoken-file", a.prefix, a.prefix, a.prefix)
	}
	s := &Server{Base: u, client: http.Client{
		// A redirect leads to a page to sign in at, or to where the password must not go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if err := a.identify(s); err != nil {
		return nil, err
	}
	if a.CAFile != "" {
		if s.client.Transport, err = trusting(a.CAFile, a.prefix); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func redacted(u *url.URL, address string) string {
	if u == nil || strings.Contains(address, "@") {
		return "…"
	}
	return address
}

func (a *Access) identify(s *Server) error {
	switch {
	case a.TokenFile != "" && a.User != "":
		return fmt.Errorf("give --%stoken-file or --%suser, not both", a.prefix, a.prefix)
	case (a.User == "") != (a.PasswordFile == ""):
		return fmt.Errorf("--%suser and --%spassword-file go together", a.prefix, a.prefix)
	case a.TokenFile == "" && a.User == "":
		return nil
	case s.Base.Scheme == "http" && !here(s.Base.Hostname()):
		return errors.New("a token or a password needs https, or a server on this machine: it would travel in the clear")
	}
	if a.User != "" {
		password, err := secret(a.PasswordFile)
		s.as = func(r *http.Request) { r.SetBasicAuth(a.User, password) }
		return err
	}
	token, err := secret(a.TokenFile)
	s.as = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	return err
}

func secret(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	text := strings.TrimSpace(string(raw))
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("%s must hold one line with the secret", file)
	}
	return text, nil
}

func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func trusting(file, prefix string) (http.RoundTripper, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--%sca-file: %s holds no certificate in PEM", prefix, file)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}

// Do says who asks, and asks. Its errors name the server's host and no more of the
// address.
func (s *Server) Do(r *http.Request) (*http.Response, error) {
	if s.as != nil {
		s.as(r)
	}
	res, err := s.client.Do(r)
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.Base.Host, err)
	}
	return res, nil
}
