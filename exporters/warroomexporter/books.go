package warroomexporter

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/headroom"
)

// maxBooks bounds what is told: signals times destinations.
const maxBooks = 24

// books is what became of everything that was read, as the ledger publishes it.
type books struct {
	Rows   []bookRow `json:"rows"`   // what is off first
	Hidden int       `json:"hidden"` // beyond those listed
	Why    string    `json:"why,omitempty"`
}

// bookRow is one signal's account towards one destination, of all processes that
// keep one: Read + Before + Made = Sent + Removed + Waiting + Dropped + Off.
type bookRow struct {
	Signal     string        `json:"signal"`
	To         string        `json:"to"`
	Read       number        `json:"read"`
	Before     number        `json:"before"` // in the queue since an earlier process
	Made       number        `json:"made"`   // findings, summaries: nobody sent them
	Removed    number        `json:"removed"`
	Sent       number        `json:"sent"`
	Waiting    number        `json:"waiting"`
	PushedBack number        `json:"pushed_back"`
	Dropped    []droppedItem `json:"dropped"` // the most first
	Off        number        `json:"off"`     // what the accounts do not explain
	Unknown    bool          `json:"unknown"` // a part cannot be counted
}

type droppedItem struct {
	Reason string `json:"reason"`
	Items  number `json:"items"`
}

// The collector tells of itself each ten seconds.
const (
	bookItems = `sum by (vigie_ledger_signal, vigie_ledger_to, vigie_ledger_account, vigie_ledger_reason) (last_over_time(vigie_ledger_items[30s]))`
	bookKnown = `min by (vigie_ledger_signal, vigie_ledger_to) (last_over_time({__name__=~"vigie_ledger_known(_ratio)?"}[30s]))`
	// Seven too many here do not make up for seven too few there.
	bookOff = `sum by (vigie_ledger_signal, vigie_ledger_to) (abs(last_over_time(vigie_ledger_off[30s])))`
)

func readBooks(ctx context.Context, store headroom.Store, at time.Time) *books {
	a := asker{ctx: ctx, store: store, at: at}
	all := map[[2]string]*bookRow{}
	row := func(s labelled) *bookRow {
		key := [2]string{s.label, cut(s.labels.Get("vigie_ledger_to"), 128)}
		if all[key] == nil {
			all[key] = &bookRow{Signal: key[0], To: key[1], Dropped: []droppedItem{}}
		}
		return all[key]
	}
	for _, s := range a.by("vigie_ledger_signal", bookItems) {
		b := row(s)
		switch s.labels.Get("vigie_ledger_account") {
		case "read":
			b.Read = s.value
		case "queued_at_start":
			b.Before = s.value
		case "removed":
			b.Removed = s.value
		case "made":
			b.Made = s.value
		case "sent":
			b.Sent = s.value
		case "waiting":
			b.Waiting = s.value
		case "pushed_back":
			b.PushedBack = s.value
		case "dropped":
			if s.value != 0 {
				b.Dropped = append(b.Dropped, droppedItem{cut(s.labels.Get("vigie_ledger_reason"), 64), s.value})
			}
		}
	}
	for _, s := range a.by("vigie_ledger_signal", bookKnown) {
		row(s).Unknown = s.value == 0
	}
	for _, s := range a.by("vigie_ledger_signal", bookOff) {
		row(s).Off = s.value
	}
	b := &books{Rows: make([]bookRow, 0, len(all))}
	for _, r := range all {
		slices.SortFunc(r.Dropped, func(x, y droppedItem) int {
			return cmp.Or(cmp.Compare(y.Items, x.Items), strings.Compare(x.Reason, y.Reason))
		})
		b.Rows = append(b.Rows, *r)
	}
	slices.SortFunc(b.Rows, func(x, y bookRow) int {
		return cmp.Or(cmp.Compare(y.Off, x.Off), strings.Compare(x.Signal, y.Signal), strings.Compare(x.To, y.To))
	})
	b.Hidden = max(0, len(b.Rows)-maxBooks)
	b.Rows = b.Rows[:min(len(b.Rows), maxBooks)]
	switch {
	case a.err != nil:
		b.Why = "the store: " + a.err.Error()
	case len(b.Rows) == 0:
		b.Why = "no vigie.ledger.items: nobody here keeps the books"
	}
	return b
}
