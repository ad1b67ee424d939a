package hoststatreceiver

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/vigie-otel/vigie/receivers/hoststatreceiver/internal/metadata"
)

// Config of the receiver.
type Config struct {
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	metadata.MetricsBuilderConfig  `mapstructure:",squash"`

	// RootPath is where the host's file system is mounted, e.g. /hostfs in a
	// container. Empty (the default) is this process's own root.
	RootPath string `mapstructure:"root_path"`
}

func createDefaultConfig() *Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = 10 * time.Second
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
	}
}

// Validate tells what is wrong with the configuration.
func (c *Config) Validate() error {
	var errs error
	if c.RootPath != "" && !filepath.IsAbs(c.RootPath) {
		errs = errors.Join(errs, fmt.Errorf("root_path must be absolute (got %q), e.g. /hostfs", c.RootPath))
	}
	return errs
}
