package promstore

import (
	"errors"
	"fmt"
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

// fields calls fn for each field of a message. fn gets the payload of a
// length-delimited field, or the bits of a number.
func fields(msg []byte, fn func(num protowire.Number, typ protowire.Type, payload []byte, bits uint64) error) error {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return protowire.ParseError(n)
		}
		msg = msg[n:]
		var (
			payload []byte
			bits    uint64
		)
		switch typ {
		case protowire.BytesType:
			payload, n = protowire.ConsumeBytes(msg)
		case protowire.VarintType:
			bits, n = protowire.ConsumeVarint(msg)
		case protowire.Fixed64Type:
			bits, n = protowire.ConsumeFixed64(msg)
		default:
			n = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		msg = msg[n:]
		if err := fn(num, typ, payload, bits); err != nil {
			return err
		}
	}
	return nil
}

var errWireType = errors.New("a field has the wrong wire type")

// checkWriteRequest walks the whole request and counts its samples.
func checkWriteRequest(body []byte) (samples int, err error) {
	var meta prompb.MetricMetadata
	err = fields(body, func(num protowire.Number, typ protowire.Type, p []byte, _ uint64) error {
		switch num {
		case requestSeries:
			if typ != protowire.BytesType {
				return errWireType
			}
			return checkSeries(p, &samples)
		case requestMetadata:
			if typ != protowire.BytesType {
				return errWireType
			}
			return meta.Unmarshal(p) // fields add up: what it holds does not matter here
		}
		return nil
	})
	return samples, err
}

func checkSeries(msg []byte, samples *int) error {
	return fields(msg, func(num protowire.Number, typ protowire.Type, p []byte, _ uint64) error {
		if num >= seriesLabels && num <= seriesHistograms && typ != protowire.BytesType {
			return errWireType
		}
		switch num {
		case seriesLabels:
			_, err := readLabel(p)
			return err
		case seriesSamples:
			*samples++
			_, _, err := readSample(p)
			return err
		case seriesExemplars, seriesHistograms:
			if num == seriesHistograms {
				*samples++
			}
			return fields(p, func(protowire.Number, protowire.Type, []byte, uint64) error { return nil })
		}
		return nil
	})
}

// readLabel reads a label whose strings alias msg.
func readLabel(msg []byte) (l prompb.Label, err error) {
	err = fields(msg, func(num protowire.Number, typ protowire.Type, p []byte, _ uint64) error {
		if num > labelValue {
			return nil
		}
		if typ != protowire.BytesType {
			return errWireType
		}
		text := unsafe.String(unsafe.SliceData(p), len(p))
		if num == labelName {
			l.Name = text
		} else {
			l.Value = text
		}
		return nil
	})
	return l, err
}

func readSample(msg []byte) (t int64, v float64, err error) {
	err = fields(msg, func(num protowire.Number, typ protowire.Type, _ []byte, bits uint64) error {
		switch {
		case num == sampleValue && typ == protowire.Fixed64Type:
			v = math.Float64frombits(bits)
		case num == sampleTime && typ == protowire.VarintType:
			t = int64(bits)
		case num == sampleValue, num == sampleTime:
			return errWireType
		}
		return nil
	})
	return t, v, err
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
	maxHistogram int // bytes of a histogram's message
}

// next reads the first field of body into to and returns the rest.
func (d *writeDecoder) next(body []byte, to sink) (rest []byte) {
	num, typ, n := protowire.ConsumeField(body)
	if n < 0 {
		return nil // cannot be: the body was checked
	}
	if num == requestSeries && typ == protowire.BytesType {
		_, _, tag := protowire.ConsumeTag(body)
		msg, _ := protowire.ConsumeBytes(body[tag:])
		d.timeSeries(msg, to)
	}
	return body[n:]
}

// timeSeries reads a series: its labels, wherever they stand, then the rest.
func (d *writeDecoder) timeSeries(msg []byte, to sink) {
	d.labels = d.labels[:0]
	count := 0
	_ = fields(msg, func(num protowire.Number, _ protowire.Type, p []byte, _ uint64) error {
		switch num {
		case seriesLabels:
			// A series with more is refused below; how many more is no matter.
			if len(d.labels) < 1<<10 {
				l, _ := readLabel(p)
				d.labels = append(d.labels, l)
			}
		case seriesSamples, seriesHistograms:
			count++
		}
		return nil
	})
	if count == 0 {
		return
	}
	c, err := to.series(d.labels, true)
	if err != nil {
		to.drop(count, err)
		return
	}
	_ = fields(msg, func(num protowire.Number, _ protowire.Type, p []byte, _ uint64) error {
		switch num {
		case seriesSamples:
			t, v, _ := readSample(p)
			to.sample(c, t, v)
		case seriesHistograms:
			d.histogram(c, p, to)
		}
		return nil
	})
	// tsdb takes an exemplar only of a series that it has.
	_ = fields(msg, func(num protowire.Number, _ protowire.Type, p []byte, _ uint64) error {
		if num == seriesExemplars {
			d.exemplar(c, p, to)
		}
		return nil
	})
}

func (d *writeDecoder) histogram(c *cached, msg []byte, to sink) {
	if len(msg) > d.maxHistogram {
		to.drop(1, refuse(reasonBucketLimit, "a histogram has %d bytes; its buckets must be at most max_histogram_buckets", len(msg)))
		return
	}
	var h prompb.Histogram
	if err := h.Unmarshal(msg); err != nil {
		to.drop(1, refuse(reasonHistogram, "decode histogram: %w", err))
		return
	}
	to.histogram(c, &h)
}

// maxExemplarBytes is far above what an exemplar may hold: 128 characters of
// labels.
const maxExemplarBytes = 4 << 10

func (d *writeDecoder) exemplar(c *cached, msg []byte, to sink) {
	var e prompb.Exemplar
	if len(msg) <= maxExemplarBytes && e.Unmarshal(msg) == nil {
		to.exemplar(c, &e)
	}
}

// keepMetadata keeps the metadata of a checked request.
func (s *Store) keepMetadata(body []byte) {
	_ = fields(body, func(num protowire.Number, _ protowire.Type, p []byte, _ uint64) error {
		if num != requestMetadata || len(p) == 0 {
			return nil
		}
		var m prompb.MetricMetadata
		if err := m.Unmarshal(p); err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
		s.meta.put(&m, s.tel.metadata)
		return nil
	})
}
