package tail

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/zeebo/xxh3"
)

// ID is a file's device and inode number. It is unique among the files that
// exist; a later file may get it again.
type ID struct{ Dev, Ino uint64 }

// String gives the form in which an ID is the key of a checkpoint.
func (id ID) String() string { return fmt.Sprintf("%x-%x", id.Dev, id.Ino) }

// fingerprintMax is how many of a file's first bytes are its fingerprint. One
// CRI line (its time has nanoseconds) or some access-log lines fit in.
const fingerprintMax = 1024

// Fingerprint is a hash of a file's first N bytes, up to 1,024. Logs only grow,
// so a file whose first N bytes have another hash is another file.
type Fingerprint struct {
	N   int
	Sum uint64
}

// takeFingerprint hashes the first n bytes, or fewer if the file is shorter.
func takeFingerprint(r io.ReaderAt, n int, scratch []byte) (Fingerprint, error) {
	got, err := r.ReadAt(scratch[:min(n, fingerprintMax)], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Fingerprint{}, err
	}
	return Fingerprint{N: got, Sum: xxh3.Hash(scratch[:got])}, nil
}

// of tells whether a file begins with the bytes of the fingerprint; every file
// begins with none.
func (p Fingerprint) of(r io.ReaderAt, scratch []byte) bool {
	if p.N == 0 {
		return true
	}
	got, err := takeFingerprint(r, p.N, scratch)
	return err == nil && got == p
}

// extend reads a file's first bytes once. It tells whether the file begins with
// those of the fingerprint, and gives that of all the bytes that were read. A file
// that cannot be read begins with nothing but what is known.
func (p Fingerprint) extend(r io.ReaderAt, scratch []byte) (longer Fingerprint, begins bool) {
	longer, err := takeFingerprint(r, fingerprintMax, scratch)
	switch {
	case err != nil:
		return p, p.N == 0
	case longer.N < p.N || xxh3.Hash(scratch[:p.N]) != p.Sum && p.N > 0:
		return longer, false
	}
	return longer, true
}

// identifyOpen identifies an open file.
func identifyOpen(f *os.File) (ID, error) {
	info, err := f.Stat()
	if err != nil {
		return ID{}, err
	}
	id, ok := identify(info)
	if !ok {
		return ID{}, errors.ErrUnsupported
	}
	return id, nil
}
