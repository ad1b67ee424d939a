package promstore

import (
	"io"
	"net/http"

	jsoniter "github.com/json-iterator/go"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/jsonutil"
)

// flushAt is how much of an answer is held before it is sent on: a large matrix
// is never in memory twice.
const flushAt = 32 << 10

// jsonAPI is the configuration of Prometheus' own codec: HTML escaping, sorted
// keys.
var jsonAPI = jsoniter.ConfigCompatibleWithStandardLibrary

// writeError writes Prometheus' error envelope.
func writeError(w http.ResponseWriter, err error) {
	kind, code := classify(err)
	w.Header().Set("Content-Type", "application/json")
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(code)
	body, _ := jsonAPI.Marshal(struct { // of strings: cannot fail
		Status    string `json:"status"`
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
	}{"error", kind, err.Error()})
	_, _ = w.Write(body)
}

// writeData writes Prometheus' success envelope. Series are written as they are
// walked; there is no jsoniter type registry involved, because that is global.
func writeData(w http.ResponseWriter, a answer) error {
	warnings, infos := a.notes.AsStrings(a.expr, 10, 10)
	w.Header().Set("Content-Type", "application/json")
	e := &encoder{Stream: jsoniter.NewStream(jsonAPI, w, flushAt+4096)}
	e.WriteRaw(`{"status":"success","data":`)
	e.data(a.data)
	e.list("warnings", warnings)
	e.list("infos", infos)
	e.WriteRaw(`}`)
	if err := e.Stream.Flush(); err != nil {
		return err
	}
	if e.Stream.Error != nil && e.Stream.Error != io.EOF {
		return e.Stream.Error
	}
	return nil
}

type encoder struct{ *jsoniter.Stream }

// drain sends on what has been written, once it is worth a write.
func (e *encoder) drain() {
	if e.Buffered() >= flushAt {
		_ = e.Flush() // kept in Stream.Error
	}
}

func (e *encoder) list(key string, items []string) {
	if len(items) > 0 {
		e.WriteRaw(`,"` + key + `":`)
		e.WriteVal(items)
	}
}

func (e *encoder) data(v any) {
	switch v := v.(type) {
	case queryData:
		e.queryData(v)
	case []labels.Labels:
		each(e, v, e.labels)
	case []exemplar.QueryResult:
		each(e, v, e.exemplars)
	case []string:
		each(e, v, e.WriteStringWithHTMLEscaped)
	default:
		e.WriteVal(v)
	}
}

// each writes an array, [] when it is empty.
func each[T any](e *encoder, items []T, one func(T)) {
	e.WriteArrayStart()
	for i, item := range items {
		if i > 0 {
			e.WriteMore()
		}
		one(item)
		e.drain()
	}
	e.WriteArrayEnd()
}

func (e *encoder) queryData(d queryData) {
	e.WriteRaw(`{"resultType":"` + string(d.value.Type()) + `","result":`)
	switch v := d.value.(type) {
	case promql.Vector:
		each(e, v, e.sample)
	case promql.Matrix:
		each(e, v, e.series)
	default: // scalars and strings have their own, slightly different, number format
		e.WriteVal(v)
	}
	if d.stats != nil {
		e.WriteRaw(`,"stats":`)
		e.WriteVal(d.stats)
	}
	e.WriteRaw(`}`)
}

func (e *encoder) sample(s promql.Sample) {
	e.WriteRaw(`{"metric":`)
	e.labels(s.Metric)
	if s.H == nil {
		e.WriteRaw(`,"value":`)
		e.float(s.T, s.F)
	} else {
		e.WriteRaw(`,"histogram":`)
		e.histogram(promql.HPoint{T: s.T, H: s.H})
	}
	e.WriteRaw(`}`)
}

func (e *encoder) series(s promql.Series) {
	e.WriteRaw(`{"metric":`)
	e.labels(s.Metric)
	if len(s.Floats) > 0 {
		e.WriteRaw(`,"values":`)
		each(e, s.Floats, func(p promql.FPoint) { e.float(p.T, p.F) })
	}
	if len(s.Histograms) > 0 {
		e.WriteRaw(`,"histograms":`)
		each(e, s.Histograms, e.histogram)
	}
	e.WriteRaw(`}`)
}

// float writes [ seconds, "value" ].
func (e *encoder) float(t int64, v float64) {
	e.WriteArrayStart()
	jsonutil.MarshalTimestamp(t, e.Stream)
	e.WriteMore()
	jsonutil.MarshalFloat(v, e.Stream)
	e.WriteArrayEnd()
}

func (e *encoder) histogram(p promql.HPoint) {
	e.WriteArrayStart()
	jsonutil.MarshalTimestamp(p.T, e.Stream)
	e.WriteMore()
	jsonutil.MarshalHistogram(p.H, e.Stream)
	e.WriteArrayEnd()
}

func (e *encoder) labels(ls labels.Labels) {
	e.WriteObjectStart()
	first := true
	ls.Range(func(l labels.Label) {
		if !first {
			e.WriteMore()
		}
		first = false
		e.WriteString(l.Name)
		e.WriteRaw(`:`)
		e.WriteString(l.Value)
	})
	e.WriteObjectEnd()
}

func (e *encoder) exemplars(r exemplar.QueryResult) {
	e.WriteRaw(`{"seriesLabels":`)
	e.labels(r.SeriesLabels)
	e.WriteRaw(`,"exemplars":`)
	each(e, r.Exemplars, func(x exemplar.Exemplar) {
		e.WriteRaw(`{"labels":`)
		e.labels(x.Labels)
		e.WriteRaw(`,"value":`)
		jsonutil.MarshalFloat(x.Value, e.Stream)
		e.WriteRaw(`,"timestamp":`)
		jsonutil.MarshalTimestamp(x.Ts, e.Stream)
		e.WriteRaw(`}`)
	})
	e.WriteRaw(`}`)
}
