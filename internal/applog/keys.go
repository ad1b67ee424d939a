package applog

import "strings"

// role is the place that a key's value has in a record.
type role uint8

const (
	roleNone role = iota
	roleSeverity
	roleTime
	roleMessage
	roleEvent // structlog's message, and others' something else: the message if there is no other
	roleTrace
	roleSpan
	roleParent // W3C's traceparent
	roleFlags
)

// accessMarks are what a request's log line has; together they tell one.
type accessMarks uint8

const (
	marksStatus accessMarks = 1 << iota
	marksTarget
	marksClient
)

// flaw is why a key cannot be a field's name.
type flaw uint8

const (
	flawNone flaw = iota
	flawLong
	flawReserved
)

// roles lists the names by which writers call the things that have a place: zap,
// zerolog, logrus, slog, hclog, pino, bunyan, winston, logback and log4j2 with
// their JSON encoders, structlog, python-json-logger, Serilog, ECS, GELF, AWS
// Powertools and the OpenTelemetry log bridges. Names are compared in lower case
// with "-" as "_", and with dots for nesting.
var roles = map[role]string{ //nolint:gochecknoglobals // a constant table
	roleSeverity: "level severity lvl loglevel log_level log.level levelname level_name severity_text severitytext @l @level severity_number severitynumber",
	roleTime:     "time ts timestamp @timestamp @t datetime date eventtime event_time asctime timemillis time_unix_nano timeunixnano",
	roleMessage:  "msg message @m @message short_message",
	roleEvent:    "event",
	roleTrace:    "trace_id traceid trace.id oteltraceid xray_trace_id xraytraceid x_amzn_trace_id aws_xray_trace_id contextmap.trace_id contextmap.traceid mdc.trace_id mdc.traceid",
	roleSpan:     "span_id spanid span.id otelspanid contextmap.span_id contextmap.spanid mdc.span_id mdc.spanid",
	roleParent:   "traceparent",
	roleFlags:    "trace_flags traceflags oteltracesampled trace_sampled",
}

var marks = map[accessMarks]string{ //nolint:gochecknoglobals // a constant table
	marksStatus: "status status_code statuscode response_code http.response.status_code http.status_code response.status http_status downstreamstatus httprequest.status",
	marksTarget: "request_uri uri path url request request_path requestpath request_line http.target http.url url.path url.original request.uri request.url httprequest.requesturl",
	marksClient: "remote_addr client_ip clientip client ip remote_ip remoteip client.address client.ip source.ip clientaddr clienthost downstream_remote_address downstream_direct_remote_address request.remote_ip request.client_ip http_x_forwarded_for x_forwarded_for forwarded_for httprequest.remoteip",
}

// meaning is what a name stands for.
type meaning struct {
	role  role
	marks accessMarks
}

func meanings() map[string]meaning {
	m := map[string]meaning{}
	for r, list := range roles {
		for _, name := range strings.Fields(list) {
			m[name] = meaning{role: r}
		}
	}
	for k, list := range marks {
		for _, name := range strings.Fields(list) {
			m[name] = meaning{marks: k}
		}
	}
	return m
}

// reserved are names that mean something to Vigie itself: an application must not
// be able to mark a request, or to pass for a summary.
func reserved(name string) bool {
	return strings.HasPrefix(name, "vigie.") || name == "event.name" || name == "log.iostream" || name == "log.file.path"
}

// key is what is known of a key within an object.
type key struct {
	parent *key // the object's own key; nil at the top
	text   string
	name   string // dotted
	role   role
	marks  accessMarks
	flaw   flaw
}

// keys knows the keys that were seen. Writers put their keys in the same order
// on every line, so the n-th is compared with what the n-th was last time; only
// where it differs the table is asked.
type keys struct {
	memo  [64]*key
	n     int // of this line
	known map[keyOf]*key
	mean  map[string]meaning
}

type keyOf struct {
	parent *key
	text   string
}

// maxKeys bounds the table. Where keys are values (an ID as a key), it is full
// soon, and begins anew.
const maxKeys = 4096

func newKeys() keys { return keys{known: map[keyOf]*key{}, mean: meanings()} }

func (t *keys) begin() { t.n = 0 }

// get finds a key; text may be a part of the line. Names longer than limit are
// flawed and not kept.
func (t *keys) get(parent *key, text string, limit int) *key {
	n := t.n
	t.n++
	if n < len(t.memo) {
		if k := t.memo[n]; k != nil && k.parent == parent && k.text == text {
			return k
		}
	}
	k := t.known[keyOf{parent, text}]
	if k == nil {
		k = t.learn(parent, text, limit)
	}
	if n < len(t.memo) && k.flaw != flawLong {
		t.memo[n] = k
	}
	return k
}

var tooLong = &key{flaw: flawLong} //nolint:gochecknoglobals // a constant

func (t *keys) learn(parent *key, text string, limit int) *key {
	if parent == tooLong || parent != nil && len(parent.name)+1+len(text) > limit || len(text) > limit {
		return tooLong
	}
	if len(t.known) >= maxKeys {
		clear(t.known)
		t.memo = [len(t.memo)]*key{}
	}
	k := &key{parent: parent, text: strings.Clone(text)}
	if k.name = k.text; parent != nil {
		k.name = parent.name + "." + text
	}
	low := strings.ReplaceAll(strings.ToLower(k.name), "-", "_")
	m := t.mean[low]
	k.role, k.marks = m.role, m.marks
	if k.name == "" || reserved(low) {
		k.flaw = flawReserved
	}
	t.known[keyOf{parent, k.text}] = k
	return k
}
