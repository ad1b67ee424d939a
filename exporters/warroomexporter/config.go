package warroomexporter

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/vigie-otel/vigie/internal/promstore"
)

// Config of the exporter.
type Config struct {
	// ServerConfig is the HTTP server: endpoint (default 127.0.0.1:8640), tls,
	// auth, cors and time-outs as in every collector component. An endpoint
	// that is not loopback needs both tls and auth.
	confighttp.ServerConfig `mapstructure:",squash"`

	// Store is the embedded Prometheus store.
	Store StoreConfig `mapstructure:"store"`
	// Recent bounds what is kept of logs and spans.
	Recent RecentConfig `mapstructure:"recent"`
	// Room is the page: who may look and write, and what it is measured by.
	Room RoomConfig `mapstructure:"room"`
}

// RoomConfig is of the page.
type RoomConfig struct {
	// Viewers is how many streams may be open at once. Default 250.
	Viewers int `mapstructure:"viewers"`
	// Services is how many services have a verdict. Default 100; data points of
	// more are counted and left out.
	Services int `mapstructure:"services"`
	// Findings is how many findings are kept; the closed ones go first. Default
	// 200.
	Findings int `mapstructure:"findings"`
	// Calendar is the path of the event calendar; empty for none.
	Calendar string `mapstructure:"calendar"`
	// SLO is the share of requests that must succeed, above 0 and below 1.
	// Default 0.99.
	SLO float64 `mapstructure:"slo"`
	// Timeline is the file of notes and events. Default timeline.ndjson beside
	// the store's data, in its folder room.
	Timeline string `mapstructure:"timeline"`
	// GrafanaURL is where links with the time range lead to: a dashboard's URL, or
	// Grafana's own. Empty for no links.
	GrafanaURL string `mapstructure:"grafana_url"`
	// Writers are the user names (or subjects) that may write notes, roles,
	// severity, readiness and metrics, as the authenticator tells them. Without an
	// authenticator, on loopback, everybody may; with one and an empty list nobody.
	Writers []string `mapstructure:"writers"`
}

// StoreConfig bounds the embedded store.
type StoreConfig struct {
	// Directory holds the store. Default ./data/store; it is created.
	Directory string `mapstructure:"directory"`
	// Retention is the age at which samples go. Default 48h, at least 2h; 0
	// means the default.
	Retention time.Duration `mapstructure:"retention"`
	// MaxSizeMiB bounds the directory, in MiB. Default 2048, at least 64; 0
	// means the default. The oldest data goes first.
	MaxSizeMiB int64 `mapstructure:"max_size_mib"`
	// OutOfOrderWindow is how far behind the newest a sample may come. Default
	// 30m; 0 means the default, -1ns none.
	OutOfOrderWindow time.Duration `mapstructure:"out_of_order_window"`
	// MaxSeries bounds the active series; one costs about 2 kB. Default 100,000;
	// 0 means the default.
	MaxSeries int `mapstructure:"max_series"`
	// MaxSeriesPerMetric bounds the active series of one metric name. Default
	// 20,000; 0 means the default.
	MaxSeriesPerMetric int `mapstructure:"max_series_per_metric"`
	// QueryConcurrency is how many queries run at once. Default 4; 0 means the
	// default. Eight times as many may wait.
	QueryConcurrency int `mapstructure:"query_concurrency"`
	// QueryMaxSamples is how many samples one query may hold. Default
	// 4,000,000 (64 MB); 0 means the default.
	QueryMaxSamples int `mapstructure:"query_max_samples"`
	// QueryTimeout bounds a query. Default 1m; 0 means the default.
	QueryTimeout time.Duration `mapstructure:"query_timeout"`
	// MaxWriteMiB bounds a remote-write body, in MiB, compressed or not. Default
	// 32; 0 means the default.
	MaxWriteMiB int64 `mapstructure:"max_write_mib"`
}

// RecentConfig bounds the rings behind the page. The memory that they take is
// logs × (body_bytes + 200) + spans × 300 bytes at the most; each scope that somebody
// drills into takes as much of 300 logs and 500 spans, sixteen scopes at once.
type RecentConfig struct {
	// Logs is how many of the newest log records are kept. Default 2000.
	Logs int `mapstructure:"logs"`
	// Spans is how many of the newest spans are kept. Default 2000.
	Spans int `mapstructure:"spans"`
	// BodyBytes is where a log body is cut. Default 1024.
	BodyBytes int `mapstructure:"body_bytes"`
	// Sources is how many sources (signal, service, scope) are told apart; what
	// comes from more is shown as "other". Default 500.
	Sources int `mapstructure:"sources"`
	// Metrics is how many metric names the page lists. Default 2000.
	Metrics int `mapstructure:"metrics"`
}

func createDefaultConfig() *Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "127.0.0.1:8640"
	server.WriteTimeout = 2 * time.Minute
	return &Config{
		ServerConfig: server,
		Store:        StoreConfig{Directory: "data/store"},
		Recent:       RecentConfig{Logs: 2000, Spans: 2000, BodyBytes: 1024, Sources: 500, Metrics: 2000},
		Room:         RoomConfig{Viewers: 250, Services: 100, Findings: 200, SLO: 0.99},
	}
}

// Validate tells everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if c.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New(`endpoint must be host:port (got ""), e.g. 127.0.0.1:8640`))
	} else if host, _, err := net.SplitHostPort(c.NetAddr.Endpoint); err != nil {
		errs = append(errs, fmt.Errorf("endpoint must be host:port (got %q), e.g. 127.0.0.1:8640", c.NetAddr.Endpoint))
	} else if !loopback(host) {
		if !c.TLS.HasValue() {
			errs = append(errs, fmt.Errorf("endpoint %s can be reached from other machines, so tls is required: set tls::cert_file and tls::key_file, or listen on 127.0.0.1", c.NetAddr.Endpoint))
		}
		if !c.Auth.HasValue() {
			errs = append(errs, fmt.Errorf("endpoint %s can be reached from other machines, so auth is required: set auth::authenticator to an authenticator extension (basicauth, bearertokenauth, oidc), or listen on 127.0.0.1", c.NetAddr.Endpoint))
		}
	}
	for _, b := range []struct {
		key string
		got int
	}{
		{"recent::logs", c.Recent.Logs}, {"recent::spans", c.Recent.Spans}, {"recent::body_bytes", c.Recent.BodyBytes},
		{"recent::sources", c.Recent.Sources}, {"recent::metrics", c.Recent.Metrics},
		{"room::viewers", c.Room.Viewers}, {"room::services", c.Room.Services}, {"room::findings", c.Room.Findings},
	} {
		if b.got < 1 || b.got > 1_000_000 {
			errs = append(errs, fmt.Errorf("%s must be between 1 and 1000000 (got %d)", b.key, b.got))
		}
	}
	if u, err := url.Parse(c.Room.GrafanaURL); c.Room.GrafanaURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		errs = append(errs, fmt.Errorf("room::grafana_url must be an http or https URL (got %q), e.g. https://grafana.example/d/abc", c.Room.GrafanaURL))
	}
	if !(c.Room.SLO > 0 && c.Room.SLO < 1) {
		errs = append(errs, fmt.Errorf("room::slo must be above 0 and below 1 (got %v), e.g. 0.99", c.Room.SLO))
	}
	return errors.Join(errs...)
}

// timelinePath is where notes and events are kept.
func (c *Config) timelinePath() string {
	return cmp.Or(c.Room.Timeline, filepath.Join(c.Store.Directory, "room", "timeline.ndjson"))
}

// findingsPath is where findings survive a restart: beside the log book.
func (c *Config) findingsPath() string {
	return filepath.Join(filepath.Dir(c.timelinePath()), "findings.ndjson")
}

// Validate tells everything that is wrong at once; the collector puts the key
// "store" before it.
func (c *StoreConfig) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New(`directory must name where the store is kept (got ""), e.g. ./data/store`))
	}
	if c.Retention != 0 && c.Retention < 2*time.Hour {
		errs = append(errs, fmt.Errorf("retention must be at least 2h, one block of the store (got %s), e.g. 48h", c.Retention))
	}
	if c.MaxSizeMiB != 0 && c.MaxSizeMiB < 64 {
		errs = append(errs, fmt.Errorf("max_size_mib must be at least 64 (got %d), e.g. 2048", c.MaxSizeMiB))
	}
	if c.QueryMaxSamples != 0 && c.QueryMaxSamples < 1000 {
		errs = append(errs, fmt.Errorf("query_max_samples must be at least 1000 (got %d), e.g. 4000000", c.QueryMaxSamples))
	}
	if c.QueryTimeout < 0 {
		errs = append(errs, fmt.Errorf("query_timeout must be positive (got %s), e.g. 1m", c.QueryTimeout))
	}
	for _, n := range []struct {
		key string
		got int64
	}{
		{"max_series", int64(c.MaxSeries)}, {"max_series_per_metric", int64(c.MaxSeriesPerMetric)},
		{"query_concurrency", int64(c.QueryConcurrency)}, {"max_write_mib", c.MaxWriteMiB},
	} {
		if n.got < 0 {
			errs = append(errs, fmt.Errorf("%s must be positive, or 0 for the default (got %d)", n.key, n.got))
		}
	}
	if len(errs) == 0 {
		// What is left, such as a window longer than the retention.
		return c.config().Validate()
	}
	return errors.Join(errs...)
}

func (c *StoreConfig) config() promstore.Config {
	return promstore.Config{
		Dir:                 c.Directory,
		Retention:           c.Retention,
		MaxBytes:            c.MaxSizeMiB << 20,
		OutOfOrderWindow:    c.OutOfOrderWindow,
		MaxSeries:           c.MaxSeries,
		MaxSeriesPerMetric:  c.MaxSeriesPerMetric,
		QueryConcurrency:    c.QueryConcurrency,
		QueryMaxSamples:     c.QueryMaxSamples,
		QueryTimeout:        c.QueryTimeout,
		RemoteWriteMaxBytes: c.MaxWriteMiB << 20,
	}
}

// loopback reports whether only this machine can reach host. An empty host is
// every address.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
