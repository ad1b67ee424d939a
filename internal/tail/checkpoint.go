package tail

import (
	"encoding/binary"
	"errors"
	"time"
)

// ErrCheckpoint is returned for stored bytes that are not a checkpoint.
var ErrCheckpoint = errors.New("not a checkpoint")

// Checkpoint is how far a file was read and accepted. It is stored under its
// ID's String.
type Checkpoint struct {
	ID     ID
	Print  Fingerprint
	Offset int64     // bytes
	Seen   time.Time // when it was made; ms
	Path   string    // the path under which the file matched
}

const checkpointVersion = 1

// AppendBinary appends the stored form: version, then uvarints of device, inode,
// fingerprint length, offset and time in ms, the fingerprint's 8 bytes, the path.
func (c Checkpoint) AppendBinary(b []byte) []byte {
	b = append(b, checkpointVersion)
	b = binary.AppendUvarint(b, c.ID.Dev)
	b = binary.AppendUvarint(b, c.ID.Ino)
	b = binary.AppendUvarint(b, uint64(c.Print.N))
	b = binary.AppendUvarint(b, uint64(c.Offset))
	b = binary.AppendUvarint(b, uint64(c.Seen.UnixMilli()))
	b = binary.LittleEndian.AppendUint64(b, c.Print.Sum)
	return append(b, c.Path...)
}

// ParseCheckpoint reads what AppendBinary wrote.
func ParseCheckpoint(b []byte) (Checkpoint, error) {
	if len(b) == 0 || b[0] != checkpointVersion {
		return Checkpoint{}, ErrCheckpoint
	}
	b = b[1:]
	var v [5]uint64
	for i := range v {
		u, n := binary.Uvarint(b)
		if n <= 0 {
			return Checkpoint{}, ErrCheckpoint
		}
		v[i], b = u, b[n:]
	}
	if len(b) < 8 || v[2] > fingerprintMax || v[3] > 1<<62 || v[4] > 1<<52 {
		return Checkpoint{}, ErrCheckpoint
	}
	return Checkpoint{
		ID:     ID{Dev: v[0], Ino: v[1]},
		Print:  Fingerprint{N: int(v[2]), Sum: binary.LittleEndian.Uint64(b)},
		Offset: int64(v[3]),
		Seen:   time.UnixMilli(int64(v[4])),
		Path:   string(b[8:]),
	}, nil
}
