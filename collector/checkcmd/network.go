package checkcmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"
)

// unreachable words an error of a connection: what happened, and where to look.
func unreachable(ctx context.Context, what string, err error, timeout time.Duration) Result {
	text, fix := network(ctx, err, timeout)
	return fail(fix, "%s: %s", what, text)
}

func network(ctx context.Context, err error, timeout time.Duration) (text, fix string) {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return "its certificate is signed by an authority that is not trusted here", "set tls::ca_file to that authority's certificate"
	case errors.As(err, &host):
		return "its certificate is for another name: " + host.Error(), "use the name in the certificate as endpoint, or set tls::server_name_override"
	case errors.As(err, &invalid):
		return "its certificate is not valid: " + invalid.Error(), "renew the certificate, and look at this machine's clock"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"), strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		return "it does not speak TLS", "use http:// as endpoint, or set tls::insecure: true for gRPC"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the name " + dns.Name + " does not exist", "look at endpoint, and at the cluster's DNS"
	case errors.As(err, &dns):
		return "the name " + dns.Name + " could not be looked up: " + dns.Err, "look at the cluster's DNS"
	case errors.Is(err, syscall.ECONNREFUSED), strings.Contains(err.Error(), "connection refused"):
		return "the connection is refused: nobody listens there", "look at endpoint, and whether the other side runs"
	case errors.Is(err, syscall.ECONNRESET), strings.Contains(err.Error(), "connection reset"), strings.Contains(err.Error(), "EOF"):
		return "the connection was broken off", "look at the proxy or load balancer in between"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route", "look at the route tables and the NAT gateway, or use a VPC endpoint"
	case late(ctx, err), isTimeout(err):
		return "no answer in " + timeout.String(), "look at security groups, network policies, VPC endpoints and the proxy in between"
	}
	return err.Error(), "look at endpoint and at what stands between"
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
