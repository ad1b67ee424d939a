package cloudwatchexporter

import (
	"encoding/base64"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/emf"
)

// maxDepth bounds the nesting of a value that is written out.
const maxDepth = 32

func appendMember(b []byte, key string, v pcommon.Value) []byte {
	b = emf.AppendString(b, validString(key))
	b = append(b, ':')
	return appendValue(b, v, 1)
}

func appendMap(b []byte, m pcommon.Map, depth int) []byte {
	b = append(b, '{')
	first := true
	for k, v := range m.All() {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = emf.AppendString(b, validString(k))
		b = append(b, ':')
		b = appendValue(b, v, depth+1)
	}
	return append(b, '}')
}

// appendValue appends a value as JSON. Numbers that JSON does not have become
// strings, bytes base64, what is nested too deeply null.
func appendValue(b []byte, v pcommon.Value, depth int) []byte {
	if depth > maxDepth {
		return append(b, "null"...)
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return emf.AppendString(b, validString(v.Str()))
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(b, v.Bool())
	case pcommon.ValueTypeInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		if f := v.Double(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return emf.AppendFloat(b, f)
		}
		return emf.AppendString(b, strconv.FormatFloat(v.Double(), 'g', -1, 64))
	case pcommon.ValueTypeMap:
		return appendMap(b, v.Map(), depth)
	case pcommon.ValueTypeSlice:
		b = append(b, '[')
		for i := range v.Slice().Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, v.Slice().At(i), depth+1)
		}
		return append(b, ']')
	case pcommon.ValueTypeBytes:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes().AsRaw())
		return append(b, '"')
	}
	return append(b, "null"...)
}
