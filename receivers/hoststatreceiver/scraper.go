package hoststatreceiver

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/receivers/hoststatreceiver/internal/metadata"
)

type hostScraper struct {
	cfg  *Config
	set  receiver.Settings
	proc string
	mb   *metadata.MetricsBuilder

	// readSockets counts sockets by protocol and state. It is replaced by
	// the slower reader of /proc/net once sock_diag has been refused.
	readSockets func(count socketCounts) error
}

func newHostScraper(set receiver.Settings, cfg *Config) *hostScraper {
	return &hostScraper{cfg: cfg, set: set, proc: filepath.Join("/", cfg.RootPath, "proc")}
}

func (s *hostScraper) start(context.Context, component.Host) error {
	s.readSockets = diagSockets
	boot := time.Now()
	if stat, err := os.ReadFile(filepath.Join(s.proc, "stat")); err != nil {
		s.set.Logger.Warn("no /proc/stat; host_stat has nothing to read here", zap.String("proc", s.proc), zap.Error(err))
	} else if t, ok := bootTime(stat); ok {
		boot = t
	}
	s.mb = metadata.NewMetricsBuilder(s.cfg.MetricsBuilderConfig, s.set,
		metadata.WithStartTime(pcommon.NewTimestampFromTime(boot)))
	return nil
}

// scrape reads what is enabled. A part that can't be read is reported and the
// others go on.
func (s *hostScraper) scrape(context.Context) (pmetric.Metrics, error) {
	now := pcommon.NewTimestampFromTime(time.Now())
	var errs scrapererror.ScrapeErrors
	if s.cfg.Metrics.SystemCPUTime.Enabled {
		if err := s.cpu(now); err != nil {
			errs.AddPartial(1, err)
		}
	}
	if s.cfg.Metrics.SystemNetworkConnections.Enabled {
		if err := s.sockets(now); err != nil {
			errs.AddPartial(1, err)
		}
	}
	if s.cfg.Metrics.SystemThreadsCount.Enabled {
		if err := s.threads(now); err != nil {
			errs.AddPartial(1, err)
		}
	}
	if s.cfg.Metrics.SystemThreadsLimit.Enabled {
		if err := s.threadLimit(now); err != nil {
			errs.AddPartial(1, err)
		}
	}
	if s.cfg.Metrics.SystemLinuxFileDescriptorUsage.Enabled || s.cfg.Metrics.SystemLinuxFileDescriptorLimit.Enabled {
		if err := s.descriptors(now); err != nil {
			errs.AddPartial(2, err)
		}
	}
	return s.mb.Emit(), errs.Combine()
}

func (s *hostScraper) cpu(now pcommon.Timestamp) error {
	stat, err := os.ReadFile(filepath.Join(s.proc, "stat"))
	if err != nil {
		return err
	}
	for cpu, t := range cpuTimes(stat) {
		for state, seconds := range t {
			s.mb.RecordSystemCPUTimeDataPoint(now, seconds, cpu, cpuStates[state])
		}
	}
	return nil
}

func (s *hostScraper) threads(now pcommon.Timestamp) error {
	load, err := os.ReadFile(filepath.Join(s.proc, "loadavg"))
	if err != nil {
		return err
	}
	n, err := threadCount(load)
	if err != nil {
		return err
	}
	s.mb.RecordSystemThreadsCountDataPoint(now, n)
	return nil
}

func (s *hostScraper) sockets(now pcommon.Timestamp) error {
	count := socketCounts{}
	if err := s.readSockets(count); err != nil {
		s.set.Logger.Info("sock_diag can't be used; counting sockets in /proc/net instead, which costs about ten times the CPU", zap.Error(err))
		s.readSockets = func(c socketCounts) error { return procSockets(s.proc, c) }
		clear(count)
		if err := s.readSockets(count); err != nil {
			return err
		}
	} else if tw, err := timeWait(s.proc); err == nil {
		count[socketKey{tcp, stateTimeWait}] = tw
	}
	for _, state := range tcpStates[1:] {
		s.mb.RecordSystemNetworkConnectionsDataPoint(now, count[socketKey{tcp, state}], metadata.AttributeProtocolTCP, state)
	}
	for _, state := range []string{stateEstablished, stateClose} {
		s.mb.RecordSystemNetworkConnectionsDataPoint(now, count[socketKey{udp, state}], metadata.AttributeProtocolUDP, state)
	}
	return nil
}
