package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const netAdmin = 1 << 12 // CAP_NET_ADMIN

// platform is one architecture and where its programs are.
type platform struct {
	os, arch string
	dir      string // with vigie and vigie-node in it
}

func (p platform) String() string { return p.os + "/" + p.arch }

func parsePlatforms(args []string) ([]platform, error) {
	var all []platform
	for _, a := range args {
		name, dir, ok := strings.Cut(a, "=")
		system, arch, both := strings.Cut(name, "/")
		if !ok || !both || system != "linux" || (arch != "amd64" && arch != "arm64") || dir == "" {
			return nil, fmt.Errorf("%q must be linux/amd64=DIR or linux/arm64=DIR, DIR having vigie and vigie-node", a)
		}
		for _, other := range all {
			if other.String() == name {
				return nil, fmt.Errorf("%s is there twice", name)
			}
		}
		all = append(all, platform{os: system, arch: arch, dir: dir})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no platforms, e.g. linux/amd64=build/image/amd64")
	}
	return all, nil
}

// builder has what is the same for all platforms.
type builder struct {
	name, version, revision string
	created                 time.Time
	certificates            []byte
	npmLock                 string
	most                    int64 // bytes that a platform may have compressed; 0: any
}

// labels are the image's, and the index's annotations.
func (b builder) labels() map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       "Vigie",
		"org.opencontainers.image.description": "OpenTelemetry Collector for EKS clusters that carry live events",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      "https://github.com/vigie-otel/vigie",
		"org.opencontainers.image.url":         "https://github.com/vigie-otel/vigie",
		"org.opencontainers.image.created":     b.created.Format(time.RFC3339),
		"org.opencontainers.image.version":     b.version,
		"org.opencontainers.image.revision":    b.revision,
	}
	for k, v := range labels {
		if v == "" {
			delete(labels, k)
		}
	}
	return labels
}

// image is one platform's. What changes least comes first, so that an upgrade
// moves the last layer only.
func (b builder) image(p platform) (v1.Image, error) {
	vigie, err := os.ReadFile(filepath.Join(p.dir, "vigie"))
	if err != nil {
		return nil, err
	}
	node, err := os.ReadFile(filepath.Join(p.dir, "vigie-node"))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, part := range []struct {
		what  string
		files []file
	}{
		{"CA certificates, the user 10001", foundation(b.certificates)},
		{"vigie-node: CAP_NET_ADMIN permitted", []file{{path: "/vigie-node", mode: 0o755, body: node, caps: netAdmin}}},
		{"vigie", []file{{path: "/vigie", mode: 0o755, body: vigie}}},
	} {
		l, err := layer(part.files, b.created)
		if err != nil {
			return nil, fmt.Errorf("layer of %s: %w", part.what, err)
		}
		history := v1.History{Created: v1.Time{Time: b.created}, CreatedBy: "deploy/image", Comment: part.what}
		if img, err = mutate.Append(img, mutate.Addendum{Layer: l, History: history}); err != nil {
			return nil, err
		}
	}
	cf, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cf = cf.DeepCopy()
	cf.OS, cf.Architecture, cf.Created = p.os, p.arch, v1.Time{Time: b.created}
	if p.arch == "arm64" {
		cf.Variant = "v8"
	}
	cf.Config = v1.Config{
		User: fmt.Sprintf("%d:%d", uid, gid), Entrypoint: []string{"/vigie"}, WorkingDir: "/", Labels: b.labels(),
		Env:          []string{"PATH=/", "VIGIE_DATA_DIR=/var/lib/vigie"},
		ExposedPorts: map[string]struct{}{"4317/tcp": {}, "4318/tcp": {}, "4319/tcp": {}, "8640/tcp": {}, "13133/tcp": {}},
	}
	return mutate.ConfigFile(img, cf)
}
