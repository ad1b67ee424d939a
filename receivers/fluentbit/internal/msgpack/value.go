package msgpack

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Limits of a value that is taken apart. What is past one stays MessagePack, as
// bytes. pdata looks for a key by comparing all: hence the fields of one map.
const (
	MaxDepth  = 32
	MaxFields = 256  // of one map
	MaxValues = 8192 // of one record, in all
)

// Time reads a moment as Fluent Bit writes it: an extension of type 0 of eight
// bytes (seconds and nanoseconds), or seconds as a number.
func (t Token) Time() (time.Time, bool) {
	switch t.Kind {
	case Ext:
		if t.Ext != 0 || len(t.Text) != 8 {
			return time.Time{}, false
		}
		b := []byte(t.Text)
		seconds := int64(binary.BigEndian.Uint32(b))
		if seconds >= 1<<32-2 { // the marks of a group are -1 and -2
			seconds -= 1 << 32
		}
		return time.Unix(seconds, int64(binary.BigEndian.Uint32(b[4:]))), true
	case Int:
		return time.Unix(t.Int, 0), true
	case Float:
		if t.Float < -1<<53 || t.Float > 1<<53 || t.Float != t.Float {
			return time.Time{}, false
		}
		whole := int64(t.Float)
		return time.Unix(whole, int64((t.Float-float64(whole))*1e9)), true
	}
	return time.Time{}, false
}

// Budget is what is left of MaxValues.
type Budget int

// Value reads a value into to. An error is of the reader: the buffer can be read
// no further.
func (r *Reader) Value(to pcommon.Value, left *Budget) error { return r.value(to, left, 0) }

func (r *Reader) value(to pcommon.Value, left *Budget, depth int) error {
	from := r.at
	t, err := r.Next()
	if err != nil {
		return err
	}
	switch t.Kind {
	case Nil:
	case Bool:
		to.SetBool(t.Int != 0)
	case Int:
		to.SetInt(t.Int)
	case Uint:
		to.SetStr(strconv.FormatUint(t.Uint, 10))
	case Float:
		to.SetDouble(t.Float)
	case Str:
		setText(to, t.Text)
	case Bin:
		to.SetEmptyBytes().FromRaw([]byte(t.Text))
	case Ext:
		if at, ok := t.Time(); ok {
			to.SetStr(at.UTC().Format(time.RFC3339Nano))
		} else {
			to.SetEmptyBytes().FromRaw([]byte(t.Text))
		}
	case Array, Map:
		if depth >= MaxDepth || t.Len > int(*left) || t.Kind == Map && t.Len > MaxFields {
			r.at = from
			if err := r.Skip(); err != nil {
				return err
			}
			to.SetEmptyBytes().FromRaw([]byte(r.buf[from:r.at]))
			return nil
		}
		*left -= Budget(t.Len)
		return r.elements(t, to, left, depth)
	}
	return nil
}

func (r *Reader) elements(t Token, to pcommon.Value, left *Budget, depth int) error {
	if t.Kind == Array {
		slice := to.SetEmptySlice()
		slice.EnsureCapacity(t.Len)
		for range t.Len {
			if err := r.value(slice.AppendEmpty(), left, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	m := to.SetEmptyMap()
	m.EnsureCapacity(t.Len)
	for range t.Len {
		key, err := r.Key()
		if err != nil {
			return err
		}
		if err := r.value(m.PutEmpty(key), left, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Key reads a map's key. One that is not text becomes text: a number's digits,
// otherwise its MessagePack in quotes.
func (r *Reader) Key() (string, error) {
	from := r.at
	t, err := r.Next()
	if err != nil {
		return "", err
	}
	switch t.Kind {
	case Str, Bin:
		if utf8.ValidString(t.Text) {
			return t.Text, nil
		}
		return strconv.Quote(t.Text), nil
	case Int:
		return strconv.FormatInt(t.Int, 10), nil
	}
	r.at = from
	if err := r.Skip(); err != nil {
		return "", err
	}
	return strconv.Quote(r.buf[from:r.at]), nil
}

// setText keeps every byte: OTLP's strings are UTF-8, its bytes are anything.
func setText(to pcommon.Value, text string) {
	if utf8.ValidString(text) {
		to.SetStr(text)
	} else {
		to.SetEmptyBytes().FromRaw([]byte(text))
	}
}
