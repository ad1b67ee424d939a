package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// keys writes a pair of them as openssl does, and returns the files.
func keys(t *testing.T) (private, public string) {
	t.Helper()
	key := must2(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	dir := t.TempDir()
	write := func(name string, blocks ...*pem.Block) string {
		var body []byte
		for _, b := range blocks {
			body = append(body, pem.EncodeToMemory(b)...)
		}
		ok(t, os.WriteFile(filepath.Join(dir, name), body, 0o600))
		return filepath.Join(dir, name)
	}
	return write("release.key", &pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6}}, &pem.Block{Type: "EC PRIVATE KEY", Bytes: must2(x509.MarshalECPrivateKey(key))(t)}),
		write("release.pub", &pem.Block{Type: "PUBLIC KEY", Bytes: must2(x509.MarshalPKIXPublicKey(&key.PublicKey))(t)})
}

const repository = "registry.example/vigie"

func signedLayout(t *testing.T, private string) string {
	t.Helper()
	out := t.TempDir()
	_, _, err := testBuilder(t).write(out, []platform{programs(t, "amd64"), programs(t, "arm64")})
	ok(t, err)
	dir := filepath.Join(out, "oci")
	if private != "" {
		if digests := must2(sign(dir, private, repository))(t); len(digests) != 3 {
			t.Fatalf("signed %v; want the index and both platforms", digests)
		}
	}
	return dir
}

func TestASignatureIsTheKeysForThisImageAndRepositoryOnly(t *testing.T) {
	private, public := keys(t)
	_, another := keys(t)
	dir := signedLayout(t, private)
	if good := must2(verify(dir, public, repository))(t); len(good) != 3 {
		t.Errorf("%v", good)
	}
	// Once more replaces, and does not add.
	_ = must2(sign(dir, private, repository))(t)
	if n := len(must2(must2(layout.ImageIndexFromPath(dir))(t).IndexManifest())(t).Manifests); n != 1+2+3 {
		t.Errorf("%d manifests; want the image, two bills, three signatures", n)
	}
	unsigned := signedLayout(t, "")
	for want, err := range map[string]error{
		"not by this key":      second(verify(dir, another, repository)),
		"is for " + repository: second(verify(dir, public, "elsewhere.example/vigie")),
		"is not signed":        second(verify(unsigned, public, repository)),
	} {
		if err == nil || strings.Count(err.Error(), want) != 3 {
			t.Errorf("want %q three times in %v", want, err)
		}
	}
}

// A platform's manifest that was changed keeps its name, under which it is signed.
func TestALayoutThatWasChangedIsNotVerified(t *testing.T) {
	private, public := keys(t)
	dir := signedLayout(t, private)
	digests := must2(verify(dir, public, repository))(t)
	path := filepath.Join(dir, "blobs", "sha256", digests[1].Hex)
	ok(t, os.WriteFile(path, append(must2(os.ReadFile(path))(t), ' '), 0o600))
	if _, err := verify(dir, public, repository); err == nil || !strings.Contains(err.Error(), digests[1].String()+" holds sha256:") {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

// What cosign looks for: the tag made of the digest, the media type, the
// annotation, and the payload's keys.
func TestASignatureIsKeptAsCosignKeepsIt(t *testing.T) {
	private, public := keys(t)
	dir := signedLayout(t, private)
	path := must2(layout.FromPath(dir))(t)
	root := must2(path.ImageIndex())(t)
	top := must2(root.IndexManifest())(t)
	image := top.Manifests[0].Digest
	found := false
	for _, d := range top.Manifests {
		if d.Annotations[refName] != "sha256-"+image.Hex+".sig" {
			continue
		}
		found = true
		m := must2(must2(root.Image(d.Digest))(t).Manifest())(t)
		l := m.Layers[0]
		if len(m.Layers) != 1 || l.MediaType != "application/vnd.dev.cosign.simplesigning.v1+json" || l.Annotations["dev.cosignproject.cosign/signature"] == "" {
			t.Errorf("%+v", m)
		}
		body := must2(path.Bytes(l.Digest))(t)
		want := `{"critical":{"identity":{"docker-reference":"` + repository + `"},"image":{"docker-manifest-digest":"` + image.String() + `"},"type":"cosign container image signature"},"optional":null}`
		if string(body) != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
		// Another image's payload under this one's tag is found out, though the key signed it.
		var p payload
		ok(t, json.Unmarshal(body, &p))
		key := must2(readPublicKey(public))(t)
		other := image
		other.Hex = strings.Repeat("0", 64)
		if err := verifyPayload(key, body, l.Annotations[signatureKey], repository, other); err == nil || !strings.Contains(err.Error(), "the signature is of sha256:") {
			t.Error(err)
		}
		if err := verifyPayload(key, append(body, ' '), l.Annotations[signatureKey], repository, image); err == nil || !strings.Contains(err.Error(), "not by this key") {
			t.Error(err)
		}
	}
	if !found {
		t.Error("the image has no signature")
	}
}

func TestAKeyThatIsNoneIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	for body, want := range map[string]string{
		"": "has no PEM block",
		string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: []byte("x")})): "without a password",
	} {
		path := filepath.Join(dir, "key")
		ok(t, os.WriteFile(path, []byte(body), 0o600))
		if _, err := readPrivateKey(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}
