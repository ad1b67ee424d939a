package conntrackcmd

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/conntrack/tally"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/forecast"
)

// Snapshot is one look at the table; --json prints it.
type Snapshot struct {
	At      time.Time `json:"at"`
	NetNS   string    `json:"netns,omitempty"`
	Count   uint64    `json:"count"` // nf_conntrack_count
	Limit   uint64    `json:"limit"` // nf_conntrack_max; 0 means unlimited
	Dropped Drops     `json:"dropped"`
	// DropRates are per second since the look before; absent in the first.
	DropRates *Rates `json:"drop_rates,omitempty"`
	// Wall says how fast the table grows and how long is left; its growth and
	// minutes are absent until a few looks agree.
	Wall *forecast.Wall `json:"wall,omitempty"`

	// Dump is absent where the entries can't be read; Notes says why.
	Dump  *Dump    `json:"dump,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// Drops are the kernel's counters since the namespace was made.
type Drops struct {
	Packets      uint64 `json:"packets"`       // drop
	EarlyDropped uint64 `json:"early_dropped"` // entries evicted from a full table
	InsertFailed uint64 `json:"insert_failed"`
}

// Rates are Drops a second.
type Rates struct {
	Packets      float64 `json:"packets"`
	EarlyDropped float64 `json:"early_dropped"`
	InsertFailed float64 `json:"insert_failed"`
}

// Dump is what reading all entries gave.
type Dump struct {
	At        time.Time `json:"at"`
	CPU       float64   `json:"cpu_seconds"`
	Entries   uint64    `json:"entries"`
	HalfOpen  uint64    `json:"half_open"`
	Unreplied uint64    `json:"unreplied"`
	States    []State   `json:"states"`
	Owners    []Owner   `json:"owners"`
	Targets   []Owner   `json:"half_open_targets"`
	Sources   []Source  `json:"sources"`
}

// State is how many entries are of one kind.
type State struct {
	Transport string `json:"transport"`
	Type      string `json:"type"`
	State     string `json:"state"`
	Entries   uint64 `json:"entries"`
}

// Owner is what one of our addresses has in the table.
type Owner struct {
	Owner    string `json:"owner"`
	Target   bool   `json:"target"` // the entries are for it; else it opened them
	Entries  uint64 `json:"entries"`
	HalfOpen uint64 `json:"half_open"`
	Prefixes uint64 `json:"half_open_source_prefixes"`
}

// Source is what one client has in the table.
type Source struct {
	Address  netip.Addr `json:"address"`
	Entries  uint64     `json:"entries"`
	HalfOpen uint64     `json:"half_open"`
}

const (
	maxSources  = 1 << 17 // distinct sources counted; more are left out
	showOwners  = 12
	showSources = 10
	lookShare   = 0.05 // of one core, for dumps
)

// observer takes looks. It keeps what rates and the forecast need.
type observer struct {
	netns   string
	used    forecast.Track
	lost    forecast.Track
	sums    conntrack.Summer
	before  Snapshot
	tally   *tally.Tally
	sources map[netip.Addr]*Source
	dump    *Dump
	note    string    // why there is no dump
	next    time.Time // of the next dump
}

func newObserver(netns string) *observer {
	return &observer{netns: netns, tally: tally.New(&tally.Locals{}, tally.Limits{}), sources: make(map[netip.Addr]*Source)}
}

// look reads usage, and the entries where the last dump is old enough for its
// cost. The error is that of reading usage; all else becomes a note.
func (o *observer) look(ctx context.Context, now time.Time) (Snapshot, error) {
	s := Snapshot{At: now, NetNS: o.netns}
	var cpus []conntrack.CPUStats
	err := conntrack.InNetNS(o.netns, func() error {
		p, err := conntrack.OpenProc("/proc")
		if err != nil {
			return err
		}
		defer p.Close()
		u, err := p.Usage()
		s.Count, s.Limit = u.Count, u.Limit
		if err == nil {
			cpus, _ = p.CPUStats(nil) // a kernel may lack them by themselves
		}
		return err
	})
	if err != nil {
		return s, err
	}
	t := o.sums.Add(cpus)
	s.Dropped = Drops{Packets: t.Drop, EarlyDropped: t.EarlyDrop, InsertFailed: t.InsertFailed}
	o.rate(&s)
	if !now.Before(o.next) {
		start := time.Now()
		o.note = ""
		if err := o.read(ctx, s.Count); err != nil {
			o.dump, o.note = nil, "entries: "+err.Error()
		}
		o.next = now.Add(time.Duration(float64(time.Since(start)) / lookShare))
	}
	s.Dump = o.dump
	if o.note != "" {
		s.Notes = append(s.Notes, o.note)
	}
	return s, nil
}

// rate fills in what needs the looks before.
func (o *observer) rate(s *Snapshot) {
	o.used.Add(s.At, float64(s.Count))
	o.lost.Add(s.At, float64(s.Dropped.Packets+s.Dropped.EarlyDropped))
	if seconds := s.At.Sub(o.before.At).Seconds(); !o.before.At.IsZero() && seconds > 0 {
		a, b := o.before.Dropped, s.Dropped
		s.DropRates = &Rates{
			Packets:      float64(b.Packets-a.Packets) / seconds,
			EarlyDropped: float64(b.EarlyDropped-a.EarlyDropped) / seconds,
			InsertFailed: float64(b.InsertFailed-a.InsertFailed) / seconds,
		}
	}
	r := forecast.Resource{
		Name: "nf_conntrack", Resource: o.netns, Unit: "{entry}",
		Used: o.used.Points(), Limit: float64(s.Limit), Lost: o.lost.Points(),
	}
	if w, ok := r.Wall(); ok {
		s.Wall = &w
	}
	o.before = *s
}

// read dumps the table. One without entries is not dumped: the kernel would
// walk the table of all namespaces.
func (o *observer) read(ctx context.Context, count uint64) error {
	addresses, err := conntrack.LocalAddresses(conntrack.Options{NetNS: o.netns})
	if err != nil {
		return err
	}
	o.tally.Reset(tally.NewLocals(addresses, nil))
	clear(o.sources)
	d := &Dump{At: time.Now()}
	if count > 0 {
		d.CPU = conntrack.CPU(func() { err = o.fill(ctx) }).Seconds()
		if err != nil {
			return err
		}
	}
	o.summarize(d)
	o.dump = d
	return nil
}

func (o *observer) fill(ctx context.Context) error {
	c, err := conntrack.Dial(conntrack.Options{NetNS: o.netns})
	if err != nil {
		return err
	}
	defer c.Close()
	for f, e := range c.Dump(ctx, conntrack.Filter{}) {
		switch {
		case e == nil:
			o.tally.Add(f)
			o.source(f)
		case errors.Is(e, conntrack.ErrInterrupted), errors.Is(e, conntrack.ErrMalformed):
			// A good estimate all the same.
		default:
			err = e
		}
	}
	return err
}

func (o *observer) source(f *flow.Flow) {
	s := o.sources[f.Orig.Src]
	if s == nil {
		if len(o.sources) >= maxSources {
			return
		}
		s = &Source{Address: f.Orig.Src}
		o.sources[f.Orig.Src] = s
	}
	s.Entries++
	if f.HalfOpen() {
		s.HalfOpen++
	}
}

func (o *observer) summarize(d *Dump) {
	t := o.tally.Totals()
	d.Entries, d.HalfOpen, d.Unreplied = t.Entries, t.HalfOpen, t.Unreplied
	d.States, d.Owners, d.Targets, d.Sources = []State{}, []Owner{}, []Owner{}, []Source{}
	for _, m := range o.tally.Mix() {
		d.States = append(d.States, State(m))
	}
	top, rest := o.tally.Top(showOwners)
	for _, c := range append(top, rest) {
		if c.Entries > 0 {
			d.Owners = append(d.Owners, owner(c))
		}
	}
	top, rest = o.tally.TopHalfOpen(showOwners)
	for _, c := range append(top, rest) {
		if c.HalfOpen > 0 {
			d.Targets = append(d.Targets, owner(c))
		}
	}
	for _, s := range o.sources {
		d.Sources = append(d.Sources, *s)
	}
	slices.SortFunc(d.Sources, func(a, b Source) int {
		return cmp.Or(cmp.Compare(b.Entries, a.Entries), a.Address.Compare(b.Address))
	})
	d.Sources = slices.Clip(d.Sources[:min(len(d.Sources), showSources)])
}

func owner(c tally.OwnerCount) Owner {
	return Owner{Owner: c.String(), Target: c.Target, Entries: c.Entries, HalfOpen: c.HalfOpen, Prefixes: c.Prefixes}
}
