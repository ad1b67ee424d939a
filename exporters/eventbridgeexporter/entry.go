package eventbridgeexporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
)

// entry is a finding as PutEvents takes it, beside the record that it was made
// of.
type entry struct {
	put     types.PutEventsRequestEntry
	size    int // by EventBridge's formula
	id      string
	trimmed bool

	record   plog.LogRecord
	resource pcommon.Resource
}

// timeBytes is what EventBridge counts for an entry's time.
const timeBytes = 14

// sizeOf is EventBridge's formula: the bytes of source, detail type, detail and
// resources, and 14 for a time. The bus's name is free.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
func sizeOf(e *types.PutEventsRequestEntry) int {
	n := len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail))
	for _, r := range e.Resources {
		n += len(r)
	}
	if e.Time != nil {
		n += timeBytes
	}
	return n
}

// maker makes entries; it is constant once made.
type maker struct {
	cfg       *Config
	resources []template
}

func newMaker(cfg *Config) (*maker, error) {
	m := &maker{cfg: cfg}
	for _, r := range cfg.Resources {
		t, err := parseTemplate(r)
		if err != nil {
			return nil, fmt.Errorf("resources: %w (got %q)", err, r)
		}
		m.resources = append(m.resources, t)
	}
	return m, nil
}

// make reads a finding out of the record and writes it anew, so that what leaves
// is bounded whoever sent it.
func (m *maker) make(r plog.LogRecord, res pcommon.Resource) (entry, error) {
	f, err := finding.FromLogRecord(r)
	if err != nil {
		return entry{}, err
	}
	clean := plog.NewLogRecord()
	f.ToLogRecord(clean)
	at := clean.Timestamp().AsTime()
	if at.Before(time.Unix(1, 0)) {
		at = f.StartedAt
	}
	e := entry{id: f.ID, record: r, resource: res, put: types.PutEventsRequestEntry{
		EventBusName: aws.String(m.cfg.Bus), Source: aws.String(m.cfg.Source), DetailType: aws.String(m.cfg.DetailType),
		Time: aws.Time(at.Truncate(time.Second)),
	}}
	for _, t := range m.resources {
		if arn, ok := t.fill(res.Attributes(), r.Attributes()); ok {
			e.put.Resources = append(e.put.Resources, arn)
		}
	}
	detail := clean.Body().Map().AsRaw()
	unmapped := map[string]any{}
	for _, name := range m.cfg.Attributes {
		if v, ok := res.Attributes().Get(name); ok {
			unmapped[name] = finding.Clean(v.AsString())
		}
	}
	if len(unmapped) > 0 {
		detail["unmapped"] = unmapped
	}
	e.put.Detail = aws.String("")
	text, trimmed, err := fit(detail, m.cfg.MaxEventBytes-sizeOf(&e.put))
	if err != nil {
		return entry{}, err
	}
	e.put.Detail, e.trimmed = aws.String(text), trimmed
	e.size = sizeOf(&e.put)
	return e, nil
}

// trims are what a detail can do without, in the order in which it goes.
var trims = []string{"observables", "evidences", "remediation", "resources", "unmapped"} //nolint:gochecknoglobals // a constant list

// fit writes the detail in at most limit bytes. What does not fit goes from the
// lists' ends, where the weightiest stand first; unmapped["vigie.trimmed"] says
// what was cut.
func fit(detail map[string]any, limit int) (text string, trimmed bool, err error) {
	text, err = encode(detail)
	if err != nil || len(text) <= limit {
		return text, false, err
	}
	flag := map[string]any{}
	for _, key := range trims {
		list, isList := detail[key].([]any)
		for isList && len(list) > 0 && len(text) > limit {
			list = list[:len(list)/2]
			detail[key] = list
			flag[key] = true
			if text, err = encode(mark(detail, flag)); err != nil {
				return "", true, err
			}
		}
		if len(text) <= limit {
			return text, true, nil
		}
		delete(detail, key)
		flag[key] = true
		if text, err = encode(mark(detail, flag)); err != nil {
			return "", true, err
		}
	}
	if len(text) > limit {
		return "", true, fmt.Errorf("detail needs %d bytes at its smallest, and there is room for %d", len(text), limit)
	}
	return text, true, nil
}

// mark puts the flag under unmapped, which is OCSF's place for what it has no
// name for.
func mark(detail, flag map[string]any) map[string]any {
	unmapped, ok := detail["unmapped"].(map[string]any)
	if !ok {
		unmapped = map[string]any{}
		detail["unmapped"] = unmapped
	}
	var keys []any
	for _, k := range trims {
		if flag[k] == true {
			keys = append(keys, k)
		}
	}
	unmapped["vigie.trimmed"] = keys
	return detail
}

// encode leaves < and & as they are: six bytes for one would cost evidence.
func encode(detail map[string]any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(detail); err != nil {
		return "", fmt.Errorf("encode detail: %w", err)
	}
	return string(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// chunk splits entries into requests within PutEvents' limits, in their order.
func chunk(all []entry) (out [][]entry) {
	size := 0
	for i, e := range all {
		if i == 0 || len(out[len(out)-1]) == maxEntries || size+e.size > maxRequestBytes {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], e)
		size += e.size
	}
	return out
}
