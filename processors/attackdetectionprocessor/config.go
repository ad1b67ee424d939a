package attackdetectionprocessor

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/detect"
)

// Config is what users set.
type Config struct {
	// Mode is "agent" (judge requests; the default) or "gateway" (judge the
	// cluster by the agents' summaries).
	Mode string `mapstructure:"mode"`

	// Read says where a log record holds its request: "attributes" (HTTP
	// semantic conventions), "body" (a raw access-log line), or "auto" (the
	// default: attributes, and the body of records whose attributes are none).
	Read string `mapstructure:"read"`
	// Format is the format of raw lines, as in "nginx" or "alb"; "auto" (the
	// default) recognises each line.
	Format string `mapstructure:"format"`
	// Fields maps request fields to the JSON keys of raw lines whose writer has
	// names of its own, as in client: peer.ip. Default: the well-known names.
	Fields map[string]string `mapstructure:"fields"`
	// TrustedProxies are addresses and prefixes of proxies whose
	// X-Forwarded-For is believed. Default: none, the socket's peer is the
	// client.
	TrustedProxies []string `mapstructure:"trusted_proxies"`
	// NamedClients gives clients that a log names, instead of giving their
	// address, a stand-in address each. Default false: they are unknown.
	NamedClients bool `mapstructure:"named_clients"`

	// ServiceFrom says what a request's service is: "log" (the backend that the
	// line or record names), "resource" (service.name of the resource), "host",
	// "none" (all requests are one service), or "auto" (the default: the first of
	// these that there is, in this order).
	ServiceFrom string `mapstructure:"service_from"`
	// Service names the service of requests that name none. Default "default".
	Service string `mapstructure:"service"`
	// Spans says whether server spans are judged: "always", "never", or "auto"
	// (the default: unless the same service's request logs are, which report the
	// same requests).
	Spans string `mapstructure:"spans"`

	// Clock says what a second is: "wall", "event" (the requests' own time, for
	// replayed logs), or "auto" (the default: wall while requests are recent).
	Clock string `mapstructure:"clock"`
	// Lateness is how late a request may be and still count in its second; 0
	// means 3s, at most 1m.
	Lateness time.Duration `mapstructure:"lateness"`
	// SilentAfter is how long a service may send nothing until its verdict is
	// unknown; 0 means 60s.
	SilentAfter time.Duration `mapstructure:"silent_after"`
	// CloseAfter is how long after its last request a finding closes; 0 means
	// 60s.
	CloseAfter time.Duration `mapstructure:"close_after"`
	// MinFloodRate is the least excess that can be a flood, in requests a
	// second; 0 means 5.
	MinFloodRate float64 `mapstructure:"min_flood_rate"`
	// MinFloodShare is the least share of a service's requests, 0–1, that can be
	// a flood; 0 means 0.04.
	MinFloodShare float64 `mapstructure:"min_flood_share"`
	// MaxServices is how many services have a state of their own (8 MiB each at
	// most); further ones are judged together as "(other)". 0 means 256.
	MaxServices int `mapstructure:"max_services"`
	// Seed keys the detector's hashes. Agents and their gateway share it. Set a
	// secret one, so that nobody can craft keys that collide. Default 0.
	Seed uint64 `mapstructure:"seed"`

	// Calendar is the path of an event calendar; it is read again when it
	// changes. Default: none.
	Calendar string `mapstructure:"calendar"`

	// Sketches puts the mergeable sketches that a gateway needs into the
	// summaries. Default true; false where no gateway listens.
	Sketches bool `mapstructure:"sketches"`
	// QueueSize is how many findings, and how many summaries, wait for the logs
	// pipeline at most; 0 means 1024. The oldest go first and are counted.
	QueueSize int `mapstructure:"queue_size"`
}

const (
	modeAgent   = "agent"
	modeGateway = "gateway"
	auto        = "auto"
)

var choices = []struct {
	key string
	of  func(*Config) *string
	may []string
}{
	{"mode", func(c *Config) *string { return &c.Mode }, []string{modeAgent, modeGateway}},
	{"read", func(c *Config) *string { return &c.Read }, []string{auto, "attributes", "body"}},
	{"service_from", func(c *Config) *string { return &c.ServiceFrom }, []string{auto, "log", "resource", "host", "none"}},
	{"spans", func(c *Config) *string { return &c.Spans }, []string{auto, "always", "never"}},
	{"clock", func(c *Config) *string { return &c.Clock }, []string{auto, "wall", "event"}},
}

func defaultConfig() component.Config {
	return &Config{
		Mode: modeAgent, Read: auto, Format: auto, ServiceFrom: auto, Service: "default", Spans: auto, Clock: auto,
		Sketches: true, QueueSize: 1024,
	}
}

// Validate reports everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	for _, ch := range choices {
		if got := *ch.of(c); !slices.Contains(ch.may, got) {
			errs = append(errs, fmt.Errorf("%s must be one of %q (got %q)", ch.key, ch.may, got))
		}
	}
	if f, err := accesslog.ParseFormat(c.Format); err != nil {
		errs = append(errs, fmt.Errorf("format: %w", err))
	} else if _, err := accesslog.New(f, accesslog.Options{Fields: c.Fields}); err != nil {
		errs = append(errs, fmt.Errorf("fields: %w", err))
	}
	if _, err := c.proxies(); err != nil {
		errs = append(errs, err)
	}
	if c.Service == "" {
		errs = append(errs, errors.New(`service must not be empty, e.g. "default"`))
	}
	if c.QueueSize < 0 {
		errs = append(errs, fmt.Errorf("queue_size must not be negative (got %d), e.g. 1024", c.QueueSize))
	}
	d := c.detector()
	if err := d.Validate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *Config) detector() detect.Config {
	return detect.Config{
		Seed: c.Seed, MaxServices: c.MaxServices, Lateness: c.Lateness, SilentAfter: c.SilentAfter, CloseAfter: c.CloseAfter,
		MinFloodRate: c.MinFloodRate, MinFloodShare: c.MinFloodShare,
	}
}

func (c *Config) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	var errs []error
	for _, v := range c.TrustedProxies {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			a, aErr := netip.ParseAddr(v)
			if aErr != nil {
				errs = append(errs, fmt.Errorf("trusted_proxies must be addresses or prefixes (got %q), e.g. 10.0.0.0/8", v))
				continue
			}
			p = netip.PrefixFrom(a.WithZone(""), a.BitLen())
		}
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}
