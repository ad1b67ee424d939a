package main

import (
	"archive/tar"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/buildinfo"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// must stops the test at an error that is not what it is about.
func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bundle is a CA certificate of the test's own, in PEM.
func bundle(t *testing.T) []byte {
	t.Helper()
	key := must2(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), IsCA: true,
	}
	der := must2(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func must2[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T { t.Helper(); return must(t, v, err) }
}

// programs are a platform's directory with both programs: vigie-node, in the place
// of vigie as well, for it is small and has a module of others in it.
func programs(t *testing.T, arch string) platform {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"vigie", "vigie-node"} {
		build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", filepath.Join(dir, name), "./node")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return platform{os: "linux", arch: arch, dir: dir}
}

func testBuilder(t *testing.T) builder {
	t.Helper()
	return builder{
		name: "vigie", version: "1.2.3", revision: "abc", created: time.Unix(1_700_000_000, 0).UTC(),
		certificates: bundle(t), npmLock: "../../exporters/warroomexporter/web/package-lock.json", most: 60 << 20,
	}
}

// tree is every file below a directory, by its SHA-256.
func tree(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	all := map[string][32]byte{}
	ok(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = sha256.Sum256(body)
		return err
	}))
	return all
}

func TestTheSameInputGivesTheSameBytesForBothArchitectures(t *testing.T) {
	b := testBuilder(t)
	amd, arm := programs(t, "amd64"), programs(t, "arm64")
	one, two := t.TempDir(), t.TempDir()
	results, first, err := b.write(one, []platform{amd, arm})
	ok(t, err)
	_, second, err := b.write(two, []platform{amd, arm})
	ok(t, err)
	if first != second {
		t.Errorf("%s and %s", first, second)
	}
	a, z := tree(t, one), tree(t, two)
	if len(a) < 12 || len(a) != len(z) {
		t.Fatalf("%d and %d files", len(a), len(z))
	}
	for path, sum := range a {
		if z[path] != sum {
			t.Errorf("%s differs", path)
		}
	}
	if len(results) != 2 || results[0].digest == results[1].digest {
		t.Errorf("%v", results)
	}
	b.created = b.created.Add(time.Second)
	if _, later, _ := b.write(t.TempDir(), []platform{amd, arm}); later == first {
		t.Error("another time gave the same image")
	}
}

// images are those of a layout's index, by platform.
func images(t *testing.T, dir string) map[string]v1.Image {
	t.Helper()
	root := must2(layout.ImageIndexFromPath(dir))(t)
	top := must2(root.IndexManifest())(t)
	index := must2(root.ImageIndex(top.Manifests[0].Digest))(t)
	all := map[string]v1.Image{}
	for _, m := range must2(index.IndexManifest())(t).Manifests {
		if m.ArtifactType != "" || len(m.Annotations) > 0 {
			t.Errorf("%+v: some tools would write that anew, and change the digest", m)
		}
		all[m.Platform.String()] = must2(index.Image(m.Digest))(t)
	}
	return all
}

func TestTheImageHasTheProgramsTheUserAndTheCertificatesAndNothingElse(t *testing.T) {
	b := testBuilder(t)
	out := t.TempDir()
	_, _, err := b.write(out, []platform{programs(t, "amd64"), programs(t, "arm64")})
	ok(t, err)
	all := images(t, filepath.Join(out, "oci"))
	if len(all) != 2 {
		t.Fatalf("%v", all)
	}
	for name, img := range all {
		cf := must2(img.ConfigFile())(t)
		if cf.OS+"/"+cf.Architecture != name || cf.Config.User != "10001:10001" || strings.Join(cf.Config.Entrypoint, " ") != "/vigie" {
			t.Errorf("%s: %+v", name, cf.Config)
		}
		if cf.Config.Labels["org.opencontainers.image.version"] != "1.2.3" || cf.Config.Labels["org.opencontainers.image.revision"] != "abc" {
			t.Errorf("%s: %v", name, cf.Config.Labels)
		}
		files := map[string]*tar.Header{}
		var passwd []byte
		for _, l := range must2(img.Layers())(t) {
			r := tar.NewReader(must2(l.Uncompressed())(t))
			for {
				h, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				ok(t, err)
				files[h.Name] = h
				if h.Name == "etc/passwd" {
					passwd = must2(io.ReadAll(r))(t)
				}
				if !h.ModTime.Equal(b.created) {
					t.Errorf("%s is of %s", h.Name, h.ModTime)
				}
			}
		}
		if !bytes.Contains(passwd, []byte("vigie:x:10001:10001:")) {
			t.Errorf("%s", passwd)
		}
		for path, mode := range map[string]int64{
			"vigie": 0o755, "vigie-node": 0o755, "etc/ssl/certs/ca-certificates.crt": 0o644, "etc/passwd": 0o644, "etc/group": 0o644,
			"tmp/": 0o1777, "var/lib/vigie/": 0o750, "etc/": 0o755, "etc/ssl/": 0o755, "etc/ssl/certs/": 0o755, "etc/vigie/": 0o755, "var/": 0o755, "var/lib/": 0o755,
		} {
			h := files[path]
			if h == nil {
				t.Errorf("%s: no %s", name, path)
				continue
			}
			if h.Mode != mode || (h.Uid == 10001) != (path == "var/lib/vigie/") {
				t.Errorf("%s: %s is %o of %d", name, path, h.Mode, h.Uid)
			}
			// struct vfs_cap_data: revision 2, not effective, permitted 1<<12.
			caps, has := h.PAXRecords["SCHILY.xattr.security.capability"]
			if has != (path == "vigie-node") || (has && caps != "\x00\x00\x00\x02\x00\x10\x00\x00"+strings.Repeat("\x00", 12)) {
				t.Errorf("%s: %s has capabilities %x", name, path, caps)
			}
			delete(files, path)
		}
		if len(files) > 0 {
			t.Errorf("%s: more than that: %v", name, files)
		}
	}
}

func TestTheBillOfMaterialsHasEveryModuleOfTheBinaryAndRefersToTheImage(t *testing.T) {
	b := testBuilder(t)
	p := programs(t, "arm64")
	out := t.TempDir()
	results, _, err := b.write(out, []platform{p})
	ok(t, err)
	text := must2(os.ReadFile(filepath.Join(out, "sbom-arm64.cdx.json")))(t)
	var got bom
	ok(t, json.Unmarshal(text, &got))
	listed := map[string]component{}
	for _, c := range got.Components {
		if _, twice := listed[c.Ref]; twice {
			t.Errorf("%s is there twice", c.Ref)
		}
		listed[c.Ref] = c
	}
	info := must2(buildinfo.ReadFile(filepath.Join(p.dir, "vigie")))(t)
	if len(info.Deps) == 0 || results[0].modules != len(info.Deps) {
		t.Fatalf("%d modules of %d", results[0].modules, len(info.Deps))
	}
	for _, m := range info.Deps {
		c, there := listed[purl(m.Path, m.Version)]
		if !there || len(c.Properties) == 0 || c.Properties[0] != (property{"vigie:go:sum", m.Sum}) || m.Sum == "" {
			t.Errorf("%s %s: %+v", m.Path, m.Version, c)
		}
	}
	if got, want := purl("github.com/Azure/x", "v1.0.0+incompatible"), "pkg:golang/github.com/azure/x@v1.0.0%2Bincompatible"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	for _, want := range []string{"vigie-node", "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), "ca-certificates.crt"} {
		if _, there := listed[want]; !there {
			t.Errorf("no %s", want)
		}
	}
	npm := 0
	for ref := range listed {
		if strings.HasPrefix(ref, "pkg:npm/") {
			npm++
		}
	}
	if npm == 0 || len(got.Dependencies[0].DependsOn) != len(listed) {
		t.Errorf("%d packages of the page, %d dependencies of %d", npm, len(got.Dependencies[0].DependsOn), len(listed))
	}

	// In the layout it says whose it is.
	dir := must2(layout.FromPath(filepath.Join(out, "oci")))(t)
	top := must2(must2(dir.ImageIndex())(t).IndexManifest())(t)
	d := top.Manifests[1]
	var a artifact
	ok(t, json.Unmarshal(must2(dir.Bytes(d.Digest))(t), &a))
	if d.ArtifactType != cycloneDX || a.ArtifactType != cycloneDX || a.Subject.Digest != results[0].digest {
		t.Errorf("%+v of %+v", d, a)
	}
	if body := must2(dir.Bytes(a.Layers[0].Digest))(t); !bytes.Equal(body, text) {
		t.Error("the attached bill is another")
	}
}

func TestWhatIsWrongIsSaidWithTheWayOut(t *testing.T) {
	p := programs(t, "amd64")
	small := testBuilder(t)
	small.most = 1 << 10
	_, _, tooLarge := small.write(t.TempDir(), []platform{p})
	_, _, missing := testBuilder(t).write(t.TempDir(), []platform{{os: "linux", arch: "amd64", dir: t.TempDir()}})
	_, noBundle := readCertificates(filepath.Join(t.TempDir(), "none.crt"))
	file := func(body string) error {
		path := filepath.Join(t.TempDir(), "ca.crt")
		ok(t, os.WriteFile(path, []byte(body), 0o600))
		_, err := readCertificates(path)
		return err
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))
	_, darwin := parsePlatforms([]string{"darwin/arm64=x"})
	_, twice := parsePlatforms([]string{"linux/arm64=x", "linux/arm64=y"})
	_, none := parsePlatforms(nil)
	for want, err := range map[string]error{
		"MiB compressed, which is over":       tooLarge,
		"vigie: no such file":                 missing,
		"ca-certificates, or name a file":     noBundle,
		"has no certificates in PEM":          file("hello"),
		"PRIVATE KEY; takes CERTIFICATE only": file(string(bundle(t)) + key),
		"must be linux/amd64=DIR":             darwin,
		"is there twice":                      twice,
		"no platforms, e.g. linux/amd64=":     none,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
	if _, err := readCertificates(""); err != nil && !strings.Contains(err.Error(), "ca-certificates") {
		t.Errorf("this machine's own: %v", err)
	}
}
