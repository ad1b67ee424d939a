package promstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/fileutil"
)

// Store is an open database with its query engine. All methods are safe for
// concurrent use.
type Store struct {
	cfg    Config
	log    *slog.Logger
	reg    *returnable // the store's own metrics
	tel    *telemetry
	engine *promql.Engine
	parser parser.Parser
	slots  *slots
	limits *seriesLimits
	meta   *metadata
	lock   fileutil.Releaser
	hooks  hooks

	ctx    context.Context // done at Close; every query hangs on it
	cancel context.CancelFunc
	loop   sync.WaitGroup

	diskFull atomic.Bool
	failure  atomic.Pointer[error] // the write error that the next reopening repairs

	writeMu sync.Mutex  // taken before session.mu
	cache   seriesCache // guarded by writeMu
	closed  bool        // guarded by writeMu

	// session is the open database; nil after Close and while reopening failed.
	// It is replaced under writeMu only.
	session atomic.Pointer[session]
}

// hooks are the clock and the file system, for tests.
type hooks struct {
	now  func() time.Time
	free func(dir string) (bytes uint64, err error)
	tick time.Duration // of the maintenance loop
}

// Open opens or creates the store in cfg.Dir, replays its log, repairs the end
// of the log if a crash tore it, and starts the maintenance loop. reg may be
// nil. Its errors match ErrLocked, ErrNotWritable or ErrDiskFull where one
// applies.
func Open(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Store, error) {
	return open(cfg, log, reg, hooks{now: time.Now, free: freeBytes, tick: 5 * time.Second})
}

func open(cfg Config, log *slog.Logger, reg prometheus.Registerer, h hooks) (_ *Store, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	lock, err := acquire(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, log: log, lock: lock, hooks: h,
		reg:    &returnable{Registerer: reg},
		parser: parser.NewParser(parser.Options{}),
		limits: newSeriesLimits(cfg.MaxSeries, cfg.MaxSeriesPerMetric),
		meta:   newMetadata(cfg.MaxMetadata),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.tel = newTelemetry(s.reg, s)
	s.slots = newSlots(cfg.QueryConcurrency, s.tel.refused)
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger:               log,
		Reg:                  s.reg,
		MaxSamples:           cfg.QueryMaxSamples,
		Timeout:              cfg.QueryTimeout,
		ActiveQueryTracker:   s.slots,
		LookbackDelta:        5 * time.Minute,
		EnableAtModifier:     true,
		EnableNegativeOffset: true,
		Parser:               s.parser,
	})
	if err := s.openSession(); err != nil {
		s.cancel()
		s.reg.giveBack()
		return nil, errors.Join(err, lock.Release())
	}
	s.room()
	s.loop.Go(s.maintain)
	return s, nil
}

// options are tsdb's, for a laptop's memory: the defaults are for millions of
// series and take some 20 MiB before the first sample.
func (s *Store) options() *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.RetentionDuration = s.cfg.Retention.Milliseconds()
	o.MaxBytes = s.cfg.MaxBytes
	o.MinBlockDuration = blockRange.Milliseconds()
	// As Prometheus does: a tenth of the retention, so that whole-block deletion
	// is never far from the mark.
	o.MaxBlockDuration = max(blockRange, s.cfg.Retention/10).Milliseconds()
	o.OutOfOrderTimeWindow = max(0, s.cfg.OutOfOrderWindow).Milliseconds()
	o.WALSegmentSize = 8 << 20
	o.WALCompression = walCompression
	o.StripeSize = 512                     // 16384: 3 MiB of empty maps and padded locks
	o.HeadChunksWriteBufferSize = 64 << 10 // 4 MiB
	o.MaxBlockChunkSegmentSize = 64 << 20  // 512 MiB
	o.HeadChunksWriteQueueSize = 0         // no writer goroutine of its own
	o.EnableExemplarStorage = s.cfg.MaxExemplars > 0
	o.MaxExemplars = int64(max(0, s.cfg.MaxExemplars))
	o.SeriesLifecycleCallback = s.limits
	o.NoLockfile = true              // acquire has it: tsdb takes it only after it has deleted temporary files
	o.BlockReloadInterval = parkTime // see doc.go: tsdb's own loop would write whatever the disk
	return o
}

// Close stops the loop and the queries, writes out what is buffered and releases
// the directory. It is safe to call twice.
func (s *Store) Close() error {
	s.cancel()
	s.loop.Wait()
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.closeSession()
	s.reg.giveBack()
	if err != nil {
		err = fmt.Errorf("close store in %s: %w", s.cfg.Dir, err)
	}
	return errors.Join(err, s.lock.Release())
}

// Status is the state of the store at one moment.
type Status struct {
	HeadSeries      uint64
	SamplesAppended uint64
	Dropped         map[string]uint64 // by reason; only those that happened
	DiskBytes       int64             // blocks, log and head chunks
	DiskFull        bool              // writing has stopped for want of room
	Failure         error             // the write error that waits for a repair, or nil
	Oldest, Newest  time.Time         // of the samples held; zero when there are none
	Blocks          int
}

// Status reports the state of the store.
func (s *Store) Status() Status {
	st := Status{
		SamplesAppended: s.tel.appended.Load(),
		Dropped:         map[string]uint64{},
		DiskFull:        s.diskFull.Load(),
	}
	for r := range reasonCount {
		if n := s.tel.dropped[r].Load(); n > 0 {
			st.Dropped[r.String()] = n
		}
	}
	if f := s.failure.Load(); f != nil {
		st.Failure = *f
		st.DiskFull = st.DiskFull || errors.Is(*f, ErrDiskFull)
	}
	ses, err := s.enter()
	if err != nil {
		return st
	}
	defer ses.mu.RUnlock()
	head := ses.db.Head()
	st.HeadSeries = head.NumSeries()
	st.DiskBytes = head.Size()
	oldest, newest := min(head.MinTime(), head.MinOOOTime()), head.MaxTime()
	for _, b := range ses.db.Blocks() {
		st.Blocks++
		st.DiskBytes += b.Size()
		oldest, newest = min(oldest, b.MinTime()), max(newest, b.MaxTime()-1)
	}
	if oldest <= newest {
		st.Oldest, st.Newest = time.UnixMilli(oldest), time.UnixMilli(newest)
	}
	return st
}
