package conntrackreceiver

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/conntrack/tally"
	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

// conntrackReceiver reads the table in tiers. Its loop's goroutine owns all
// fields below loop; those above are set before Start.
type conntrackReceiver struct {
	cfg     *Config
	set     receiver.Settings
	metrics consumer.Metrics // nil: not in a metrics pipeline
	logs    consumer.Logs    // nil: no flow records asked for
	forget  func()           // takes the instance out of the factory's table

	start, stop sync.Once // one instance is started by each of its pipelines
	cancel      context.CancelFunc
	done        sync.WaitGroup
	counter     *eventCounter // shared with the events goroutine

	// loop
	src     source
	obs     *receiverhelper.ObsReport
	mb      *metadata.MetricsBuilder
	tally   *tally.Tally
	records recorder
	locals  *tally.Locals
	pods    []netip.Prefix
	cpus    []conntrack.CPUStats
	sums    conntrack.Summer
	spent   [numTiers]spending
	errs    *complaints
	count   uint64 // of the last T0 reading
	counted bool   // that there was one
	told    bool   // that the kernel does not filter
}

type tier int

const (
	tierStats tier = iota
	tierHalfOpen
	tierFull
	numTiers
)

// spending is what a tier has cost since the start.
type spending struct {
	cpu     time.Duration
	entries uint64
}

func newReceiver(set receiver.Settings, cfg *Config, src source) (*conntrackReceiver, error) {
	pods, err := cfg.prefixes()
	if err != nil {
		return nil, err
	}
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "netlink", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	r := &conntrackReceiver{
		cfg: cfg, set: set, src: src, pods: pods, obs: obs,
		mb:      metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		locals:  &tally.Locals{PodPrefixes: pods},
		records: recorder{limit: cfg.MaxRecords},
		errs:    newComplaints(set.Logger),
		forget:  func() {},
		counter: newEventCounter(),
	}
	r.tally = tally.New(r.locals, tally.Limits{})
	return r, nil
}

// Start begins to read, once for all pipelines.
func (r *conntrackReceiver) Start(context.Context, component.Host) error {
	r.start.Do(func() {
		// Not Start's context: that ends when Start returns.
		ctx, cancel := context.WithCancel(context.Background())
		r.cancel = cancel
		if r.cfg.Events.Enabled {
			r.done.Go(func() { r.listen(ctx) })
		}
		r.done.Go(func() { r.run(ctx) })
	})
	return nil
}

// Shutdown ends a dump in progress and waits for the goroutines.
func (r *conntrackReceiver) Shutdown(context.Context) error {
	r.stop.Do(func() {
		r.forget()
		if r.cancel != nil {
			r.cancel()
		}
		r.done.Wait()
	})
	return nil
}

// jump is by how many entries the table grows between two T0 readings for T1 to
// come early: what a flood of 250 a second leaves, so that one is looked at
// within seconds. A crowd's ramp does the same and costs what the budget allows.
const jump = 500

// run is the loop. A tier that is off has a timer that never fires.
func (r *conntrackReceiver) run(ctx context.Context) {
	defer r.src.close()
	stats := time.NewTimer(0)
	halfOpen, full := newTimer(r.cfg.HalfOpenInterval), newTimer(r.cfg.FullInterval)
	defer stats.Stop()
	defer halfOpen.Stop()
	defer full.Stop()
	var (
		halfOpenNext    = time.Now()
		halfOpenAllowed time.Time // the budget's next dumps, were it not for the intervals
		fullAllowed     time.Time
	)
	for {
		select {
		case <-ctx.Done():
			return
		case <-stats.C:
			jumped := r.readStats(ctx)
			stats.Reset(r.cfg.StatsInterval)
			if jumped && r.cfg.HalfOpenInterval > 0 && halfOpenAllowed.Before(halfOpenNext) {
				halfOpenNext = halfOpenAllowed
				halfOpen.Reset(max(0, time.Until(halfOpenNext)))
			}
		case <-halfOpen.C:
			cost := r.readHalfOpen(ctx)
			wait := r.cfg.HalfOpenMaxCPU.stretch(r.cfg.HalfOpenInterval, cost)
			halfOpen.Reset(wait)
			halfOpenNext = time.Now().Add(wait)
			halfOpenAllowed = time.Now().Add(r.cfg.HalfOpenMaxCPU.stretch(r.cfg.StatsInterval, cost))
		case <-full.C:
			cost := r.readFull(ctx)
			fullAllowed = time.Now().Add(r.cfg.MaxCPU.stretch(0, cost))
			full.Reset(r.cfg.MaxCPU.stretch(r.cfg.FullInterval, cost))
		case <-r.counter.resync:
			if r.cfg.FullInterval > 0 {
				full.Reset(max(0, time.Until(fullAllowed)))
			}
		}
	}
}

// newTimer fires at once the first time; with a zero interval it never does.
func newTimer(interval time.Duration) *time.Timer {
	t := time.NewTimer(0)
	if interval == 0 {
		t.Stop()
	}
	return t
}

// listen counts NEW events, and tries again where it can't.
func (r *conntrackReceiver) listen(ctx context.Context) {
	errs := newComplaints(r.set.Logger)
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-retry.C:
		}
		err := r.src.events(ctx, r.cfg.Events.ReadBuffer, r.counter)
		if ctx.Err() != nil {
			return
		}
		errs.about("rate of new flows", "all else goes on", err)
		retry.Reset(10 * time.Second)
	}
}
