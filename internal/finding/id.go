package finding

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/zeebo/xxh3"
)

// NewID names a finding: 16 hexadecimal digits that depend on nothing but the
// arguments, so that a replay, a second gateway or a restart gives the same
// finding the same name. The seed keeps clusters (and hash seeds) apart.
func NewID(class Class, service string, started time.Time, seed uint64) string {
	b := make([]byte, 0, 64)
	// A length before each string: ("ab", "c") and ("a", "bc") differ.
	b = binary.BigEndian.AppendUint32(b, uint32(len(class)))
	b = append(b, class...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(service)))
	b = append(b, service...)
	b = binary.BigEndian.AppendUint64(b, uint64(started.UnixNano()))
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], xxh3.HashSeed(b, seed))
	return hex.EncodeToString(id[:])
}
