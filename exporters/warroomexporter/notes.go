package warroomexporter

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// maxNoteBytes bounds the body of a write.
const maxNoteBytes = 16 << 10

// noteBody is what a viewer writes.
type noteBody struct {
	Kind    timeline.Kind `json:"kind"`
	Text    string        `json:"text"`
	Service string        `json:"service"`
	// Who is the name that a viewer gives where nobody is authenticated; else
	// the authenticator's word counts.
	Who string `json:"who"`
}

// writeTimeline answers POST /api/warroom/timeline with the entry as it was
// kept; it is on the disk then.
func (w *warroom) writeTimeline(rw http.ResponseWriter, r *http.Request) {
	var body noteBody
	if !readJSON(rw, r, maxNoteBytes, "the entry", &body) {
		return
	}
	who, _ := w.writer(r)
	if who == "" { // nobody is authenticated: what the viewer says
		who = cmp.Or(strings.TrimSpace(body.Who), "unnamed")
	}
	if !body.Kind.Human() {
		http.Error(rw, "kind must be note, severity, commander, deputy or scribe", http.StatusBadRequest)
		return
	}
	e, err := w.room.log.Add(timeline.Entry{At: w.now(), Kind: body.Kind, Service: body.Service, Text: body.Text, Who: who})
	switch {
	case errors.Is(err, timeline.ErrInvalid):
		http.Error(rw, err.Error(), http.StatusBadRequest)
	case err != nil:
		w.set.Logger.Error("a note was not kept", zap.Error(err))
		http.Error(rw, "not kept: "+err.Error(), http.StatusInsufficientStorage)
	default:
		writeJSON(rw, http.StatusCreated, e)
	}
}

// serveTimeline answers GET /api/warroom/timeline: the newest entries as JSON
// lines; ?format=otlp as OTLP/JSON logs, ?format=grafana as annotations for
// Grafana's API.
func (w *warroom) serveTimeline(rw http.ResponseWriter, r *http.Request) {
	entries := w.room.log.Newest(timeline.Limit)
	switch r.URL.Query().Get("format") {
	case "", "ndjson":
		rw.Header().Set("Content-Type", "application/x-ndjson")
		rw.Header().Set("Content-Disposition", `attachment; filename="timeline.ndjson"`)
		enc := json.NewEncoder(rw)
		for _, e := range entries {
			if enc.Encode(e) != nil {
				return
			}
		}
	case "otlp":
		body, err := (&plog.JSONMarshaler{}).MarshalLogs(timelineLogs(entries))
		if err != nil {
			http.Error(rw, "encode: "+err.Error(), http.StatusInternalServerError)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write(body)
	case "grafana":
		writeJSON(rw, http.StatusOK, annotations(entries))
	default:
		http.Error(rw, "format must be ndjson, otlp or grafana", http.StatusBadRequest)
	}
}

func timelineLogs(entries []timeline.Entry) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceName, "vigie-warroom")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, e := range entries {
		lr := records.AppendEmpty()
		lr.SetEventName("vigie.timeline." + string(e.Kind))
		lr.SetTimestamp(pcommon.NewTimestampFromTime(e.At))
		lr.SetSeverityNumber(plog.SeverityNumberInfo)
		lr.Body().SetStr(e.Text)
		for k, v := range map[string]string{"vigie.timeline.who": e.Who, "vigie.timeline.service": e.Service, names.FindingID: e.Ref} {
			if v != "" {
				lr.Attributes().PutStr(k, v)
			}
		}
	}
	return ld
}

// annotation is one of Grafana's, for POST /api/annotations.
type annotation struct {
	Time int64    `json:"time"` // ms
	Tags []string `json:"tags"`
	Text string   `json:"text"`
}

func annotations(entries []timeline.Entry) []annotation {
	out := make([]annotation, len(entries))
	for i, e := range entries {
		out[i] = annotation{e.At.UnixMilli(), []string{"vigie", string(e.Kind)}, e.Text}
		if e.Service != "" {
			out[i].Tags = append(out[i].Tags, e.Service)
		}
		if e.Who != "" {
			out[i].Text += " — " + e.Who
		}
	}
	return out
}
