package containerlogreceiver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/applog"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/tail"
	"github.com/vigie-otel/vigie/receivers/containerlogreceiver/internal/metadata"
)

// dropReason is why records were given up.
type dropReason int

const (
	dropPermanent dropReason = iota // the consumer refused them for good
	dropGaveUp                      // max_elapsed_time was over
	dropVanished                    // a processor took them out, and then refused
	dropShutdown                    // refused until the end, and no storage to go on from
	dropReasons
)

func (d dropReason) String() string {
	return [dropReasons]string{"permanent", "gave_up", "vanished", "shutdown"}[d]
}

// counts are written by reader and sender and read by the meter.
type counts struct {
	accepted, retries  atomic.Int64
	dropped            [dropReasons]atomic.Int64
	malformed, cut     atomic.Int64
	stored, notStored  atomic.Int64
	emitted            atomic.Int64
	open, known        atomic.Int64
	rotated, truncated atomic.Int64
	lost, compressed   atomic.Int64
	tooMany, noOpen    atomic.Int64
	noWatch            atomic.Int64
	unread, recovered  atomic.Int64
	cutByFile          atomic.Int64

	kinds                          [applog.NumKind]atomic.Int64
	manyFields, longKeys, reserved atomic.Int64
}

// files takes over what was counted of files.
func (c *counts) files(set *tail.Set) {
	s := &set.Stats
	c.open.Store(int64(set.Open()))
	c.known.Store(int64(set.Len()))
	c.rotated.Store(s.Rotated)
	c.truncated.Store(s.Truncated)
	c.lost.Store(s.LostFiles)
	c.compressed.Store(s.Compressed)
	c.tooMany.Store(s.TooMany)
	c.noOpen.Store(s.NoOpen)
	c.noWatch.Store(s.Watchless)
	c.unread.Store(s.LostBytes)
	c.recovered.Store(s.Recovered)
	c.cutByFile.Store(s.CutBytes)
}

// maxNamespaces bounds the values of an attribute; what is over it is "other".
const maxNamespaces = 1000

// namespace is what is counted by namespace.
type namespace struct {
	name         string
	attrs        metric.MeasurementOption
	lines, bytes atomic.Int64
	lag          atomic.Int64 // bytes
	behind       atomic.Int64 // ns
	passed       atomic.Int64 // bytes of pods that are not to be read
	sacrificed   [classes][pressures]atomic.Int64

	// The reader's own.
	level    int // classes given up
	why      pressure
	sumBytes int64
	sumTime  time.Duration
}

func (n *namespace) count(lines, bytes int) {
	n.lines.Add(int64(lines))
	n.bytes.Add(int64(bytes))
}

// given tells what was given up, by class and reason.
func (n *namespace) given(tell func(int64, metric.MeasurementOption)) {
	for c := range n.sacrificed {
		for why := range n.sacrificed[c] {
			if v := n.sacrificed[c][why].Load(); v > 0 {
				tell(v, metric.WithAttributeSet(attribute.NewSet(attribute.String(names.K8sNamespaceName, n.name),
					attribute.String(names.LogsClass, class(c).String()), attribute.String(names.LogsReason, pressure(why).String()))))
			}
		}
	}
}

// namespaces is filled by the reader and read by the meter.
type namespaces struct {
	mu     sync.Mutex
	byName map[string]*namespace // guarded by mu
}

func newNamespaces() *namespaces { return &namespaces{byName: map[string]*namespace{}} }

func (n *namespaces) get(name string) *namespace {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.byName[name]; s != nil {
		return s
	}
	if len(n.byName) >= maxNamespaces {
		name = "other"
		if s := n.byName[name]; s != nil {
			return s
		}
	}
	s := &namespace{name: name, attrs: metric.WithAttributeSet(attribute.NewSet(attribute.String(names.K8sNamespaceName, name)))}
	n.byName[name] = s
	return s
}

// sum finds out how far behind each namespace is: its bytes together, and the
// time of the file that is most so; and what it gives up therefore. Files that
// came while the reader stands still count too.
func (r *reader) sum(now time.Time) {
	r.spaces.each(func(n *namespace) { n.sumBytes, n.sumTime = 0, 0 })
	for f := range r.set.Files {
		bytes, since := f.Lag()
		if bytes == 0 {
			continue
		}
		if s := r.source(f); !s.off {
			s.space.sumBytes += bytes
			s.space.sumTime = max(s.space.sumTime, now.Sub(since))
		}
	}
	r.spaces.each(func(n *namespace) {
		n.lag.Store(n.sumBytes)
		n.behind.Store(int64(n.sumTime))
		n.level, n.why = r.config.Sacrifice.level(n.sumBytes, n.sumTime)
	})
}

func (n *namespaces) each(do func(*namespace)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.byName {
		do(s)
	}
}

// value is one series of a counter.
type value struct {
	attrs metric.MeasurementOption
	from  *atomic.Int64
}

func by(key, name string, from *atomic.Int64) value {
	return value{metric.WithAttributeSet(attribute.NewSet(attribute.String(key, name))), from}
}

func alone(from *atomic.Int64) value {
	return value{metric.WithAttributeSet(*attribute.EmptySet()), from}
}

// register gives the meter what is counted; nothing is computed until it asks.
func register(set component.TelemetrySettings, c *counts, spaces *namespaces) (unregister func() error, err error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	var errs error
	counter := func(name, unit, text string) metric.Int64ObservableCounter {
		o, err := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		if err != nil {
			errs = err
		}
		return o
	}
	table := map[metric.Int64Observable][]value{
		counter(names.LogsRecords, "{record}", "Log records made of what was read, and accepted by the pipeline."): {
			by(names.LogsOutcome, "read", &c.emitted), by(names.LogsOutcome, "accepted", &c.accepted)},
		counter(names.LogsDropped, "{record}", "Log records that were given up."): {
			by(names.LogsReason, dropPermanent.String(), &c.dropped[dropPermanent]), by(names.LogsReason, dropGaveUp.String(), &c.dropped[dropGaveUp]),
			by(names.LogsReason, dropVanished.String(), &c.dropped[dropVanished]), by(names.LogsReason, dropShutdown.String(), &c.dropped[dropShutdown])},
		counter(names.LogsRetries, "{batch}", "Batches that were offered again after a refusal."):                    {alone(&c.retries)},
		counter(names.LogsMalformed, "{line}", "Lines not in their file's format, passed on as they are."):           {alone(&c.malformed)},
		counter(names.LogsCut, "By", "Bytes cut off lines over max_line_bytes."):                                     {by(names.LogsReason, "cut", &c.cut), by(names.LogsReason, "skipped", &c.cutByFile)},
		counter(names.LogsUnreadable, "By", "Bytes written and truncated, deleted or compressed before being read."): {alone(&c.unread)},
		counter(names.LogsRecovered, "By", "Bytes of truncated files that are read from a copy."):                    {alone(&c.recovered)},
		counter(names.LogsBodies, "{record}", "What bodies turned out to be."): {
			by(names.LogsKind, "plain", &c.kinds[applog.Plain]), by(names.LogsKind, "fields", &c.kinds[applog.Fields]),
			by(names.LogsKind, "access", &c.kinds[applog.Access]), by(names.LogsKind, "broken", &c.kinds[applog.Broken])},
		counter(names.LogsFieldsOut, "{field}", "Fields that did not become attributes; the body stays the line."): {
			by(names.LogsReason, "too_many", &c.manyFields), by(names.LogsReason, "long_key", &c.longKeys), by(names.LogsReason, "reserved", &c.reserved)},
		counter(names.LogsCheckpoints, "{write}", "Writes of checkpoints."): {
			by(names.LogsOutcome, "ok", &c.stored), by(names.LogsOutcome, "failed", &c.notStored)},
		counter(names.LogsFileEvents, "{event}", "What happened to files."): {
			by(names.LogsEvent, "rotated", &c.rotated), by(names.LogsEvent, "truncated", &c.truncated), by(names.LogsEvent, "lost", &c.lost),
			by(names.LogsEvent, "compressed", &c.compressed), by(names.LogsEvent, "too_many", &c.tooMany), by(names.LogsEvent, "no_open", &c.noOpen),
			by(names.LogsEvent, "no_watch", &c.noWatch)},
	}
	gauge := func(name, unit, text string, from *atomic.Int64) {
		o, err := m.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		if err != nil {
			errs = err
		}
		table[o] = []value{alone(from)}
	}
	gauge(names.LogsFilesOpen, "{file}", "Files that are open.", &c.open)
	gauge(names.LogsFilesKnown, "{file}", "Files that are followed, rotated ones included.", &c.known)

	lines := counter(names.LogsLines, "{line}", "Lines read, as they are in the files.")
	bytes := counter(names.LogsBytes, "By", "Bytes read.")
	lag, err := m.Int64ObservableGauge(names.LogsLag, metric.WithUnit("By"), metric.WithDescription("Bytes written and not accepted by the pipeline yet."))
	if err != nil {
		errs = err
	}
	behind, err := m.Float64ObservableGauge(names.LogsLagTime, metric.WithUnit("s"), metric.WithDescription("Time since all that was written had been accepted."))
	if err != nil {
		errs = err
	}
	passed := counter(names.LogsPassedOver, "By", "Bytes of pods that are not to be read.")
	given := counter(names.LogsSacrificed, "{record}", "Log records given up so that others arrive.")
	if errs != nil {
		return nil, errs
	}
	all := []metric.Observable{lines, bytes, lag, behind, passed, given}
	for o := range table {
		all = append(all, o)
	}
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for instrument, values := range table {
			for _, v := range values {
				o.ObserveInt64(instrument, v.from.Load(), v.attrs)
			}
		}
		spaces.each(func(n *namespace) {
			o.ObserveInt64(lines, n.lines.Load(), n.attrs)
			o.ObserveInt64(bytes, n.bytes.Load(), n.attrs)
			o.ObserveInt64(lag, n.lag.Load(), n.attrs)
			o.ObserveFloat64(behind, time.Duration(n.behind.Load()).Seconds(), n.attrs)
			if v := n.passed.Load(); v > 0 {
				o.ObserveInt64(passed, v, n.attrs)
			}
			n.given(func(v int64, attrs metric.MeasurementOption) { o.ObserveInt64(given, v, attrs) })
		})
		return nil
	}, all...)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}
