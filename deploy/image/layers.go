package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The user of the image. Nothing else is in its passwd but root.
const (
	uid, gid = 10001, 10001
	passwd   = "root:x:0:0:root:/:/\nvigie:x:10001:10001:Vigie:/:/\n"
	group    = "root:x:0:\nvigie:x:10001:\n"
)

// file is one entry of a layer; one without a body is a directory.
type file struct {
	path  string // with a leading slash
	mode  int64
	body  []byte
	owner int    // user and group
	caps  uint64 // capabilities permitted to whoever executes it
}

// foundation is what every program in the image finds.
func foundation(certificates []byte) []file {
	return []file{
		{path: "/etc", mode: 0o755},
		{path: "/etc/group", mode: 0o644, body: []byte(group)},
		{path: "/etc/passwd", mode: 0o644, body: []byte(passwd)},
		{path: "/etc/ssl", mode: 0o755},
		{path: "/etc/ssl/certs", mode: 0o755},
		{path: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644, body: certificates},
		{path: "/etc/vigie", mode: 0o755},
		{path: "/tmp", mode: 0o1777},
		{path: "/var", mode: 0o755},
		{path: "/var/lib", mode: 0o755},
		{path: "/var/lib/vigie", mode: 0o750, owner: uid},
	}
}

// layer is a gzipped tar of the files, in their order, all of one time.
func layer(files []file, at time.Time) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(f.path, "/"), Mode: f.mode, Size: int64(len(f.body)),
			Uid: f.owner, Gid: f.owner, ModTime: at, Format: tar.FormatPAX,
		}
		if f.body == nil {
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		}
		if f.caps != 0 {
			h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": fileCapability(f.caps)}
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithCompressedCaching)
}

// fileCapability is the value of the extended attribute security.capability
// (struct vfs_cap_data, VFS_CAP_REVISION_2 of linux/capability.h): permitted and
// nothing else. With the flag "effective" the kernel would refuse to execute the
// file where a container has dropped the capability.
func fileCapability(permitted uint64) string {
	const revision2 = 0x02000000
	b := binary.LittleEndian.AppendUint32(nil, revision2)
	for _, half := range []uint32{uint32(permitted), uint32(permitted >> 32)} { //nolint:gosec // its halves
		b = binary.LittleEndian.AppendUint32(b, half)
		b = binary.LittleEndian.AppendUint32(b, 0) // inheritable
	}
	return string(b)
}
