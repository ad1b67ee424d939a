package msgpack

import (
	"errors"
	"math"
)

// Errors of a walk. After any of them the rest of the buffer cannot be read: no
// one knows where the next value begins.
var (
	ErrShort   = errors.New("MessagePack ends within a value")
	ErrUnknown = errors.New("MessagePack has the type 0xc1, which is none")
)

// Kind is what a value is.
type Kind uint8

// Kinds.
const (
	Nil Kind = iota
	Bool
	Int   // Token.Int
	Uint  // past int64: Token.Uint
	Float // Token.Float
	Str   // Token.Text
	Bin   // Token.Text
	Array // Token.Len elements follow
	Map   // Token.Len pairs follow
	Ext   // Token.Text, of type Token.Ext
)

// Token is a value, or the head of an array or map.
type Token struct {
	Kind  Kind
	Int   int64 // of a Bool 0 or 1
	Uint  uint64
	Float float64
	Text  string // a part of the buffer
	Len   int
	Ext   int8
}

// Reader walks a buffer. Reader{} is at the end of nothing.
type Reader struct {
	buf string
	at  int
}

// NewReader returns a reader at the beginning of buf.
func NewReader(buf string) *Reader { return &Reader{buf: buf} }

// More tells whether anything is left.
func (r *Reader) More() bool { return r.at < len(r.buf) }

// Offset is how far the reader is, in bytes.
func (r *Reader) Offset() int { return r.at }

// Between is the buffer from one offset to another.
func (r *Reader) Between(from, to int) string { return r.buf[from:to] }

// Next reads a value, or the head of an array or map.
func (r *Reader) Next() (Token, error) {
	if r.at >= len(r.buf) {
		return Token{}, ErrShort
	}
	b := r.buf[r.at]
	r.at++
	switch {
	case b <= 0x7f:
		return Token{Kind: Int, Int: int64(b)}, nil
	case b <= 0x8f:
		return r.head(Map, uint64(b&0x0f))
	case b <= 0x9f:
		return r.head(Array, uint64(b&0x0f))
	case b <= 0xbf:
		return r.text(Str, uint64(b&0x1f))
	case b >= 0xe0:
		return Token{Kind: Int, Int: int64(int8(b))}, nil
	}
	switch b {
	case 0xc0:
		return Token{Kind: Nil}, nil
	case 0xc2, 0xc3:
		return Token{Kind: Bool, Int: int64(b & 1)}, nil
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return r.extension(1 << (b - 0xd4))
	}
	size, kind := wide(b)
	if size == 0 {
		return Token{}, ErrUnknown
	}
	n, err := r.number(size)
	if err != nil {
		return Token{}, err
	}
	switch kind {
	case Str, Bin:
		return r.text(kind, n)
	case Array, Map:
		return r.head(kind, n)
	case Ext:
		return r.extension(n)
	case Float:
		if size == 4 {
			return Token{Kind: Float, Float: float64(math.Float32frombits(uint32(n)))}, nil
		}
		return Token{Kind: Float, Float: math.Float64frombits(n)}, nil
	case Uint:
		if n > math.MaxInt64 {
			return Token{Kind: Uint, Uint: n}, nil
		}
		return Token{Kind: Int, Int: int64(n)}, nil
	default: // Int: the sign is the top bit of its width
		shift := 64 - 8*size
		return Token{Kind: Int, Int: int64(n<<shift) >> shift}, nil
	}
}

// wide says how many bytes of a number follow a type byte, and what the number is:
// a length or the value.
func wide(b byte) (size int, kind Kind) {
	switch b {
	case 0xc4, 0xc5, 0xc6:
		return 1 << (b - 0xc4), Bin
	case 0xc7, 0xc8, 0xc9:
		return 1 << (b - 0xc7), Ext
	case 0xca, 0xcb:
		return 4 << (b - 0xca), Float
	case 0xcc, 0xcd, 0xce, 0xcf:
		return 1 << (b - 0xcc), Uint
	case 0xd0, 0xd1, 0xd2, 0xd3:
		return 1 << (b - 0xd0), Int
	case 0xd9, 0xda, 0xdb:
		return 1 << (b - 0xd9), Str
	case 0xdc, 0xdd:
		return 2 << (b - 0xdc), Array
	case 0xde, 0xdf:
		return 2 << (b - 0xde), Map
	}
	return 0, Nil
}

// number reads a big-endian number.
func (r *Reader) number(size int) (uint64, error) {
	if len(r.buf)-r.at < size {
		return 0, ErrShort
	}
	var n uint64
	for i := range size {
		n = n<<8 | uint64(r.buf[r.at+i])
	}
	r.at += size
	return n, nil
}

func (r *Reader) text(kind Kind, n uint64) (Token, error) {
	if n > uint64(len(r.buf)-r.at) {
		return Token{}, ErrShort
	}
	t := Token{Kind: kind, Text: r.buf[r.at : r.at+int(n)]}
	r.at += int(n)
	return t, nil
}

func (r *Reader) extension(n uint64) (Token, error) {
	typ, err := r.number(1)
	if err != nil {
		return Token{}, err
	}
	t, err := r.text(Ext, n)
	t.Ext = int8(typ)
	return t, err
}

// head believes a length only when each element has a byte.
func (r *Reader) head(kind Kind, n uint64) (Token, error) {
	least := n
	if kind == Map {
		least *= 2
	}
	if least > uint64(len(r.buf)-r.at) {
		return Token{}, ErrShort
	}
	return Token{Kind: kind, Len: int(n)}, nil
}

// Skip passes over a value, however deep.
func (r *Reader) Skip() error {
	for left := 1; left > 0; left-- {
		t, err := r.Next()
		if err != nil {
			return err
		}
		switch t.Kind {
		case Array:
			left += t.Len
		case Map:
			left += 2 * t.Len
		}
	}
	return nil
}

// Seek goes to an offset.
func (r *Reader) Seek(offset int) { r.at = offset }

// End is the offset behind the last byte.
func (r *Reader) End() int { return len(r.buf) }
