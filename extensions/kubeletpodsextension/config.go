package kubeletpodsextension

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Config says which kubelet is asked and how.
type Config struct {
	// Endpoint is the node's kubelet, e.g. https://10.0.0.7:10250. Required.
	Endpoint string `mapstructure:"endpoint"`
	// TokenFile holds the token that is sent, read anew for each request. Default
	// the service account's.
	TokenFile string `mapstructure:"token_file"`
	// CAFile holds who the kubelet's certificate is to be signed by; empty: the
	// system's authorities. Of no use with InsecureSkipVerify.
	CAFile string `mapstructure:"ca_file"`
	// InsecureSkipVerify believes any certificate: a kubelet's is self-signed unless
	// the cluster rotates them. Default false.
	InsecureSkipVerify bool `mapstructure:"insecure_skip_verify"`
	// Interval between two lists. Default 15s; zero is refused.
	Interval time.Duration `mapstructure:"interval"`
	// Timeout of one. Default 10s; zero is refused.
	Timeout time.Duration `mapstructure:"timeout"`

	_ struct{} // keyed literals only
}

func defaultConfig() *Config {
	return &Config{
		TokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token", //nolint:gosec // a path
		Interval:  15 * time.Second, Timeout: 10 * time.Second,
	}
}

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if !strings.HasPrefix(c.Endpoint, "https://") {
		errs = append(errs, fmt.Errorf("endpoint must begin with https:// (got %q), e.g. https://10.0.0.7:10250", c.Endpoint))
	}
	if c.TokenFile == "" {
		errs = append(errs, errors.New("token_file must name a file, e.g. /var/run/secrets/kubernetes.io/serviceaccount/token"))
	}
	if c.Interval < time.Second {
		errs = append(errs, fmt.Errorf("interval must be 1s or longer (got %s), e.g. 15s", c.Interval))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout must be positive (got %s), e.g. 10s", c.Timeout))
	}
	return errors.Join(errs...)
}
