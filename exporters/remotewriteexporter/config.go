package remotewriteexporter

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Config is what users set.
type Config struct {
	// ClientConfig has the endpoint, auth, TLS, headers and the time-out of one
	// request (default 10s).
	confighttp.ClientConfig `mapstructure:",squash"`

	// QueueConfig is the queue: storage names the extension that keeps it over
	// restarts. One consumer by default; with more, samples of one series may
	// arrive out of order.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// BackOffConfig is how long to wait before a batch is sent again.
	// max_elapsed_time is 0 by default: it never gives up.
	BackOffConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// MaxBatchSizeBytes is the largest request, before compression. Default
	// 1,000,000: AMP takes 1 MB.
	MaxBatchSizeBytes int `mapstructure:"max_batch_size_bytes"`
	// Parallelism is how many requests of a batch are under way at once. Default
	// 4.
	Parallelism int `mapstructure:"parallelism"`
	// ExternalLabels are put on every series. Empty values are left out.
	ExternalLabels map[string]string `mapstructure:"external_labels"`
	// TargetInfo writes target_info, a series with a resource's other attributes
	// for each job and instance. Default true.
	TargetInfo bool `mapstructure:"target_info"`
	// ScopeLabels puts the instrumentation scope's name and version on every
	// series. Default true: without it two scopes' metrics of one name are one
	// series that is written twice.
	ScopeLabels bool `mapstructure:"scope_labels"`
}

const (
	minBatchSizeBytes = 10_000
	maxParallelism    = 64
)

func defaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	client.Compression = "" // the body is snappy already
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers, queue.QueueSize = 1, 5000
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxElapsedTime = time.Second, 0
	return &Config{
		ClientConfig: client, QueueConfig: configoptional.Some(queue), BackOffConfig: retry,
		MaxBatchSizeBytes: 1_000_000, Parallelism: 4, TargetInfo: true, ScopeLabels: true,
	}
}

// Validate tells everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if u, err := url.Parse(c.Endpoint); err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "" {
		errs = append(errs, fmt.Errorf("endpoint must be the URL of a remote-write server (got %q), e.g. https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-…/api/v1/remote_write", c.Endpoint))
	}
	if c.MaxBatchSizeBytes < minBatchSizeBytes {
		errs = append(errs, fmt.Errorf("max_batch_size_bytes must be at least %d (got %d), e.g. 1000000", minBatchSizeBytes, c.MaxBatchSizeBytes))
	}
	if c.Parallelism < 1 || c.Parallelism > maxParallelism {
		errs = append(errs, fmt.Errorf("parallelism must be 1 to %d (got %d), e.g. 4", maxParallelism, c.Parallelism))
	}
	if c.Compression != "" {
		errs = append(errs, fmt.Errorf("compression must stay empty (got %q): remote write is compressed by snappy", c.Compression))
	}
	return errors.Join(errs...)
}
