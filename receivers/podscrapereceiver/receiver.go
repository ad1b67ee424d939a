package podscrapereceiver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/vigie-otel/vigie/internal/podlist"
)

type podScrape struct {
	cfg  *Config
	set  receiver.Settings
	next consumer.Metrics

	server     *http.Server
	scraper    receiver.Metrics
	unregister func() error
	wait       sync.WaitGroup
}

func create(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	c := cfg.(*Config)
	// What is wrong with it should not show only when it starts.
	if _, _, err := c.scraperConfig("http://127.0.0.1:1/"); err != nil {
		return nil, err
	}
	return &podScrape{cfg: c, set: set, next: next}, nil
}

func (p *podScrape) Start(ctx context.Context, host component.Host) (err error) {
	list, err := podlist.From(host, p.cfg.Pods)
	if err != nil {
		return fmt.Errorf("pods: %w", err)
	}
	d := &discovery{cfg: p.cfg, list: list, log: p.set.Logger, prefix: "/" + rand.Text() + "/"}
	if p.unregister, err = register(p.set.TelemetrySettings, p.cfg, d); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the scraper's questions: %w", err)
	}
	p.server = &http.Server{Handler: d, ReadHeaderTimeout: 5 * time.Second}
	p.wait.Go(func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.set.Logger.Error("Targets are not told any more.", zap.Error(err))
		}
	})
	if p.scraper, err = p.newScraper(ctx, "http://"+listener.Addr().String()+d.prefix); err != nil {
		return err
	}
	return p.scraper.Start(ctx, host)
}

func (p *podScrape) newScraper(ctx context.Context, url string) (receiver.Metrics, error) {
	factory, cfg, err := p.cfg.scraperConfig(url)
	if err != nil {
		return nil, err
	}
	set := p.set
	set.ID = component.NewIDWithName(factory.Type(), p.set.ID.String())
	// A pod that can't be scraped is told each time; up says which.
	set.Logger = set.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, 10*time.Minute, 3, 0)
	}))
	return factory.CreateMetrics(ctx, set, cfg, p.next)
}

// scraperConfig is that of contrib's receiver: a job a rule.
func (c *Config) scraperConfig(url string) (receiver.Factory, component.Config, error) {
	var jobs []any
	for _, r := range c.Rules {
		jobs = append(jobs, c.job(url, r))
	}
	if c.Annotations {
		jobs = append(jobs, c.job(url, Rule{Name: annotated}))
	}
	factory := prometheusreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	err := confmap.NewFromStringMap(map[string]any{
		"config":                      map[string]any{"scrape_configs": jobs},
		"discovery_reload_on_startup": true,
	}).Unmarshal(&cfg)
	if err == nil {
		err = confmap.Validate(cfg)
	}
	return factory, cfg, err
}

func (c *Config) job(url string, r Rule) map[string]any {
	interval := orElse(r.Interval, c.Interval)
	return map[string]any{
		"job_name":                 r.Name,
		"scrape_interval":          interval.String(),
		"scrape_timeout":           orElse(r.Timeout, min(c.Timeout, interval)).String(),
		"sample_limit":             orElse(r.SampleLimit, c.SampleLimit),
		"body_size_limit":          fmt.Sprintf("%dMiB", c.BodySizeLimitMiB),
		"label_limit":              64,
		"label_name_length_limit":  256,
		"label_value_length_limit": 4096,
		"honor_labels":             r.HonorLabels,
		// A pod's clock is its own.
		"honor_timestamps": false,
		// Elsewhere could be the metadata service.
		"follow_redirects":         false,
		"tls_config":               map[string]any{"insecure_skip_verify": true},
		"fallback_scrape_protocol": "PrometheusText0.0.4",
		"http_sd_configs": []any{map[string]any{
			"url": url + r.Name, "refresh_interval": "5s", "follow_redirects": false,
		}},
	}
}

func (p *podScrape) Shutdown(ctx context.Context) error {
	var errs []error
	if p.scraper != nil {
		errs = append(errs, p.scraper.Shutdown(ctx))
	}
	if p.server != nil {
		errs = append(errs, p.server.Close())
		p.wait.Wait()
	}
	if p.unregister != nil {
		errs = append(errs, p.unregister())
	}
	p.scraper, p.server, p.unregister = nil, nil, nil
	return errors.Join(errs...)
}
