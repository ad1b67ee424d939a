package output

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Config is what an [OUTPUT] section says. Keys are as Fluent Bit has them:
// without regard to case. Those that begin with "tls" belong to its core.
type Config struct {
	Endpoint    string            // endpoint: host:port of OTLP over gRPC; 127.0.0.1:4317
	Plaintext   bool              // plaintext: no TLS; off
	CAFile      string            // ca_file: who signed the server's certificate; the system's
	CertFile    string            // cert_file: a certificate of ours, for a server that asks
	KeyFile     string            // key_file
	ServerName  string            // server_name: that the certificate must have; the endpoint's
	Compression string            // compression: none, gzip or zstd; zstd
	Headers     map[string]string // headers: key=value, comma-separated
	BodyKeys    []string          // body_key: fields that may be the body, the first that is there; log,message
	Timeout     time.Duration     // timeout: of one request; 10s
	MaxRecords  int               // max_records: of one request; 8192
	MaxBytes    int               // max_bytes: of one request before compression; 4000000
}

// Read asks get, which is "" for a key that is not there, and tells everything
// that is wrong at once.
func Read(get func(key string) string) (Config, error) {
	c := Config{
		Endpoint: or(get("endpoint"), "127.0.0.1:4317"), CAFile: get("ca_file"), CertFile: get("cert_file"), KeyFile: get("key_file"),
		ServerName: get("server_name"), Compression: strings.ToLower(or(get("compression"), "zstd")),
	}
	var errs [5]error
	c.Plaintext, errs[0] = flag("plaintext", get("plaintext"))
	c.Headers, errs[1] = headers(get("headers"))
	c.Timeout, errs[2] = duration("timeout", or(get("timeout"), "10s"))
	c.MaxRecords, errs[3] = number("max_records", or(get("max_records"), "8192"), 1, 1<<16)
	// A server's own limit is 4 MiB unless it was given another.
	c.MaxBytes, errs[4] = number("max_bytes", or(get("max_bytes"), "4000000"), 1000, 64<<20)
	for k := range strings.SplitSeq(or(get("body_key"), "log,message"), ",") {
		c.BodyKeys = append(c.BodyKeys, strings.TrimPrefix(strings.TrimSpace(k), "$"))
	}
	return c, errors.Join(append(errs[:], c.validate())...)
}

func (c *Config) validate() error {
	var errs []error
	if _, port, err := net.SplitHostPort(c.Endpoint); err != nil || port == "" {
		errs = append(errs, fmt.Errorf("endpoint takes host:port (got %q), e.g. 127.0.0.1:4317", c.Endpoint))
	}
	if c.Compression != "none" && c.Compression != "gzip" && c.Compression != "zstd" {
		errs = append(errs, fmt.Errorf("compression takes none, gzip or zstd (got %q)", c.Compression))
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		errs = append(errs, errors.New("cert_file and key_file go together"))
	}
	if c.Plaintext && (c.CAFile != "" || c.CertFile != "" || c.ServerName != "") {
		errs = append(errs, errors.New("plaintext is on, and ca_file, cert_file or server_name say TLS: take out one"))
	}
	return errors.Join(errs...)
}

// tls is what to talk TLS with, nil for plain text.
func (c *Config) tls() (*tls.Config, error) {
	if c.Plaintext {
		return nil, nil //nolint:nilnil // no TLS is an answer
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file %s has no certificate in PEM", c.CAFile)
		}
	}
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert_file and key_file: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

func or(value, otherwise string) string {
	if value = strings.TrimSpace(value); value != "" {
		return value
	}
	return otherwise
}

func flag(key, value string) (bool, error) {
	switch strings.ToLower(or(value, "off")) {
	case "on", "true", "yes":
		return true, nil
	case "off", "false", "no":
		return false, nil
	}
	return false, fmt.Errorf("%s takes on or off (got %q)", key, value)
}

func number(key, value string, least, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s takes a number from %d to %d (got %q)", key, least, most, value)
	}
	return n, nil
}

// duration takes 10s, or 10 as Fluent Bit's own options do.
func duration(key, value string) (time.Duration, error) {
	if n, err := strconv.Atoi(value); err == nil {
		value = strconv.Itoa(n) + "s"
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 100*time.Millisecond || d > time.Hour {
		return 0, fmt.Errorf("%s takes a time from 100ms to 1h (got %q), e.g. 10s", key, value)
	}
	return d, nil
}

func headers(value string) (map[string]string, error) {
	found := map[string]string{}
	for h := range strings.SplitSeq(value, ",") {
		if h = strings.TrimSpace(h); h == "" {
			continue
		}
		k, v, ok := strings.Cut(h, "=")
		if k = strings.ToLower(strings.TrimSpace(k)); !ok || k == "" {
			return nil, errors.New("headers takes key=value, comma-separated") // its value may be a secret
		}
		found[k] = strings.TrimSpace(v)
	}
	return found, nil
}
