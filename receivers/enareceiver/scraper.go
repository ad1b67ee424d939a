package enareceiver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/receivers/enareceiver/internal/metadata"
)

// enaScraper's state belongs to the controller's goroutine.
type enaScraper struct {
	cfg  *Config
	log  *zap.Logger
	open func() (driver, error)
	dev  driver // nil: not started, or not openable
	mb   *metadata.MetricsBuilder

	known map[int]*card // by interface index
	told  map[string]bool
}

// card is what is remembered of one interface.
type card struct {
	name   string
	ena    bool              // driven by ena, with allowances, or asked for by name
	last   allowances        // zero before the first read
	readAt pcommon.Timestamp // of last
	// start is when the counters began. It is unknown (0) until a reset is seen:
	// the driver does not say since when it counts.
	start pcommon.Timestamp
}

func newScraper(cfg *Config, set receiver.Settings, open func() (driver, error)) *enaScraper {
	return &enaScraper{
		cfg: cfg, log: set.Logger, open: open,
		mb:    metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		known: map[int]*card{}, told: map[string]bool{},
	}
}

// start never fails: a node without ENA, or a laptop, must start all the same.
func (s *enaScraper) start(context.Context, component.Host) error {
	dev, err := s.open()
	if err != nil {
		s.once("open", "ENA allowances are not read", zap.Error(err))
		return nil
	}
	s.dev = dev
	return nil
}

func (s *enaScraper) shutdown(context.Context) error {
	if s.dev != nil {
		s.dev.close()
		s.dev = nil
	}
	return nil
}

func (s *enaScraper) scrape(context.Context) (pmetric.Metrics, error) {
	if s.dev == nil {
		return pmetric.NewMetrics(), nil
	}
	if err := s.discover(); err != nil {
		return pmetric.NewMetrics(), err
	}
	now := pcommon.NewTimestampFromTime(time.Now())
	var errs scrapererror.ScrapeErrors
	read := false
	for _, index := range s.indexes() {
		c := s.known[index]
		if !c.ena {
			continue
		}
		read = true
		if err := s.read(c, now); err != nil {
			errs.AddPartial(1, err)
		}
	}
	if !read {
		s.once("none", "no network interface here has the ENA driver: no allowances to read")
	}
	return s.mb.Emit(), errs.Combine()
}

// indexes gives the known interfaces in a steady order.
func (s *enaScraper) indexes() []int {
	out := make([]int, 0, len(s.known))
	for i := range s.known {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// discover takes up interfaces that are new and forgets those that are gone. A
// node has hundreds of veth pairs that come and go: each is asked for its
// driver once.
func (s *enaScraper) discover() error {
	now, err := s.dev.interfaces()
	if err != nil {
		return err
	}
	present := make(map[int]bool, len(now))
	for _, i := range now {
		present[i.index] = true
		if c, ok := s.known[i.index]; ok && c.name == i.name {
			continue
		}
		s.known[i.index] = &card{name: i.name, ena: s.wanted(i.name)}
	}
	for index := range s.known {
		if !present[index] {
			delete(s.known, index)
		}
	}
	return nil
}

func (s *enaScraper) wanted(name string) bool {
	if len(s.cfg.Interfaces) > 0 {
		return slices.Contains(s.cfg.Interfaces, name)
	}
	if s.count() >= maxInterfaces {
		s.once("many", fmt.Sprintf("more than %d interfaces have the ENA driver: the rest is not read", maxInterfaces))
		return false
	}
	driver, err := s.dev.name(name)
	return err == nil && driver == "ena" // an interface without a driver answers EOPNOTSUPP
}

func (s *enaScraper) count() (n int) {
	for _, c := range s.known {
		if c.ena {
			n++
		}
	}
	return n
}

// read takes one interface's allowances. An error is one that the next read may
// not have; what lasts is told once and given up quietly.
func (s *enaScraper) read(c *card, now pcommon.Timestamp) error {
	stats, err := s.dev.stats(c.name)
	switch {
	case errors.Is(err, syscall.ENODEV):
		return nil // gone since discover; the next one forgets it
	case errors.Is(err, fs.ErrPermission):
		s.once("permission", "the kernel refuses to read the ENA driver's statistics: grant CAP_NET_ADMIN",
			zap.String("interface", c.name), zap.Error(err))
		return nil
	case errors.Is(err, syscall.EOPNOTSUPP):
		s.giveUp(c)
		return nil
	case err != nil:
		return fmt.Errorf("read ENA statistics of %s: %w", c.name, err)
	}
	a, ok := decode(stats)
	if !ok {
		s.giveUp(c)
		return nil
	}
	if a.resetSince(&c.last) {
		c.start = c.readAt
	}
	c.last, c.readAt = a, now
	s.record(c, now)
	return nil
}

// giveUp stops asking an interface whose driver has no allowances. A newer
// driver means a new interface index, which is looked at again.
func (s *enaScraper) giveUp(c *card) {
	c.ena = false
	s.once("old "+c.name, "the driver of this interface has no allowances: they need ENA 2.2.10 or newer",
		zap.String("interface", c.name))
}

func (s *enaScraper) record(c *card, now pcommon.Timestamp) {
	s.mb.Reset(metadata.WithStartTime(c.start))
	for i, e := range exceeded {
		if c.last.has[i] {
			s.mb.RecordAwsEnaAllowanceExceededDataPoint(now, int64(c.last.exceeded[i]), c.name, e.allowance)
		}
	}
	if c.last.available >= 0 {
		s.mb.RecordAwsEnaConntrackAllowanceAvailableDataPoint(now, c.last.available, c.name)
		return
	}
	s.once("available "+c.name, "the conntrack allowance that is left is unknown: it needs ENA 2.8.1 or newer and a device that reports it",
		zap.String("interface", c.name))
}

// once logs a state of affairs one time, however long it lasts. told is bounded
// by what can be told: a few keys, and two an ENA interface.
func (s *enaScraper) once(key, msg string, fields ...zap.Field) {
	if s.told[key] || len(s.told) > 4*maxInterfaces {
		return
	}
	s.told[key] = true
	s.log.Info(msg, fields...)
}
