package warroomexporter

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// handler routes what the exporter serves. The authenticator, TLS and the limit
// on bodies are around it, in confighttp.
func (w *warroom) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", w.store.Handler())
	mux.Handle("/api/v1/write", w.writersOnly(w.store.Handler()))
	mux.HandleFunc("GET /api/warroom/now", w.serveNow)
	mux.HandleFunc("GET /api/warroom/headroom", w.serveHeadroom)
	mux.HandleFunc("GET /api/warroom/stream", w.serveStream)
	mux.HandleFunc("GET /api/warroom/at", w.serveAt)
	mux.HandleFunc("GET /api/warroom/drill", w.serveDrill)
	mux.HandleFunc("GET /api/warroom/rule", w.serveRule)
	mux.HandleFunc("GET /api/warroom/timeline", w.serveTimeline)
	mux.Handle("POST /api/warroom/timeline", w.writersOnly(http.HandlerFunc(w.writeTimeline)))
	mux.HandleFunc("GET /api/warroom/report", w.serveReport)
	mux.Handle("POST /api/warroom/ready", w.writersOnly(http.HandlerFunc(w.takeReady)))
	mux.HandleFunc("GET /healthz", w.serveHealth)
	mux.Handle("/", pageHandler())
	return w.guarded(mux)
}

// now is what /api/warroom/now answers: all that the first page shows.
type now struct {
	Time          time.Time    `json:"time"`
	Started       time.Time    `json:"started"`
	Store         storeRow     `json:"store"`
	Sources       []sourceRow  `json:"sources"`
	Metrics       []lastValue  `json:"metrics"`
	MetricsHidden uint64       `json:"metrics_hidden"`
	Logs          []logRow     `json:"logs"`
	Spans         []spanRow    `json:"spans"`
	Verdict       verdictRow   `json:"verdict"` // over all services
	Verdicts      []verdictRow `json:"verdicts"`
	Findings      []findingRow `json:"findings"`
	// FindingsDropped were forgotten for want of room, FindingsBroken could not
	// be read, VerdictsDropped are data points of services beyond the limit,
	// ChangesDropped are deploys, scalings and events that are not in the log book,
	// IdentitiesDropped are sightings of pods beyond what is remembered.
	FindingsDropped   uint64 `json:"findings_dropped"`
	FindingsBroken    uint64 `json:"findings_broken"`
	VerdictsDropped   uint64 `json:"verdicts_dropped"`
	ChangesDropped    uint64 `json:"changes_dropped"`
	IdentitiesDropped uint64 `json:"identities_dropped"`
}

type storeRow struct {
	Series   uint64            `json:"series"`
	Samples  uint64            `json:"samples"`
	Dropped  map[string]uint64 `json:"dropped"`
	Bytes    int64             `json:"bytes"`
	DiskFull bool              `json:"disk_full"`
	Failure  string            `json:"failure,omitempty"`
	Oldest   *time.Time        `json:"oldest"`
	Newest   *time.Time        `json:"newest"`
}

func (w *warroom) storeRow() storeRow {
	st := w.store.Status()
	row := storeRow{Series: st.HeadSeries, Samples: st.SamplesAppended, Dropped: st.Dropped, Bytes: st.DiskBytes, DiskFull: st.DiskFull}
	if st.Failure != nil {
		row.Failure = st.Failure.Error()
	}
	if !st.Newest.IsZero() {
		row.Oldest, row.Newest = &st.Oldest, &st.Newest
	}
	return row
}

// serveNow answers GET /api/warroom/now. Query parameters: logs and spans, how
// many of the newest (default 50, at most 500); q, letters that a log must hold.
func (w *warroom) serveNow(rw http.ResponseWriter, r *http.Request) {
	at := w.now()
	var keep func(*logRow) bool
	if q := strings.ToLower(r.URL.Query().Get("q")); q != "" {
		keep = func(row *logRow) bool { return row.holds(q) }
	}
	values, hidden := w.arrivals.values()
	n := now{
		Time: at, Started: w.started, Store: w.storeRow(),
		Sources: w.arrivals.list(at), Metrics: values, MetricsHidden: hidden,
		Logs:     w.logs.newest(countParam(r, "logs"), keep),
		Spans:    w.spans.newest(countParam(r, "spans"), nil),
		Findings: w.findings.list(time.Time{}, shownFindings),
	}
	n.Verdict, n.Verdicts = w.room.verdicts()
	_, n.FindingsDropped, n.FindingsBroken = w.findings.state()
	n.VerdictsDropped, n.ChangesDropped, n.IdentitiesDropped = w.verdicts.overflow(), w.changes.overflow(), w.inventory.overflow()
	writeJSON(rw, http.StatusOK, n)
}

func countParam(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 0 {
		return 50
	}
	return min(n, 500)
}

// health is what /healthz answers: 200 while data can be taken in, else 503.
type health struct {
	Status string   `json:"status"` // ok or degraded
	Why    []string `json:"why,omitempty"`
	Store  storeRow `json:"store"`
}

func (w *warroom) serveHealth(rw http.ResponseWriter, _ *http.Request) {
	h := health{Status: "ok", Store: w.storeRow()}
	h.Why = degraded(w.store.Status(), w.cfg.Store.Directory)
	code := http.StatusOK
	if len(h.Why) > 0 {
		h.Status, code = "degraded", http.StatusServiceUnavailable
	}
	writeJSON(rw, code, h)
}

func writeJSON(rw http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(rw, "encode answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(code)
	_, _ = rw.Write(body)
}

// readJSON reads what a viewer writes, at most limit bytes of it; where it cannot, it
// has answered.
func readJSON(rw http.ResponseWriter, r *http.Request, limit int64, what string, v any) bool {
	// No form of another site can send JSON.
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		http.Error(rw, "send application/json", http.StatusUnsupportedMediaType)
		return false
	}
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, limit)).Decode(v); err != nil {
		http.Error(rw, "read "+what+": "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}
