package awssigv4extension

import (
	"errors"
	"fmt"
	"regexp"

	"go.opentelemetry.io/collector/component"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

// Config is what users set.
type Config struct {
	// Settings say how to come by credentials, and the region. A region that is
	// set here is signed for; else the one in the request's host name, else the
	// one that was found.
	awsclient.Settings `mapstructure:",squash"`
	// Service is the signing name: aps, xray, logs, monitoring. Empty (the
	// default): by the request's host name.
	Service string `mapstructure:"service"`
}

var serviceForm = regexp.MustCompile(`^[a-z0-9-]+$`)

// Validate tells everything that is wrong at once, and asks nobody.
func (c *Config) Validate() error {
	errs := []error{c.Settings.Validate()}
	if c.Service != "" && !serviceForm.MatchString(c.Service) {
		errs = append(errs, fmt.Errorf("service must be an AWS signing name (got %q), e.g. aps", c.Service))
	}
	if c.Endpoint != "" {
		errs = append(errs, errors.New("endpoint belongs to the exporter whose requests are signed: remove it here"))
	}
	return errors.Join(errs...)
}

func defaultConfig() component.Config { return &Config{} }
