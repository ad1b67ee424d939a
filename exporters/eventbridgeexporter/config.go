package eventbridgeexporter

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/finding"
)

// Config of the exporter.
type Config struct {
	// Settings say how to come by credentials and the region.
	awsclient.Settings `mapstructure:",squash"`

	// Bus is the event bus, by name or ARN. Default "default".
	Bus string `mapstructure:"bus"`
	// Source is what rules match on. Default vigie; it must not begin with aws.
	Source string `mapstructure:"source"`
	// DetailType is what rules match on. Default "Vigie Finding"; at most 128
	// characters.
	DetailType string `mapstructure:"detail_type"`
	// Statuses are which words of a finding are sent: open, update, closed.
	// Default [open, closed].
	Statuses []finding.Status `mapstructure:"statuses"`
	// UpdateInterval is the shortest time between two updates of one finding, in
	// event time, where Statuses has update. Default 1m; 0: every update.
	UpdateInterval time.Duration `mapstructure:"update_interval"`
	// MinConfidence leaves out findings that are less sure, 0–1. Default 0: none. A
	// finding whose opening was left out and that becomes surer is sent at its
	// next word of a wanted status.
	MinConfidence float64 `mapstructure:"min_confidence"`
	// Resources are ARNs that the event is about; {name} in one becomes the
	// resource's (or the record's) attribute, e.g.
	// arn:aws:eks:eu-west-3:123456789012:cluster/{k8s.cluster.name}. One whose
	// attribute is missing is left out.
	Resources []string `mapstructure:"resources"`
	// Attributes are resource attributes that go into the detail, under unmapped.
	// Default k8s.cluster.name, cloud.account.id and cloud.region.
	Attributes []string `mapstructure:"attributes"`
	// MaxEventBytes is where a detail is cut down, in bytes of the entry by
	// EventBridge's formula. Default 262144, what an SNS topic takes; at most
	// 1048575, what PutEvents takes.
	MaxEventBytes int `mapstructure:"max_event_bytes"`

	exporterhelper.TimeoutConfig `mapstructure:",squash"`
	// QueueConfig is the queue: storage names the extension that keeps it over
	// restarts. One consumer by default, so that a finding opens before it closes.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// BackOffConfig is how failures are retried. max_elapsed_time is 0 by default:
	// it never gives up, and the queue is what is limited.
	BackOffConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	_ struct{} // keyed literals only
}

// EventBridge's limits for PutEvents
// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html).
const (
	maxEntries      = 10
	maxRequestBytes = 1<<20 - 1 // the entries of a request together; "less than 1 MB"
	maxDetailType   = 128
	minEventBytes   = 8 << 10 // the smallest form of a finding fits
)

func createDefaultConfig() component.Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers = 1
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxElapsedTime = time.Second, 0
	return &Config{
		Bus: "default", Source: "vigie", DetailType: "Vigie Finding",
		Statuses: []finding.Status{finding.Open, finding.Closed}, UpdateInterval: time.Minute,
		Attributes:    []string{"k8s.cluster.name", "cloud.account.id", "cloud.region"},
		MaxEventBytes: 256 << 10,
		TimeoutConfig: exporterhelper.TimeoutConfig{Timeout: 10 * time.Second},
		QueueConfig:   configoptional.Some(queue), BackOffConfig: retry,
	}
}

var busForm = regexp.MustCompile(`^(arn:aws[\w-]*:events:[a-z0-9-]+:\d{12}:event-bus/)?[/.\-_A-Za-z0-9]{1,256}$`)

// Validate reports everything that is wrong at once, and asks nobody.
func (c *Config) Validate() error {
	errs := []error{c.Settings.Validate()}
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !busForm.MatchString(c.Bus) {
		add("bus must be the name or the ARN of an event bus (got %q), e.g. default or arn:aws:events:eu-west-3:123456789012:event-bus/match", c.Bus)
	}
	if c.Source == "" || strings.HasPrefix(c.Source, "aws.") || len(c.Source) > 256 {
		add("source must not be empty, nor begin with aws. (got %q), e.g. vigie", c.Source)
	}
	if c.DetailType == "" || len(c.DetailType) > maxDetailType {
		add("detail_type must have 1 to %d bytes (got %d), e.g. Vigie Finding", maxDetailType, len(c.DetailType))
	}
	if len(c.Statuses) == 0 {
		errs = append(errs, errors.New("statuses must name at least one of open, update, closed"))
	}
	for _, s := range c.Statuses {
		if !s.Valid() {
			add("statuses takes open, update and closed (got %q)", s)
		}
	}
	if c.UpdateInterval < 0 {
		add("update_interval must not be negative (got %s), e.g. 1m", c.UpdateInterval)
	}
	if !(c.MinConfidence >= 0 && c.MinConfidence <= 1) {
		add("min_confidence must be within 0 and 1 (got %v), e.g. 0.8", c.MinConfidence)
	}
	for _, r := range c.Resources {
		if _, err := parseTemplate(r); err != nil || !strings.HasPrefix(r, "arn:") {
			add("resources must be ARNs, with attributes in braces (got %q), e.g. arn:aws:eks:eu-west-3:123456789012:cluster/{k8s.cluster.name}", r)
		}
	}
	if len(c.Resources) > 20 {
		add("resources must be at most 20 (got %d)", len(c.Resources))
	}
	if c.MaxEventBytes < minEventBytes || c.MaxEventBytes > maxRequestBytes {
		add("max_event_bytes must be between %d and %d (got %d)", minEventBytes, maxRequestBytes, c.MaxEventBytes)
	}
	return errors.Join(errs...)
}

func (c *Config) wants(s finding.Status) bool { return slices.Contains(c.Statuses, s) }
