package output

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/fluentbit/internal/msgpack"
)

// What follows says the same as collector/configs/with/fluentbit.yaml, so that a
// line is the same whichever way it came.

// kubernetes are the names of what Fluent Bit's kubernetes filter writes.
func kubernetes(key string) string {
	switch key {
	case "namespace_name":
		return names.K8sNamespaceName
	case "pod_name":
		return names.K8sPodName
	case "pod_id":
		return names.K8sPodUID
	case "pod_ip":
		return names.K8sPodIP
	case "container_name":
		return names.K8sContainerName
	case "host":
		return names.K8sNodeName
	case "docker_id":
		return names.ContainerID
	case "container_image":
		return names.ContainerImageName
	}
	return ""
}

// fillResource writes the map of the kubernetes filter into a resource.
func fillResource(to pcommon.Map, mapping string) {
	left := msgpack.Budget(msgpack.MaxValues)
	_ = fields(mapping, func(key string, r *msgpack.Reader) error {
		switch name := kubernetes(key); {
		case name != "":
			return r.Value(to.PutEmpty(name), &left)
		case key == "labels":
			return prefixed(to, names.K8sPodLabel, r, &left)
		case key == "annotations":
			return prefixed(to, names.K8sPodAnnotation, r, &left)
		}
		return r.Skip()
	})
	if _, ok := to.Get(names.ServiceName); ok {
		return
	}
	for _, from := range []string{names.K8sPodLabel + "app.kubernetes.io/name", names.K8sContainerName} {
		if v, ok := to.Get(from); ok && v.AsString() != "" {
			to.PutStr(names.ServiceName, v.AsString())
			return
		}
	}
}

func prefixed(to pcommon.Map, prefix string, r *msgpack.Reader, left *msgpack.Budget) error {
	v := pcommon.NewValueEmpty()
	if err := r.Value(v, left); err != nil || v.Type() != pcommon.ValueTypeMap {
		return err
	}
	for k, val := range v.Map().All() {
		val.CopyTo(to.PutEmpty(prefix + k))
	}
	return nil
}

// conventions renames what the usual parsers write.
func conventions(lr plog.LogRecord) {
	a := lr.Attributes()
	if v, ok := a.Get("stream"); ok && (v.Str() == "stdout" || v.Str() == "stderr") {
		a.PutStr(names.LogIostream, v.Str())
		a.Remove("stream")
	}
	a.Remove("_p")
	a.Remove("logtag")
	// A parser that keeps the time keeps what the record's time was read from.
	if v, ok := a.Get("time"); ok && v.Type() == pcommon.ValueTypeStr {
		a.Remove("time")
	}
	if v, ok := a.Get("level"); ok && v.Type() == pcommon.ValueTypeStr {
		lr.SetSeverityText(v.Str())
		lr.SetSeverityNumber(severity(v.Str()))
	}
	request(a)
}

func severity(level string) plog.SeverityNumber {
	switch strings.ToLower(level) {
	case "trace":
		return plog.SeverityNumberTrace
	case "debug", "dbg":
		return plog.SeverityNumberDebug
	case "info", "information", "notice":
		return plog.SeverityNumberInfo
	case "warn", "warning":
		return plog.SeverityNumberWarn
	case "error", "err":
		return plog.SeverityNumberError
	case "fatal", "panic", "critical", "crit", "alert", "emerg":
		return plog.SeverityNumberFatal
	}
	return plog.SeverityNumberUnspecified
}

// request names the fields of the nginx and apache2 parsers, so that
// attack_detection can judge it.
func request(a pcommon.Map) {
	remote, ok1 := a.Get("remote")
	method, ok2 := a.Get("method")
	path, ok3 := a.Get("path")
	code, ok4 := a.Get("code")
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return
	}
	client, verb, target, status := remote.AsString(), method.AsString(), path.AsString(), code.AsString()
	for _, k := range []string{"remote", "method", "path", "code"} {
		a.Remove(k)
	}
	a.PutStr(names.ClientAddress, client)
	a.PutStr(names.HTTPRequestMethod, verb)
	before, query, has := strings.Cut(target, "?")
	a.PutStr(names.URLPath, before)
	if has {
		a.PutStr(names.URLQuery, query)
	}
	if n, err := strconv.ParseInt(status, 10, 64); err == nil {
		a.PutInt(names.HTTPResponseStatusCode, n)
	}
	if v, ok := a.Get("size"); ok {
		if n, err := strconv.ParseInt(v.AsString(), 10, 64); err == nil {
			a.PutInt(names.HTTPResponseBodySize, n)
		}
		a.Remove("size")
	}
	if v, ok := a.Get("agent"); ok {
		a.PutStr(names.UserAgentOriginal, v.AsString())
		a.Remove("agent")
	}
}

// otlpMetadata takes over what Fluent Bit's opentelemetry input kept of a record.
func otlpMetadata(lr plog.LogRecord, mapping string) {
	if mapping == "" {
		return
	}
	kept := field(mapping, "otlp")
	if kept == "" {
		return
	}
	v := pcommon.NewValueEmpty()
	left := msgpack.Budget(msgpack.MaxValues)
	if msgpack.NewReader(kept).Value(v, &left) != nil || v.Type() != pcommon.ValueTypeMap {
		return
	}
	for k, x := range v.Map().All() {
		switch k {
		case "severity_number":
			lr.SetSeverityNumber(plog.SeverityNumber(x.Int()))
		case "severity_text":
			lr.SetSeverityText(x.AsString())
		case "observed_timestamp":
			lr.SetObservedTimestamp(pcommon.Timestamp(max(x.Int(), 0)))
		case "trace_id":
			if id := raw(x); len(id) == 16 {
				lr.SetTraceID(pcommon.TraceID(id))
			}
		case "span_id":
			if id := raw(x); len(id) == 8 {
				lr.SetSpanID(pcommon.SpanID(id))
			}
		case "trace_flags":
			lr.SetFlags(plog.LogRecordFlags(x.Int()))
		case "attributes":
			if x.Type() == pcommon.ValueTypeMap {
				for name, val := range x.Map().All() {
					val.CopyTo(lr.Attributes().PutEmpty(name))
				}
			}
		}
	}
}

// raw are the bytes of an identifier, which may have come as text.
func raw(v pcommon.Value) []byte {
	if v.Type() == pcommon.ValueTypeBytes {
		return v.Bytes().AsRaw()
	}
	return []byte(v.Str())
}
