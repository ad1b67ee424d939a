package output

import (
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/receivers/fluentbit/internal/msgpack"
)

// scopeName says who wrote the records.
const scopeName = "github.com/vigie-otel/vigie/receivers/fluentbit"

// chunk makes requests of a chunk, one after the other.
type chunk struct {
	config  *Config
	tag     string
	now     pcommon.Timestamp
	r       *msgpack.Reader
	group   string // MessagePack of the group's body, "" outside one
	seen    int    // events read so far, readable or not
	skipped int    // of them unreadable
	broken  bool   // what is left is not MessagePack
}

func newChunk(c *Config, data, tag string, now time.Time) *chunk {
	return &chunk{config: c, tag: tag, now: pcommon.NewTimestampFromTime(now), r: msgpack.NewReader(data)}
}

// pass reads over events that were sent when the chunk came the first time.
func (c *chunk) pass(n int) {
	for c.seen < n && c.r.More() && !c.broken {
		c.event()
	}
}

// next is the next request, with no record at the end of the chunk. It ends at
// half of MaxBytes of MessagePack: as OTLP a record is seldom twice as long.
func (c *chunk) next() plog.Logs {
	logs := plog.NewLogs()
	places := map[[2]string]plog.LogRecordSlice{} // by group and pod
	from, count := c.r.Offset(), 0
	for c.r.More() && !c.broken && count < c.config.MaxRecords && (count == 0 || c.r.Offset()-from < c.config.MaxBytes/2) {
		e, ok := c.event()
		if !ok {
			continue
		}
		key := field(e.body, "kubernetes")
		place, ok := places[[2]string{c.group, key}]
		if !ok {
			place = c.place(logs, key)
			places[[2]string{c.group, key}] = place
		}
		if err := c.config.fill(place.AppendEmpty(), e, c.tag, c.now); err != nil {
			c.broken = true // its bytes were read once already: not reached
		}
		count++
	}
	return logs
}

// event reads one; what is not a record is not ok.
func (c *chunk) event() (event, bool) {
	e, err := next(c.r)
	c.seen++
	switch {
	case errors.Is(err, errShape):
		c.skipped++
	case err != nil:
		c.skipped++
		c.broken = true
	case e.mark == -1:
		c.group = e.body
	case e.mark == -2:
		c.group = ""
	default:
		return e, true
	}
	return event{}, false
}

// place opens a resource: of a pod, of the group that Fluent Bit's opentelemetry
// input kept, or of nobody.
func (c *chunk) place(logs plog.Logs, kubernetes string) plog.LogRecordSlice {
	rl := logs.ResourceLogs().AppendEmpty()
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(scopeName)
	if c.group != "" {
		left := msgpack.Budget(msgpack.MaxValues)
		put(rl.Resource().Attributes(), field(field(c.group, "resource"), "attributes"), &left)
		scope := pcommon.NewMap()
		put(scope, field(c.group, "scope"), &left)
		if v, ok := scope.Get("name"); ok && v.Str() != "" {
			sl.Scope().SetName(v.Str())
		}
		if v, ok := scope.Get("version"); ok {
			sl.Scope().SetVersion(v.Str())
		}
	}
	if kubernetes != "" {
		fillResource(rl.Resource().Attributes(), kubernetes)
	}
	return sl.LogRecords()
}

// put adds the fields of a map; of anything else nothing.
func put(to pcommon.Map, mapping string, left *msgpack.Budget) {
	_ = fields(mapping, func(key string, r *msgpack.Reader) error { return r.Value(to.PutEmpty(key), left) })
}
