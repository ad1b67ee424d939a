package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// refName is the annotation by which tools find an image in a layout.
const refName = "org.opencontainers.image.ref.name"

// result is what was made for one platform.
type result struct {
	platform             platform
	digest               v1.Hash
	compressed, unpacked int64 // bytes
	modules              int   // Go modules in the bill of materials
}

// write makes out/oci, a layout with the image and its bills of materials,
// out/vigie.tar with the image alone, and out/sbom-ARCH.cdx.json.
func (b builder) write(out string, platforms []platform) ([]result, v1.Hash, error) {
	var results []result
	var boms [][]byte
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range platforms {
		img, err := b.image(p)
		if err != nil {
			return nil, v1.Hash{}, fmt.Errorf("%s: %w", p, err)
		}
		r, err := b.measure(p, img)
		if err != nil {
			return nil, v1.Hash{}, fmt.Errorf("%s: %w", p, err)
		}
		bom, modules, err := b.bom(p)
		if err != nil {
			return nil, v1.Hash{}, fmt.Errorf("%s: %w", p, err)
		}
		r.modules = modules
		results, boms = append(results, r), append(boms, bom)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: runnable{img}, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}}})
	}
	annotated, ok := mutate.Annotations(index, b.labels()).(v1.ImageIndex)
	if !ok {
		return nil, v1.Hash{}, fmt.Errorf("the index lost its kind")
	}
	digest, err := annotated.Digest()
	if err != nil {
		return nil, v1.Hash{}, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // public
		return nil, v1.Hash{}, err
	}
	if err := b.writeTar(filepath.Join(out, "vigie.tar"), annotated); err != nil {
		return nil, v1.Hash{}, err
	}
	dir, err := b.newLayout(filepath.Join(out, "oci"), annotated)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	for i, r := range results {
		if err := os.WriteFile(filepath.Join(out, "sbom-"+r.platform.arch+".cdx.json"), boms[i], 0o644); err != nil { //nolint:gosec // public
			return nil, v1.Hash{}, err
		}
		if err := attach(dir, r.digest, boms[i], b.created); err != nil {
			return nil, v1.Hash{}, fmt.Errorf("attach the bill of materials to %s: %w", r.platform, err)
		}
	}
	return results, digest, nil
}

// runnable is an image whose descriptor says nothing of an artifact. What says
// more than it must is written anew by tools that copy, and the index's digest,
// which is signed, with it.
type runnable struct{ v1.Image }

func (runnable) ArtifactType() (string, error) { return "", nil }

func (b builder) measure(p platform, img v1.Image) (result, error) {
	r := result{platform: p}
	var err error
	if r.digest, err = img.Digest(); err != nil {
		return r, err
	}
	layers, err := img.Layers()
	if err != nil {
		return r, err
	}
	for _, l := range layers {
		size, err := l.Size()
		if err != nil {
			return r, err
		}
		r.compressed += size
	}
	for _, program := range []string{"vigie", "vigie-node"} {
		info, err := os.Stat(filepath.Join(p.dir, program))
		if err != nil {
			return r, err
		}
		r.unpacked += info.Size()
	}
	r.unpacked += int64(len(b.certificates))
	if b.most > 0 && r.compressed > b.most {
		return r, fmt.Errorf("%.1f MiB compressed, which is over the %.0f that the image may have", mib(r.compressed), mib(b.most))
	}
	return r, nil
}

// newLayout replaces what is at dir with a layout of the image.
func (b builder) newLayout(dir string, index v1.ImageIndex) (layout.Path, error) {
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	at, err := layout.Write(dir, empty.Index)
	if err != nil {
		return "", err
	}
	tag := b.version
	if tag == "" {
		tag = "latest"
	}
	return at, at.AppendIndex(index, layout.WithAnnotations(map[string]string{refName: tag, "io.containerd.image.name": b.name + ":" + tag}))
}

// writeTar is the layout of the image alone, as one file.
func (b builder) writeTar(path string, index v1.ImageIndex) error {
	dir, err := os.MkdirTemp("", "oci")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // in the system's own place for it
	if _, err := b.newLayout(dir, index); err != nil {
		return err
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(rel), Mode: 0o644, Size: int64(len(body)), ModTime: b.created}); err != nil {
			return err
		}
		_, err = w.Write(body)
		return err
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644) //nolint:gosec // public
}
