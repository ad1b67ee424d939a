package ledgerextension

import (
	"errors"
	"fmt"
	"strings"
)

// Config is the extension's.
type Config struct {
	// Path is where an HTTP server with this middleware serves the books as JSON.
	// Default /ledger; empty: nowhere.
	Path string `mapstructure:"path"`
	// HealthPath is where the answer of that server, a JSON object, gets "ledger":
	// the worst state, and the books that are not balanced (all of them with
	// ?verbose). Default /healthz; empty: nowhere.
	HealthPath string `mapstructure:"health_path"`
}

// Validate says which keys are wrong.
func (c *Config) Validate() error {
	var errs []error
	for key, path := range map[string]string{"path": c.Path, "health_path": c.HealthPath} {
		if path != "" && !strings.HasPrefix(path, "/") {
			errs = append(errs, fmt.Errorf("%s must begin with / (got %q), e.g. /ledger", key, path))
		}
	}
	if c.Path != "" && c.Path == c.HealthPath {
		errs = append(errs, fmt.Errorf("path and health_path are the same (%q): the one replaces an answer, the other adds to it", c.Path))
	}
	return errors.Join(errs...)
}
