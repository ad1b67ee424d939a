package cloudwatchexporter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
)

// encoding is how a request lies in the persistent queue. Version 1, integers as
// varints: version, then a part: flags (1: EMF), group, stream, number of events,
// then an event: time in ms less the one before, records, message. Strings and
// messages have their length first. Parts until the end.
type encoding struct{}

const encodingVersion = 1

var errStored = errors.New("not a queued CloudWatch request of this version")

func (encoding) Marshal(_ context.Context, req xexporterhelper.Request) ([]byte, error) {
	r, ok := req.(*request)
	if !ok {
		return nil, fmt.Errorf("queue a %T: not a CloudWatch request", req)
	}
	b := make([]byte, 0, r.bytes+64*len(r.parts)+16)
	b = append(b, encodingVersion)
	for i := range r.parts {
		p := &r.parts[i]
		var flags byte
		if p.to.emf {
			flags = 1
		}
		b = append(b, flags)
		b = appendString(b, p.to.group)
		b = appendString(b, p.to.stream)
		b = binary.AppendUvarint(b, uint64(len(p.events)))
		before := int64(0)
		for _, e := range p.events {
			b = binary.AppendVarint(b, e.at-before)
			b = binary.AppendUvarint(b, uint64(e.records))
			b = binary.AppendUvarint(b, uint64(len(e.message)))
			b = append(b, e.message...)
			before = e.at
		}
	}
	return b, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (encoding) Unmarshal(stored []byte) (context.Context, xexporterhelper.Request, error) {
	if len(stored) == 0 || stored[0] != encodingVersion {
		return context.Background(), nil, errStored
	}
	d := decoder{ints: stored[1:], text: string(stored[1:])}
	r := newRequest()
	for len(d.ints) > 0 {
		flags := d.uint()
		group, stream := d.string(d.uint()), d.string(d.uint())
		n := d.uint()
		// An event takes three bytes at the least.
		if d.bad || n > uint64(len(d.ints)/3) {
			return context.Background(), nil, errStored
		}
		at := r.part(destination{group: group, stream: stream, emf: flags == 1})
		before := int64(0)
		for range n {
			e := event{at: before + d.int(), records: int32(min(d.uint(), 1<<30))}
			if e.message = d.string(d.uint()); d.bad {
				return context.Background(), nil, errStored
			}
			r.add(at, e)
			before = e.at
		}
	}
	return context.Background(), r, nil
}

// decoder reads the same bytes as integers and as text, so that all messages
// share one copy; after the first that does not fit it is bad and gives zeros.
type decoder struct {
	ints []byte
	text string
	bad  bool
}

func (d *decoder) skip(n int) {
	d.ints, d.text = d.ints[n:], d.text[n:]
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.ints)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.skip(n)
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.ints)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.skip(n)
	return v
}

func (d *decoder) string(n uint64) string {
	if d.bad || n > uint64(len(d.text)) {
		d.bad = true
		return ""
	}
	s := d.text[:n]
	d.skip(int(n))
	return s
}
