package podscrapereceiver

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/podlist"
)

// discovery answers Prometheus' HTTP service discovery: GET /<secret>/<rule>.
type discovery struct {
	cfg    *Config
	list   *podlist.List
	log    *zap.Logger
	prefix string // "/<secret>/"

	mu         sync.Mutex
	generation uint64          // guarded by mu; of the list that now is of
	now        choice          // guarded by mu
	said       map[string]bool // guarded by mu; what the log has said of pods that still are
}

func (d *discovery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rule, ok := strings.CutPrefix(r.URL.Path, d.prefix)
	if !ok || r.Method != http.MethodGet {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	now, known := d.current()
	if !known {
		// Whoever asks keeps what it had.
		http.Error(w, "the kubelet has not told its pods yet", http.StatusServiceUnavailable)
		return
	}
	targets := now.targets[rule]
	if targets == nil {
		targets = []target{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(targets)
}

// current is the choice of the newest list; false while there is none.
func (d *discovery) current() (choice, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	generation := d.list.Generation()
	all, known := d.list.All()
	if known && generation != d.generation {
		d.generation, d.now = generation, d.cfg.choose(all)
		d.sayLocked()
	}
	return d.now, known
}

// sayLocked names each pod that is ignored once, for as long as it is there.
func (d *discovery) sayLocked() {
	still := map[string]bool{}
	for _, i := range d.now.ignored {
		key := i.uid + " " + i.reason
		if !d.said[key] && !still[key] {
			d.log.Warn("A pod is not scraped: "+meaning[i.reason], zap.String("pod", i.pod), zap.String("got", i.got))
		}
		still[key] = true
	}
	d.said = still
}

var meaning = map[string]string{ //nolint:gochecknoglobals // a constant table
	badPort:   "the port that it asks for is neither 1 to 65535 nor the name of a TCP port that it declares",
	badPath:   "the path that it asks for does not begin with /, is long, or has a query",
	badScheme: "the scheme that it asks for is neither http nor https",
	noPort:    "it asks for no port and declares none, or several; set vigie.dev/scrape-port",
	noAddress: "it has no IP address",
	tooMany:   "the node has more targets than max_targets",
}
