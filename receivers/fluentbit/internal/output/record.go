package output

import (
	"errors"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/fluentbit/internal/msgpack"
)

// errShape is a value that is MessagePack and no event of Fluent Bit's.
var errShape = errors.New("not an event of Fluent Bit")

// event is one record where it lies in the chunk.
type event struct {
	at       time.Time
	mark     int64  // -1 a group begins, -2 it ends, else 0
	metadata string // MessagePack of a map, "" in the older encoding
	body     string // MessagePack of a map
}

// next reads an event in either encoding: [time, {…}], or since Fluent Bit 2.1
// [[time, {metadata}], {…}]. errShape passes over it; any other error is the end.
func next(r *msgpack.Reader) (event, error) {
	from := r.Offset()
	e, err := read(r)
	if !errors.Is(err, errShape) {
		return e, err
	}
	// Begin again, to stand behind it.
	whole := msgpack.NewReader(r.Between(from, r.End()))
	if err := whole.Skip(); err != nil {
		return e, err
	}
	r.Seek(from + whole.Offset())
	return e, errShape
}

func read(r *msgpack.Reader) (event, error) {
	var e event
	t, err := r.Next()
	if err != nil {
		return e, err
	}
	if t.Kind != msgpack.Array || t.Len != 2 {
		return e, errShape
	}
	if t, err = r.Next(); err != nil {
		return e, err
	}
	nested := t.Kind == msgpack.Array
	if nested {
		if t.Len != 2 {
			return e, errShape
		}
		if t, err = r.Next(); err != nil {
			return e, err
		}
	}
	var ok bool
	if e.at, ok = t.Time(); !ok {
		return e, errShape
	}
	if s := e.at.Unix(); t.Kind == msgpack.Ext && (s == -1 || s == -2) {
		e.mark = s
	}
	if nested {
		if e.metadata, err = mapping(r); err != nil {
			return e, err
		}
	}
	e.body, err = mapping(r)
	return e, err
}

// mapping is the MessagePack of the map that comes next.
func mapping(r *msgpack.Reader) (string, error) {
	from := r.Offset()
	t, err := r.Next()
	if err != nil {
		return "", err
	}
	if t.Kind != msgpack.Map {
		return "", errShape
	}
	r.Seek(from)
	if err := r.Skip(); err != nil {
		return "", err
	}
	return r.Between(from, r.Offset()), nil
}

// fields calls do for each field of a map, until it returns an error.
func fields(mapping string, do func(key string, r *msgpack.Reader) error) error {
	r := msgpack.NewReader(mapping)
	t, err := r.Next()
	if err != nil || t.Kind != msgpack.Map {
		return err
	}
	for range t.Len {
		key, err := r.Key()
		if err != nil {
			return err
		}
		if err := do(key, r); err != nil {
			return err
		}
	}
	return nil
}

// field is the MessagePack of one field, "" where it is not.
func field(mapping, name string) string {
	var found string
	_ = fields(mapping, func(key string, r *msgpack.Reader) error {
		from := r.Offset()
		if err := r.Skip(); err != nil {
			return err
		}
		if key == name {
			found = r.Between(from, r.Offset())
		}
		return nil
	})
	return found
}

// fill writes an event into a record.
func (c *Config) fill(lr plog.LogRecord, e event, tag string, now pcommon.Timestamp) error {
	lr.SetObservedTimestamp(now)
	lr.SetTimestamp(stamp(e.at))
	attributes := lr.Attributes()
	left := msgpack.Budget(msgpack.MaxValues)
	body := len(c.BodyKeys) // the place in BodyKeys of what is the body now
	var count int
	err := fields(e.body, func(key string, r *msgpack.Reader) error {
		if place := slices.Index(c.BodyKeys, key); place >= 0 && place < body {
			if body < len(c.BodyKeys) { // a better one: the other is an attribute
				lr.Body().MoveTo(attributes.PutEmpty(c.BodyKeys[body]))
			}
			body = place
			return r.Value(lr.Body(), &left)
		}
		if count++; count > msgpack.MaxFields {
			return errTooMany
		}
		if key == "kubernetes" {
			return r.Skip() // the resource
		}
		return r.Value(attributes.PutEmpty(key), &left)
	})
	if errors.Is(err, errTooMany) {
		attributes.Clear()
		lr.Body().SetEmptyBytes().FromRaw([]byte(e.body))
		err = nil
	}
	conventions(lr)
	attributes.PutStr(names.FluentTag, strings.ToValidUTF8(tag, "\uFFFD"))
	otlpMetadata(lr, e.metadata)
	return err
}

// errTooMany is a record of more fields than pdata's maps are good for. All of it
// becomes the body, in MessagePack.
var errTooMany = errors.New("too many fields")

func stamp(at time.Time) pcommon.Timestamp {
	if at.Unix() < 0 {
		return 0
	}
	return pcommon.NewTimestampFromTime(at)
}
