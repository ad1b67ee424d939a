package ledgerextension

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"

	"github.com/vigie-otel/vigie/internal/ledger"
)

// worse orders states: a reader looks at the worst of them first.
var worse = []ledger.State{ledger.Balanced, ledger.Waiting, ledger.Moving, ledger.Unknown, ledger.Off} //nolint:gochecknoglobals // a constant list

// answer is what is served.
type answer struct {
	State ledger.State  `json:"state"`
	Error string        `json:"error,omitempty"` // why there are no books
	Books []ledger.Book `json:"books,omitempty"`
}

// ask makes an answer of all books, or of those alone that a reader has to know
// of: off, or not to be known.
func (b *books) ask(ctx context.Context, all bool) answer {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	read, err := b.keeper.Read(ctx)
	if err != nil {
		return answer{State: ledger.Unknown, Error: err.Error()}
	}
	worst, shown := 0, []ledger.Book{}
	for _, book := range read {
		worst = max(worst, slices.Index(worse, book.State))
		if all || book.State == ledger.Off || book.State == ledger.Unknown {
			shown = append(shown, book)
		}
	}
	return answer{State: worse[worst], Books: shown}
}

// GetHTTPHandler adds the ledger to a server.
func (b *books) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case b.cfg.Path != "" && r.URL.Path == b.cfg.Path:
				b.serve(w, r)
			case b.cfg.HealthPath != "" && r.URL.Path == b.cfg.HealthPath:
				b.health(w, r, next)
			default:
				next.ServeHTTP(w, r)
			}
		}), nil
	}, nil
}

func (b *books) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the ledger is only read", http.StatusMethodNotAllowed)
		return
	}
	body, err := json.MarshalIndent(b.ask(r.Context(), true), "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// health adds to what the server answers. Its status stays, and so does an answer
// that is no JSON object.
func (b *books) health(w http.ResponseWriter, r *http.Request, next http.Handler) {
	kept := &keep{header: w.Header(), status: http.StatusOK}
	next.ServeHTTP(kept, r)
	body := kept.body.Bytes()
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) == nil && object != nil {
		verbose := r.URL.Query().Has("verbose") && r.URL.Query().Get("verbose") != "false"
		if says, err := json.Marshal(b.ask(r.Context(), verbose)); err == nil {
			object["ledger"] = says
			if more, err := json.Marshal(object); err == nil {
				body = more
			}
		}
	}
	if w.Header().Get("Content-Length") != "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(kept.status)
	_, _ = w.Write(body)
}

// keep holds an answer back.
type keep struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keep) Header() http.Header         { return k.header }
func (k *keep) WriteHeader(status int)      { k.status = status }
func (k *keep) Write(p []byte) (int, error) { return k.body.Write(p) }
