package awsclient

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// Settings is the part of a component's configuration that says how to reach
// AWS, meant to be squashed into it. The zero value takes everything from the
// surroundings.
type Settings struct {
	// Region, e.g. eu-west-3. Empty (the default): AWS_REGION, the profile, then
	// instance metadata.
	Region string `mapstructure:"region"`
	// Profile of the shared configuration files. Empty: AWS_PROFILE, or default.
	// A profile given here goes before keys in the environment.
	Profile string `mapstructure:"profile"`
	// RoleARN is a role to assume with what the chain found. Empty: none.
	RoleARN string `mapstructure:"role_arn"`
	// ExternalID goes with RoleARN where the role's trust policy asks for one.
	ExternalID string `mapstructure:"external_id"`
	// RoleSessionName is how the session shows in CloudTrail. Default vigie.
	RoleSessionName string `mapstructure:"role_session_name"`
	// Endpoint is the service's URL, for a VPC endpoint or a test. Empty: what
	// the SDK has for the region, or AWS_ENDPOINT_URL.
	Endpoint string `mapstructure:"endpoint"`
	// STSEndpoint is the URL of STS for RoleARN. Empty: the region's.
	STSEndpoint string `mapstructure:"sts_endpoint"`
	// UseFIPS takes the region's FIPS endpoints. Default false, or
	// AWS_USE_FIPS_ENDPOINT.
	UseFIPS bool `mapstructure:"use_fips"`
	// UseDualStack takes endpoints that have IPv6 as well. Default false, or
	// AWS_USE_DUALSTACK_ENDPOINT.
	UseDualStack bool `mapstructure:"use_dualstack"`
	// CAFile is a PEM file of authorities to trust instead of the system's, for
	// an intercepting proxy. Empty: the system's, or AWS_CA_BUNDLE.
	CAFile string `mapstructure:"ca_file"`
}

var (
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+$`)
	roleForm    = regexp.MustCompile(`^arn:aws[a-z0-9-]*:iam::\d{12}:role/.+$`)
	sessionForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// Validate tells everything that is wrong at once. It asks nothing of the
// network: a configuration without region and credentials is a valid one.
func (s *Settings) Validate() error {
	var errs []error
	if s.Region != "" && !regionForm.MatchString(s.Region) {
		errs = append(errs, fmt.Errorf("region must be the code of an AWS region (got %q), e.g. eu-west-3", s.Region))
	}
	if s.RoleARN != "" && !roleForm.MatchString(s.RoleARN) {
		errs = append(errs, fmt.Errorf("role_arn must be a role's ARN (got %q), e.g. arn:aws:iam::123456789012:role/vigie", s.RoleARN))
	}
	if s.RoleARN == "" {
		for _, k := range []struct{ key, got string }{{"external_id", s.ExternalID}, {"role_session_name", s.RoleSessionName}, {"sts_endpoint", s.STSEndpoint}} {
			if k.got != "" {
				errs = append(errs, fmt.Errorf("%s is used only to assume a role: set role_arn, or remove it", k.key))
			}
		}
	}
	if s.RoleSessionName != "" && !sessionForm.MatchString(s.RoleSessionName) {
		errs = append(errs, fmt.Errorf("role_session_name takes 2 to 64 letters, digits and +=,.@-_ (got %q), e.g. vigie", s.RoleSessionName))
	}
	for _, k := range []struct{ key, got string }{{"endpoint", s.Endpoint}, {"sts_endpoint", s.STSEndpoint}} {
		if k.got == "" {
			continue
		}
		u, err := url.Parse(k.got)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			errs = append(errs, fmt.Errorf("%s must be a URL of scheme and host (got %q), e.g. https://logs.eu-west-3.amazonaws.com", k.key, k.got))
		}
	}
	if s.Endpoint != "" && (s.UseFIPS || s.UseDualStack) {
		errs = append(errs, errors.New("endpoint is taken as it stands, so use_fips and use_dualstack say nothing beside it: remove one or the other"))
	}
	if s.CAFile != "" {
		if _, err := os.Stat(s.CAFile); err != nil {
			errs = append(errs, fmt.Errorf("ca_file: %w", err))
		}
	}
	return errors.Join(errs...)
}
