package enareceiver

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/vigie-otel/vigie/receivers/enareceiver/internal/metadata"
)

// minInterval is the shortest interval that is allowed: a read is a command on
// the device's admin queue, which also carries the driver's own work.
const minInterval = 10 * time.Second

// maxInterfaces bounds what is read and remembered. The largest instances take
// some 30 network interfaces over all their cards.
const maxInterfaces = 64

// Config says what is read and how often.
type Config struct {
	// ControllerConfig holds collection_interval (default and minimum 10s),
	// initial_delay (default 1s; zero reads at once) and timeout (default 0: the
	// read is not cut short; an ioctl could not be).
	scraperhelper.ControllerConfig `mapstructure:",squash"`

	// MetricsBuilderConfig turns single metrics off.
	metadata.MetricsBuilderConfig `mapstructure:",squash"`

	// Interfaces are the names of the network interfaces to read. Empty (the
	// default) reads all that the ena driver runs, at most 64.
	Interfaces []string `mapstructure:"interfaces"`

	_ struct{} // keyed literals only
}

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if c.CollectionInterval < minInterval {
		errs = append(errs, fmt.Errorf("collection_interval must be %s or longer (got %s): each read is an admin command of the device",
			minInterval, c.CollectionInterval))
	}
	if n := len(c.Interfaces); n > maxInterfaces {
		errs = append(errs, fmt.Errorf("interfaces must be at most %d names (got %d)", maxInterfaces, n))
	}
	if slices.Contains(c.Interfaces, "") {
		errs = append(errs, errors.New(`interfaces must not hold an empty name, e.g. ["ens5"]`))
	}
	return errors.Join(errs...)
}
