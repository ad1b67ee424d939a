package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// The part of CycloneDX 1.6 that is written.
type (
	bom struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Serial       string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version,omitempty"`
		PURL       string     `json:"purl,omitempty"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

// bom is the bill of materials of a platform: both programs and the Go modules that
// the linker wrote into them, the toolchain, the page's packages and the
// certificates. It also returns the number of Go modules.
func (b builder) bom(p platform) ([]byte, int, error) {
	program, all, err := b.program(filepath.Join(p.dir, "vigie"), "vigie")
	if err != nil {
		return nil, 0, err
	}
	node, more, err := b.program(filepath.Join(p.dir, "vigie-node"), "vigie-node")
	if err != nil {
		return nil, 0, err
	}
	for _, c := range append([]component{node}, more...) {
		if !slices.ContainsFunc(all, func(known component) bool { return known.Ref == c.Ref }) {
			all = append(all, c)
		}
	}
	modules := len(all) - 2 // vigie-node and the toolchain
	page, err := pagePackages(b.npmLock)
	if err != nil {
		return nil, 0, err
	}
	all = append(all, page...)
	all = append(all, component{Type: "data", Name: "ca-certificates.crt", Ref: "ca-certificates.crt", Hashes: sha256Of(b.certificates)})
	out := bom{
		Format: "CycloneDX", Spec: "1.6", Version: 1, Serial: serial(program.Hashes[0]),
		Metadata:   metadata{Timestamp: b.created.Format(time.RFC3339), Component: program},
		Components: all, Dependencies: []dependency{{Ref: program.Ref}},
	}
	for _, c := range all {
		out.Dependencies[0].DependsOn = append(out.Dependencies[0].DependsOn, c.Ref)
	}
	text, err := json.MarshalIndent(out, "", " ")
	return append(text, '\n'), modules, err
}

// program is one of the image's, and what it was linked from: the toolchain, then
// its modules.
func (b builder) program(path, name string) (component, []component, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return component{}, nil, fmt.Errorf("read the modules of %s: %w", path, err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return component{}, nil, err
	}
	c := component{
		Type: "application", Name: name, Version: b.version, Ref: name,
		PURL: purl(info.Main.Path, b.version), Hashes: sha256Of(body), Properties: settings(info),
	}
	std := module(&debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})
	linked := []component{std}
	for _, m := range info.Deps {
		linked = append(linked, module(m))
	}
	return c, linked, nil
}

// purl is a Go module's package URL: in small letters, "+" of a version escaped.
func purl(path, version string) string {
	p := "pkg:golang/" + strings.ToLower(path)
	if version != "" {
		p += "@" + strings.ReplaceAll(version, "+", "%2B")
	}
	return p
}

// module is one of Go's. Its sum is go.sum's: base64 of SHA-256 over the hashes of
// its files, and so no hash of any one file.
func module(m *debug.Module) component {
	c := component{Type: "library", Name: m.Path, Version: m.Version}
	if r := m.Replace; r != nil {
		c.Properties = append(c.Properties, property{"vigie:go:replaces", m.Path + "@" + m.Version})
		c.Name, c.Version, m = r.Path, r.Version, r
	}
	c.PURL = purl(c.Name, c.Version)
	c.Ref = c.PURL
	if m.Sum != "" {
		c.Properties = append(c.Properties, property{"vigie:go:sum", m.Sum})
	}
	return c
}

// settings are how it was compiled, without this machine's paths.
func settings(info *buildinfo.BuildInfo) []property {
	var all []property
	for _, s := range info.Settings {
		switch s.Key {
		case "CGO_ENABLED", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "-tags", "-trimpath", "vcs.revision", "vcs.modified":
			all = append(all, property{"vigie:go:" + strings.TrimPrefix(s.Key, "-"), s.Value})
		}
	}
	return all
}

// pagePackages are those of the page that its package-lock.json does not mark as
// needed only to build it.
func pagePackages(lock string) ([]component, error) {
	if lock == "" {
		return nil, nil
	}
	body, err := os.ReadFile(lock)
	if err != nil {
		return nil, err
	}
	var parsed struct {
		Packages map[string]struct {
			Version   string `json:"version"`
			Integrity string `json:"integrity"`
			Dev       bool   `json:"dev"`
			Optional  bool   `json:"optional"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(body, &parsed); err != nil {
		return nil, fmt.Errorf("%s: %w", lock, err)
	}
	var all []component
	for _, path := range slices.Sorted(maps.Keys(parsed.Packages)) {
		pkg := parsed.Packages[path]
		at := strings.LastIndex(path, "node_modules/")
		if at < 0 || pkg.Dev || pkg.Optional {
			continue
		}
		name := path[at+len("node_modules/"):]
		purl := "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + pkg.Version
		c := component{Type: "library", Name: name, Version: pkg.Version, PURL: purl, Ref: purl}
		if pkg.Integrity != "" {
			c.Properties = []property{{"vigie:npm:integrity", pkg.Integrity}}
		}
		all = append(all, c)
	}
	return all, nil
}

func sha256Of(body []byte) []hash {
	sum := sha256.Sum256(body)
	return []hash{{"SHA-256", hex.EncodeToString(sum[:])}}
}

// serial is a UUID (version 8, RFC 9562) out of the hash of what it is the bill of.
func serial(of hash) string {
	s, _ := hex.DecodeString(of.Content) // our own, of 32 bytes
	s[6], s[8] = s[6]&0x0f|0x80, s[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", s[:4], s[4:6], s[6:8], s[8:10], s[10:16])
}
