package cloudwatchexporter

import (
	"bytes"
	"cmp"
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// logsConverter makes requests of log records. It keeps no record and may be used
// by several at once.
type logsConverter struct {
	cfg           *LogsConfig
	group, stream template
	byRecord      bool // the names depend on the record
	budget        *budget
	tel           *telemetry
	now           func() time.Time
}

func newLogsConverter(cfg *Config, b *budget, tel *telemetry) (*logsConverter, error) {
	group, stream := defaultGroup, defaultStream
	if cfg.Preset == presetContainerInsights {
		group, stream = insightsGroup, insightsStream
	}
	c := &logsConverter{cfg: &cfg.Logs, budget: b, tel: tel, now: time.Now}
	var err error
	if c.group, err = parseTemplate(cmp.Or(cfg.Logs.Group, group)); err != nil {
		return nil, err
	}
	if c.stream, err = parseTemplate(cmp.Or(cfg.Logs.Stream, stream)); err != nil {
		return nil, err
	}
	c.byRecord = c.group.hasSection() || c.stream.hasSection()
	return c, nil
}

// convert makes log events of records and assigns them to their streams.
func (c *logsConverter) convert(_ context.Context, ld plog.Logs) (xexporterhelper.Request, error) {
	req := newRequest()
	r := renderer{json: c.cfg.Format == "json", limit: c.cfg.MaxEventBytes, keep: c.cfg.ResourceAttributes}
	now := c.now()
	received := now.UnixMilli()
	empty, overBudget, longs := 0, 0, 0
	var name []byte
	for i := range ld.ResourceLogs().Len() {
		rl := ld.ResourceLogs().At(i)
		attrs := rl.Resource().Attributes()
		r.setResource(attrs)
		in, at := "", -1
		for j := range rl.ScopeLogs().Len() {
			records := rl.ScopeLogs().At(j).LogRecords()
			for k := range records.Len() {
				rec := records.At(k)
				if here := c.section(attrs, rec); at < 0 || here != in {
					in = here
					name, at = c.destination(req, name, attrs, in)
				}
				ts, pieces, dropped := eventTime(rec, received), 0, false
				r.render(rec, func(m string) {
					e := event{at: ts, message: m}
					if pieces == 0 {
						e.records = 1
						dropped = !c.budget.takeRecord(rec, len(m)+eventOverhead, now)
					} else if !dropped {
						c.budget.addBytes(e.size(), now)
					}
					if pieces++; !dropped {
						req.add(at, e)
					}
				})
				switch {
				case pieces == 0:
					empty++
				case dropped:
					overBudget++
				case pieces > 1:
					longs++
				}
			}
		}
	}
	c.tel.drop(dropEmpty, empty)
	c.tel.drop(dropByBudget, overBudget)
	c.tel.count(c.tel.split, "", "", longs)
	return req, nil
}

func (c *logsConverter) destination(req *request, name []byte, attrs pcommon.Map, in string) ([]byte, int) {
	name = c.group.render(name[:0], attrs, in, inGroup)
	group := string(name)
	name = c.stream.render(name[:0], attrs, in, inStream)
	return name, req.part(destination{group: group, stream: string(bytes.TrimSpace(name))})
}

// eventTime is when it happened, else when it was seen, else now; ms.
func eventTime(rec plog.LogRecord, now int64) int64 {
	for _, t := range []pcommon.Timestamp{rec.Timestamp(), rec.ObservedTimestamp()} {
		if t > 0 {
			return int64(t / 1e6)
		}
	}
	return now
}

// The sections of Container Insights' logs.
const (
	application = "application" // what pods write
	dataplane   = "dataplane"   // kubelet, containerd, and the pods that are part of a node
	hostSection = "host"        // the node's own logs
)

// section is which of Container Insights' log groups a record belongs to, as
// AWS' own Fluent Bit configuration sorts them; "" where no name asks.
func (c *logsConverter) section(resource pcommon.Map, rec plog.LogRecord) string {
	if !c.byRecord {
		return ""
	}
	if pod, ok := resource.Get("k8s.pod.name"); ok {
		if s := pod.AsString(); strings.HasPrefix(s, "aws-node-") || strings.HasPrefix(s, "kube-proxy-") {
			return dataplane
		}
		return application
	}
	switch strings.TrimSuffix(unit(rec), ".service") {
	case "kubelet", "containerd", "docker", "kubelet-config":
		return dataplane
	}
	if _, ok := resource.Get("k8s.container.name"); ok {
		return application
	}
	return hostSection
}

// unit is the systemd unit of a journal record.
func unit(rec plog.LogRecord) string {
	if rec.Body().Type() == pcommon.ValueTypeMap {
		if v, ok := rec.Body().Map().Get("_SYSTEMD_UNIT"); ok {
			return v.AsString()
		}
	}
	for _, k := range []string{"systemd.unit", "_SYSTEMD_UNIT"} {
		if v, ok := rec.Attributes().Get(k); ok {
			return v.AsString()
		}
	}
	return ""
}
