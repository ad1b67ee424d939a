package warroomexporter

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/mitigation"
)

// serveRule answers GET /api/warroom/rule?finding=ID&rule=N&format=waf|nginx|cidr:
// one proposed rule in the language of who applies it. Nothing is applied here.
func (w *warroom) serveRule(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	format, err := mitigation.ParseFormat(q.Get("format"))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	f, ok := w.findings.get(q.Get("finding"))
	n, err := strconv.Atoi(q.Get("rule"))
	if !ok || err != nil || n < 0 || n >= len(f.Rules) {
		http.Error(rw, "no such finding, or it has no such rule", http.StatusNotFound)
		return
	}
	f.Rules = f.Rules[n : n+1]
	var out bytes.Buffer
	if err := mitigation.Write(&out, format, []finding.Finding{f}); err != nil {
		http.Error(rw, "write the rule: "+err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = rw.Write(out.Bytes())
}
