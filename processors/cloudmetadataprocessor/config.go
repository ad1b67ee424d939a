package cloudmetadataprocessor

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Config of one instance, which all its pipelines share.
type Config struct {
	// Attributes are set as they are and win over what is detected. Empty values
	// are skipped, so that ${env:NAME:-} may be unset. None by default.
	Attributes map[string]string `mapstructure:"attributes"`
	// Exclude are attributes that are not set though they are detected. None by
	// default.
	Exclude []string `mapstructure:"exclude"`
	// Override replaces what a resource already says. Default false; an empty
	// value says nothing.
	Override bool `mapstructure:"override"`
	// ServiceAccount is where Kubernetes mounts the pod's token, whose issuer tells
	// whether the cluster is EKS. Default /var/run/secrets/kubernetes.io/serviceaccount/token;
	// empty does not look.
	ServiceAccount string `mapstructure:"service_account"`
	// IMDS is the instance metadata service.
	IMDS IMDSConfig `mapstructure:"imds"`

	_ struct{} // keyed literals only
}

// IMDSConfig says how the instance metadata service is asked.
type IMDSConfig struct {
	// Enabled is true by default; AWS_EC2_METADATA_DISABLED=true turns it off too.
	Enabled bool `mapstructure:"enabled"`
	// Endpoint is its URL. Default AWS_EC2_METADATA_SERVICE_ENDPOINT, else the
	// link-local address.
	Endpoint string `mapstructure:"endpoint"`
	// ClusterTag looks for the cluster's name in the instance's tags, where the
	// instance shows them in its metadata. Default true.
	ClusterTag bool `mapstructure:"cluster_tag"`
	// GiveUpAfter ends the asking when nothing was learnt. Default 10m; zero never.
	GiveUpAfter time.Duration `mapstructure:"give_up_after"`
}

func defaultConfig() *Config {
	return &Config{
		ServiceAccount: "/var/run/secrets/kubernetes.io/serviceaccount/token",
		IMDS:           IMDSConfig{Enabled: true, ClusterTag: true, GiveUpAfter: 10 * time.Minute},
	}
}

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if _, ok := c.Attributes[""]; ok {
		errs = append(errs, errors.New("attributes must have names (got an empty one), e.g. k8s.cluster.name"))
	}
	if slices.Contains(c.Exclude, "") {
		errs = append(errs, errors.New("exclude must name attributes (got an empty one), e.g. host.image.id"))
	}
	if e := c.IMDS.Endpoint; e != "" {
		if u, err := url.Parse(e); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			errs = append(errs, fmt.Errorf("imds::endpoint must be a URL (got %q), e.g. http://169.254.169.254", e))
		}
	}
	if c.IMDS.GiveUpAfter < 0 {
		errs = append(errs, fmt.Errorf("imds::give_up_after must not be negative (got %s), e.g. 10m", c.IMDS.GiveUpAfter))
	}
	return errors.Join(errs...)
}
