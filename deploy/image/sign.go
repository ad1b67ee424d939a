package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// How cosign keeps a signature: an image beside the signed one, under a tag made
// of its digest, whose layer is what was signed (containers/image,
// "simple signing") and whose annotation is the signature.
const (
	simpleSigning = types.MediaType("application/vnd.dev.cosign.simplesigning.v1+json")
	signatureKey  = "dev.cosignproject.cosign/signature"
	claim         = "cosign container image signature"
)

type payload struct {
	Critical struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Digest string `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
	Optional map[string]string `json:"optional"`
}

func signatureTag(digest v1.Hash) string { return digest.Algorithm + "-" + digest.Hex + ".sig" }

// listing is a layout's index, and what it lists.
func listing(dir layout.Path) (v1.ImageIndex, []v1.Descriptor, error) {
	root, err := dir.ImageIndex()
	if err != nil {
		return nil, nil, err
	}
	top, err := root.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	return root, top.Manifests, nil
}

// signed is a layout, and the digests in it that get a signature: the image's, and
// each platform's.
func signed(at string) (layout.Path, []v1.Hash, error) {
	dir, err := layout.FromPath(at)
	if err != nil {
		return "", nil, err
	}
	root, listed, err := listing(dir)
	if err != nil {
		return "", nil, err
	}
	var digests []v1.Hash
	for _, d := range listed {
		if d.MediaType != types.OCIImageIndex {
			continue
		}
		digests = append(digests, d.Digest)
		image, err := root.ImageIndex(d.Digest)
		if err != nil {
			return "", nil, err
		}
		m, err := image.IndexManifest()
		if err != nil {
			return "", nil, err
		}
		for _, p := range m.Manifests {
			digests = append(digests, p.Digest)
		}
	}
	if len(digests) == 0 {
		return "", nil, fmt.Errorf("no image in %s; make image makes one", dir)
	}
	return dir, digests, nil
}

// sign adds a signature to the image and to each of its platforms; one that is
// there is replaced.
func sign(at, keyFile, repository string) ([]v1.Hash, error) {
	key, err := readPrivateKey(keyFile)
	if err != nil {
		return nil, err
	}
	dir, digests, err := signed(at)
	if err != nil {
		return nil, err
	}
	for _, digest := range digests {
		img, err := signature(key, repository, digest)
		if err != nil {
			return nil, err
		}
		tag := signatureTag(digest)
		if err := dir.ReplaceImage(img, match.Name(tag), layout.WithAnnotations(map[string]string{refName: tag})); err != nil {
			return nil, err
		}
	}
	return digests, nil
}

func signature(key *ecdsa.PrivateKey, repository string, digest v1.Hash) (v1.Image, error) {
	var p payload
	p.Critical.Identity.Reference, p.Critical.Image.Digest, p.Critical.Type = repository, digest.String(), claim
	body, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	return mutate.Append(img, mutate.Addendum{
		Layer: static.NewLayer(body, simpleSigning), Annotations: map[string]string{signatureKey: base64.StdEncoding.EncodeToString(sig)},
	})
}

// verify checks that the layout is whole, and that the image and each platform have
// a signature by the key, for the repository.
func verify(at, keyFile, repository string) ([]v1.Hash, error) {
	key, err := readPublicKey(keyFile)
	if err != nil {
		return nil, err
	}
	if err := whole(at); err != nil {
		return nil, err
	}
	dir, digests, err := signed(at)
	if err != nil {
		return nil, err
	}
	var good []v1.Hash
	var bad []error
	for _, digest := range digests {
		if err := verifyOne(dir, key, repository, digest); err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", digest, err))
			continue
		}
		good = append(good, digest)
	}
	return good, errors.Join(bad...)
}

// whole checks that each blob is what its name says: what is signed is digests, and
// a layout is read by them.
func whole(at string) error {
	dir := filepath.Join(at, "blobs", "sha256")
	blobs, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, b := range blobs {
		f, err := os.Open(filepath.Join(dir, b.Name()))
		if err != nil {
			return err
		}
		got, _, err := v1.SHA256(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if got.Hex != b.Name() {
			return fmt.Errorf("the blob sha256:%s holds %s: it was changed after it was made, or is damaged; copy the layout again", b.Name(), got)
		}
	}
	return nil
}

func verifyOne(dir layout.Path, key *ecdsa.PublicKey, repository string, digest v1.Hash) error {
	root, listed, err := listing(dir)
	if err != nil {
		return err
	}
	for _, d := range listed {
		if d.Annotations[refName] != signatureTag(digest) {
			continue
		}
		img, err := root.Image(d.Digest)
		if err != nil {
			return err
		}
		m, err := img.Manifest()
		if err != nil {
			return err
		}
		for _, l := range m.Layers {
			body, err := dir.Bytes(l.Digest)
			if err != nil {
				return err
			}
			if err := verifyPayload(key, body, l.Annotations[signatureKey], repository, digest); err != nil {
				return err
			}
		}
		if len(m.Layers) > 0 {
			return nil
		}
	}
	return errors.New("is not signed")
}

func verifyPayload(key *ecdsa.PublicKey, body []byte, encoded, repository string, digest v1.Hash) error {
	sig, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	sum := sha256.Sum256(body)
	if !ecdsa.VerifyASN1(key, sum[:], sig) {
		return errors.New("the signature is not by this key")
	}
	var p payload
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&p); err != nil {
		return fmt.Errorf("what was signed: %w", err)
	}
	switch c := p.Critical; {
	case c.Type != claim:
		return fmt.Errorf("what was signed is %q, not %q", c.Type, claim)
	case c.Image.Digest != digest.String():
		return fmt.Errorf("the signature is of %s", c.Image.Digest)
	case c.Identity.Reference != repository:
		return fmt.Errorf("the signature is for %s", c.Identity.Reference)
	}
	return nil
}

func readPEM(path string) (*pem.Block, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(body); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "EC PARAMETERS" { // openssl writes the curve before the key
			return block, nil
		}
	}
	return nil, fmt.Errorf("%s has no PEM block", path)
}

func readPrivateKey(path string) (*ecdsa.PrivateKey, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	switch block.Type {
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		if k, ok := key.(*ecdsa.PrivateKey); ok {
			return k, nil
		}
		return nil, fmt.Errorf("%s is a %T; takes an ECDSA key", path, key)
	}
	return nil, fmt.Errorf("%s is a %s; takes an ECDSA key in PEM without a password (cosign's own encrypted keys sign with cosign itself)", path, block.Type)
}

func readPublicKey(path string) (*ecdsa.PublicKey, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if k, ok := key.(*ecdsa.PublicKey); ok {
		return k, nil
	}
	return nil, fmt.Errorf("%s is a %T; takes an ECDSA key", path, key)
}
