package promstore

import (
	"errors"
	"math"
	"unsafe"

	"github.com/prometheus/prometheus/prompb"
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of prometheus/prompb/remote.proto and types.proto.
const (
	requestSeries   = 1
	requestMetadata = 3

	seriesLabels     = 1
	seriesSamples    = 2
	seriesExemplars  = 3
	seriesHistograms = 4

	labelName  = 1
	labelValue = 2

	sampleValue = 1
	sampleTime  = 2
)

// The generated decoder makes structs of up to 200 bytes from 2 bytes of
// message: 32 MiB of empty samples would take gigabytes. This one hands each
// sample on as it is read and keeps one series' labels, which alias the body.

// field is one field of a message: the payload of a length-delimited one, the
// bits of a number.
type field struct {
	num     protowire.Number
	typ     protowire.Type
	payload []byte
	bits    uint64
}

// consume reads the first field of msg and how many bytes it takes, negative for
// a parse error as in protowire. Messages are read in plain loops over it: a
// closure per message would put what it captures on the heap.
func consume(msg []byte) (f field, n int) {
	var tag, body int
	f.num, f.typ, tag = protowire.ConsumeTag(msg)
	if tag < 0 {
		return f, tag
	}
	switch rest := msg[tag:]; f.typ {
	case protowire.BytesType:
		f.payload, body = protowire.ConsumeBytes(rest)
	case protowire.VarintType:
		f.bits, body = protowire.ConsumeVarint(rest)
	case protowire.Fixed64Type:
		f.bits, body = protowire.ConsumeFixed64(rest)
	default:
		body = protowire.ConsumeFieldValue(f.num, f.typ, rest)
	}
	if body < 0 {
		return f, body
	}
	return f, tag + body
}

var errWireType = errors.New("a field has the wrong wire type")

// checkWriteRequest walks the whole request and counts its samples.
func checkWriteRequest(body []byte) (samples int, err error) {
	var meta prompb.MetricMetadata
	for len(body) > 0 {
		f, n := consume(body)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		body = body[n:]
		if f.num != requestSeries && f.num != requestMetadata {
			continue
		}
		if f.typ != protowire.BytesType {
			return 0, errWireType
		}
		if f.num == requestMetadata {
			err = meta.Unmarshal(f.payload) // fields add up: what it holds does not matter here
		} else {
			var n int
			n, err = checkSeries(f.payload)
			samples += n
		}
		if err != nil {
			return 0, err
		}
	}
	return samples, nil
}

func checkSeries(msg []byte) (samples int, err error) {
	for len(msg) > 0 && err == nil {
		f, n := consume(msg)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		msg = msg[n:]
		if f.num >= seriesLabels && f.num <= seriesHistograms && f.typ != protowire.BytesType {
			return 0, errWireType
		}
		switch f.num {
		case seriesLabels:
			_, err = readLabel(f.payload)
		case seriesSamples:
			samples++
			_, _, err = readSample(f.payload)
		case seriesHistograms:
			samples++
			err = checkShape(f.payload)
		case seriesExemplars:
			err = checkShape(f.payload)
		}
	}
	return samples, err
}

// checkShape makes sure that msg is a message of whatever kind.
func checkShape(msg []byte) error {
	for len(msg) > 0 {
		_, n := consume(msg)
		if n < 0 {
			return protowire.ParseError(n)
		}
		msg = msg[n:]
	}
	return nil
}

// readLabel reads a label whose strings alias msg.
func readLabel(msg []byte) (l prompb.Label, err error) {
	for len(msg) > 0 {
		f, n := consume(msg)
		if n < 0 {
			return l, protowire.ParseError(n)
		}
		msg = msg[n:]
		if f.num != labelName && f.num != labelValue {
			continue
		}
		if f.typ != protowire.BytesType {
			return l, errWireType
		}
		text := unsafe.String(unsafe.SliceData(f.payload), len(f.payload))
		if f.num == labelName {
			l.Name = text
		} else {
			l.Value = text
		}
	}
	return l, nil
}

func readSample(msg []byte) (t int64, v float64, err error) {
	for len(msg) > 0 {
		f, n := consume(msg)
		if n < 0 {
			return 0, 0, protowire.ParseError(n)
		}
		msg = msg[n:]
		switch {
		case f.num == sampleValue && f.typ == protowire.Fixed64Type:
			v = math.Float64frombits(f.bits)
		case f.num == sampleTime && f.typ == protowire.VarintType:
			t = int64(f.bits)
		case f.num == sampleValue, f.num == sampleTime:
			return 0, 0, errWireType
		}
	}
	return t, v, nil
}

// sink takes what a request holds; an appender is one.
type sink interface {
	series(ls []prompb.Label, unsafe bool) (*cached, error)
	sample(c *cached, t int64, v float64)
	histogram(c *cached, h *prompb.Histogram)
	exemplar(c *cached, e *prompb.Exemplar)
	drop(n int, err error)
}

// writeDecoder reads a request that checkWriteRequest has accepted. Its scratch
// is used again for each series.
type writeDecoder struct {
	labels       []prompb.Label
	hist         prompb.Histogram
	ex           prompb.Exemplar
	maxHistogram int // bytes of a histogram's message
}

// next reads the first field of body into to and returns the rest.
func (d *writeDecoder) next(body []byte, to sink) (rest []byte) {
	f, n := consume(body)
	if n < 0 {
		return nil // cannot be: the body was checked
	}
	if f.num == requestSeries {
		d.timeSeries(f.payload, to)
	}
	return body[n:]
}

// timeSeries reads a series: its labels, wherever they stand, then the rest, and
// exemplars last, because tsdb takes them only of a series that it has.
func (d *writeDecoder) timeSeries(msg []byte, to sink) {
	d.labels = d.labels[:0]
	count := 0
	examples := false
	for rest := msg; len(rest) > 0; {
		f, n := consume(rest)
		rest = rest[n:]
		switch f.num {
		case seriesLabels:
			// A series with more is refused below; how many more is no matter.
			if len(d.labels) < 1<<10 {
				l, _ := readLabel(f.payload)
				d.labels = append(d.labels, l)
			}
		case seriesSamples, seriesHistograms:
			count++
		case seriesExemplars:
			examples = true
		}
	}
	if count == 0 {
		return
	}
	c, err := to.series(d.labels, true)
	if err != nil {
		to.drop(count, err)
		return
	}
	for rest := msg; len(rest) > 0; {
		f, n := consume(rest)
		rest = rest[n:]
		switch f.num {
		case seriesSamples:
			t, v, _ := readSample(f.payload)
			to.sample(c, t, v)
		case seriesHistograms:
			d.histogram(c, f.payload, to)
		}
	}
	for rest := msg; examples && len(rest) > 0; {
		f, n := consume(rest)
		rest = rest[n:]
		if f.num == seriesExemplars {
			d.exemplar(c, f.payload, to)
		}
	}
}

func (d *writeDecoder) histogram(c *cached, msg []byte, to sink) {
	if len(msg) > d.maxHistogram {
		to.drop(1, refuse(reasonBucketLimit, "a histogram has %d bytes; its buckets must be at most max_histogram_buckets", len(msg)))
		return
	}
	d.hist.Reset()
	if err := d.hist.Unmarshal(msg); err != nil {
		to.drop(1, refuse(reasonHistogram, "decode histogram: %w", err))
		return
	}
	to.histogram(c, &d.hist)
}

// maxExemplarBytes is far above what an exemplar may hold: 128 characters of
// labels.
const maxExemplarBytes = 4 << 10

func (d *writeDecoder) exemplar(c *cached, msg []byte, to sink) {
	d.ex = prompb.Exemplar{Labels: d.ex.Labels[:0]}
	if len(msg) > maxExemplarBytes || d.ex.Unmarshal(msg) != nil {
		d.ex = prompb.Exemplar{} // out of time: counted with those that are refused
	}
	to.exemplar(c, &d.ex)
}

// keepMetadata keeps the metadata of a checked request.
func (s *Store) keepMetadata(body []byte) {
	for len(body) > 0 {
		f, n := consume(body)
		body = body[n:]
		if f.num != requestMetadata || len(f.payload) == 0 {
			continue
		}
		var m prompb.MetricMetadata
		if m.Unmarshal(f.payload) == nil {
			s.meta.put(&m, s.tel.metadata)
		}
	}
}
