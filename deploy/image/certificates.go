package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// bundles are where distributions keep their CA certificates.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Amazon Linux, Fedora
	"/etc/ssl/cert.pem",                  // Alpine, macOS
}

// readCertificates reads a bundle: the one named, else this machine's.
func readCertificates(named string) ([]byte, error) {
	look := bundles
	if named != "" {
		look = []string{named}
	}
	for _, path := range look {
		body, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := checkCertificates(body); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("no CA certificates at %s, and without them the image reaches no HTTPS endpoint: install your distribution's package ca-certificates, or name a file, make image CA=FILE",
		strings.Join(look, ", "))
}

// checkCertificates refuses what is no bundle, or has more in it than certificates.
func checkCertificates(body []byte) error {
	n := 0
	for block, rest := pem.Decode(body); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("has a PEM block %s; takes CERTIFICATE only", block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("certificate %d: %w", n+1, err)
		}
		n++
	}
	if n == 0 || !bytes.Contains(body, []byte("-----BEGIN CERTIFICATE-----")) {
		return errors.New("has no certificates in PEM")
	}
	return nil
}
