package cloudwatchexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

// Config of the exporter.
type Config struct {
	// Settings are region, role_arn, endpoint and what else says how to reach
	// AWS. All of it may be left to the surroundings.
	awsclient.Settings `mapstructure:",squash"`

	// Preset fills in names for a view that CloudWatch has ready:
	// container_insights, or empty (the default). What is set beside it wins.
	Preset string `mapstructure:"preset"`

	// Logs is what a log record becomes.
	Logs LogsConfig `mapstructure:"logs"`
	// Metrics is what a data point becomes.
	Metrics MetricsConfig `mapstructure:"metrics"`
	// Create is what groups and streams are created with.
	Create CreateConfig `mapstructure:"create"`
	// Budget bounds what is spent.
	Budget BudgetConfig `mapstructure:"budget"`
	// Prices are what the cost estimate goes by.
	Prices PricesConfig `mapstructure:"prices"`

	// Compression of requests: gzip (the default) or none.
	Compression string `mapstructure:"compression"`
	// Concurrency is how many requests are under way at once, over different
	// streams. Default 8.
	Concurrency int `mapstructure:"concurrency"`
	// Timeout bounds one request. Default 30s.
	Timeout time.Duration `mapstructure:"timeout"`
	// DeniedAfter is for how long a log group that cannot be written to, while
	// others can, keeps these others waiting; then its events are dropped and
	// counted until it can. Default 5m; 0 means for ever.
	DeniedAfter time.Duration `mapstructure:"denied_after"`

	// Queue in front of CloudWatch; storage makes it outlive a restart. One
	// consumer keeps the order within a stream; more of them do not.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// BackOff is the pause between attempts. By default it never gives up:
	// max_elapsed_time is 0.
	BackOff configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// CreateConfig is what log groups and streams are created with.
type CreateConfig struct {
	// Enabled creates what is missing. Default true; without it the role needs
	// logs:PutLogEvents alone.
	Enabled bool `mapstructure:"enabled"`
	// RetentionDays of a group that is created, one of the numbers that
	// CloudWatch takes. Default 30; 0 means for ever.
	RetentionDays int `mapstructure:"retention_days"`
	// Class is STANDARD, INFREQUENT_ACCESS or DELIVERY; empty (the default) is
	// STANDARD. Groups of metrics' documents are always STANDARD: no other class
	// extracts metrics.
	Class string `mapstructure:"class"`
	// KMSKeyID is the ARN of the key that a group is encrypted with; empty for
	// the service's own.
	KMSKeyID string `mapstructure:"kms_key_id"`
	// Tags of a group, at most 50.
	Tags map[string]string `mapstructure:"tags"`
}

var retentions = []int{0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

const presetContainerInsights = "container_insights"

func createDefaultConfig() *Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeBytes
	queue.QueueSize = 64 << 20
	queue.NumConsumers = 1
	queue.Batch = configoptional.Some(exporterhelper.BatchConfig{
		FlushTimeout: time.Second,
		Sizer:        exporterhelper.RequestSizerTypeBytes,
		MinSize:      2 << 20,
		MaxSize:      8 << 20,
	})
	backoff := configretry.NewDefaultBackOffConfig()
	backoff.InitialInterval = time.Second
	backoff.MaxElapsedTime = 0
	return &Config{
		Logs:        defaultLogs(),
		Metrics:     defaultMetrics(),
		Create:      CreateConfig{Enabled: true, RetentionDays: 30},
		Budget:      defaultBudget(),
		Prices:      defaultPrices(),
		Compression: "gzip",
		Concurrency: 8,
		Timeout:     30 * time.Second,
		DeniedAfter: 5 * time.Minute,
		Queue:       configoptional.Some(queue),
		BackOff:     backoff,
	}
}

// Validate tells everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if c.Preset != "" && c.Preset != presetContainerInsights {
		errs = append(errs, fmt.Errorf("preset must be %s or empty (got %q)", presetContainerInsights, c.Preset))
	}
	if c.Compression != "gzip" && c.Compression != "none" {
		errs = append(errs, fmt.Errorf("compression must be gzip or none (got %q)", c.Compression))
	}
	if c.Concurrency < 1 || c.Concurrency > 100 {
		errs = append(errs, fmt.Errorf("concurrency must be between 1 and 100 (got %d), e.g. 8", c.Concurrency))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout must be positive (got %s), e.g. 30s", c.Timeout))
	}
	if c.DeniedAfter < 0 {
		errs = append(errs, fmt.Errorf("denied_after must be positive, or 0 for ever (got %s), e.g. 5m", c.DeniedAfter))
	}
	if c.Preset != "" && len(c.Metrics.Rules) > 0 {
		errs = append(errs, fmt.Errorf("metrics::rules: preset %s has its own; for other metrics use a second component, e.g. cloudwatch/app", c.Preset))
	}
	return errors.Join(errs...)
}

// Validate tells everything that is wrong at once; the collector puts the key
// "create" before it.
func (c *CreateConfig) Validate() error {
	var errs []error
	if !slices.Contains(retentions, c.RetentionDays) {
		errs = append(errs, fmt.Errorf("retention_days must be one of %v (got %d)", retentions, c.RetentionDays))
	}
	if c.Class != "" && !slices.Contains([]string{"STANDARD", "INFREQUENT_ACCESS", "DELIVERY"}, c.Class) {
		errs = append(errs, fmt.Errorf("class must be STANDARD, INFREQUENT_ACCESS or DELIVERY (got %q)", c.Class))
	}
	if c.KMSKeyID != "" && !strings.HasPrefix(c.KMSKeyID, "arn:") {
		errs = append(errs, fmt.Errorf("kms_key_id must be a key's ARN (got %q), e.g. arn:aws:kms:eu-west-3:123456789012:key/…", c.KMSKeyID))
	}
	if len(c.Tags) > 50 {
		errs = append(errs, fmt.Errorf("tags takes at most 50 (got %d)", len(c.Tags)))
	}
	return errors.Join(errs...)
}
