package cluster

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
)

// File is one of an image, by its path there.
type File struct {
	Path string
	From string // where its content is on this machine
	Mode int64
}

// Image is an archive that nodes import, the name that it has in there, and further
// names that it gets.
type Image struct {
	Archive, Name string
	Tags          []string
}

// WriteImage writes an image of one layer as the archive that "docker save" writes
// and containerd imports: three files, which the standard library can write.
func WriteImage(archive, name, entrypoint, user string, files ...File) error {
	layer, err := layerOf(files)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{entrypoint}, "User": user},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(digest[:])}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	w := tar.NewWriter(out)
	for _, part := range []struct {
		name string
		body []byte
	}{{"layer.tar", layer}, {"config.json", config}, {"manifest.json", manifest}} {
		if err := w.WriteHeader(&tar.Header{Name: part.name, Mode: 0o644, Size: int64(len(part.body))}); err != nil {
			return err
		}
		if _, err := w.Write(part.body); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Close()
}

// layerOf is a layer's tar, with the folders above each file.
func layerOf(files []File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	made := map[string]bool{".": true}
	var folders func(dir string) error
	folders = func(dir string) error {
		if made[dir] {
			return nil
		}
		if err := folders(path.Dir(dir)); err != nil {
			return err
		}
		made[dir] = true
		return w.WriteHeader(&tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755})
	}
	for _, f := range files {
		in, err := os.Open(f.From)
		if err != nil {
			return nil, fmt.Errorf("image: %w", err)
		}
		defer func() { _ = in.Close() }()
		info, err := in.Stat()
		if err != nil {
			return nil, err
		}
		if err := folders(path.Dir(f.Path)); err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Name: f.Path, Mode: f.Mode, Size: info.Size()}); err != nil {
			return nil, err
		}
		if _, err := io.Copy(w, in); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}
