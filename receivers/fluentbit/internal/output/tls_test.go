package output

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// certificate writes one that signs itself, for a name, and its key.
func certificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	return cert, key
}

func TestAServerIsTrustedByItsCertificateOnlyAndToldOurs(t *testing.T) {
	serverCert, serverKey := certificate(t, "vigie-agent")
	ourCert, ourKey := certificate(t, "fluent-bit")
	otherCert, _ := certificate(t, "vigie-agent")

	pair, err := tls.LoadX509KeyPair(serverCert, serverKey)
	require.NoError(t, err)
	clients := x509.NewCertPool()
	ours, err := os.ReadFile(ourCert)
	require.NoError(t, err)
	require.True(t, clients.AppendCertsFromPEM(ours))
	g := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	})))
	r := &receiver{}
	plogotlp.RegisterGRPCServer(g, r)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)

	for name, c := range map[string]struct {
		keys map[string]string
		want Verdict
	}{
		"all is right":         {map[string]string{"ca_file": serverCert, "cert_file": ourCert, "key_file": ourKey, "server_name": "vigie-agent"}, OK},
		"signed by another":    {map[string]string{"ca_file": otherCert, "cert_file": ourCert, "key_file": ourKey, "server_name": "vigie-agent"}, Retry},
		"another name":         {map[string]string{"ca_file": serverCert, "cert_file": ourCert, "key_file": ourKey, "server_name": "vigie-gateway"}, Retry},
		"no certificate of us": {map[string]string{"ca_file": serverCert, "server_name": "vigie-agent"}, Retry},
		"plain text":           {map[string]string{"plaintext": "on"}, Retry},
	} {
		c.keys["endpoint"], c.keys["timeout"] = l.Addr().String(), "2s"
		config, err := Read(func(k string) string { return c.keys[k] })
		require.NoError(t, err, name)
		i, err := Open(config, new(bytes.Buffer))
		require.NoError(t, err, name)
		require.Equal(t, c.want, i.Flush(t.Context(), now(map[string]any{"log": "goal"}), "t"), name)
		require.NoError(t, i.Close())
	}
	require.Equal(t, 1, r.records)

	_, err = Open(Config{Endpoint: "a:1", CAFile: ourKey}, new(bytes.Buffer))
	require.ErrorContains(t, err, "has no certificate in PEM")
	_, err = Open(Config{Endpoint: "a:1", CertFile: ourCert, KeyFile: serverKey}, new(bytes.Buffer))
	require.ErrorContains(t, err, "cert_file and key_file")
}
