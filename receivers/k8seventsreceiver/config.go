package k8seventsreceiver

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Ways to prove to the API server who we are.
const (
	authServiceAccount = "serviceAccount"
	authKubeConfig     = "kubeConfig"
	authNone           = "none"
)

// maxNamespaces bounds the watches: each is a connection's stream and a goroutine.
const maxNamespaces = 64

// Config of the receiver.
type Config struct {
	// AuthType is serviceAccount (the pod's own), kubeConfig (a file, see
	// KubeConfig), or none: no proof, and the server's is not asked for either.
	// Default: serviceAccount.
	AuthType string `mapstructure:"auth_type"`
	// KubeConfig is the path of a kubeconfig file, for auth_type kubeConfig. Default:
	// as kubectl finds it (KUBECONFIG, then ~/.kube/config).
	KubeConfig string `mapstructure:"kubeconfig"`
	// Context of the kubeconfig. Default: its current one.
	Context string `mapstructure:"context"`
	// ServiceAccount is the directory of token, ca.crt and namespace. Default:
	// /var/run/secrets/kubernetes.io/serviceaccount.
	ServiceAccount string `mapstructure:"service_account"`
	// Endpoint is the API server's URL. Default: what KUBERNETES_SERVICE_HOST and
	// KUBERNETES_SERVICE_PORT, or the kubeconfig, say.
	Endpoint string `mapstructure:"endpoint"`

	// Namespaces whose events are read, 64 at most. Default: all; that needs the
	// right to read events in the whole cluster.
	Namespaces []string `mapstructure:"namespaces"`
	// StartAt says what the first run tells of, that knows no position: beginning
	// (what the API server still has, an hour by default) or end. Default: beginning.
	StartAt string `mapstructure:"start_at"`
	// Storage is the extension that keeps the position over restarts, e.g.
	// file_storage. Default: none; then the Lease alone has it, if there is one.
	Storage *component.ID `mapstructure:"storage"`
	// LeaderElection lets one of several instances read.
	LeaderElection LeaderElection `mapstructure:"leader_election"`
	// Batch says how many records leave together.
	Batch Batch `mapstructure:"batch"`
	// Remembered is how many events are known by uid and count, the newest. Each is
	// some 150 bytes. Default: 10000.
	Remembered int `mapstructure:"remembered"`
	// Retry is how long to wait between attempts, of requests and of offers to the
	// pipeline. They never end.
	Retry Retry `mapstructure:"retry"`
}

// LeaderElection is about the Lease that instances compete for.
type LeaderElection struct {
	// Enabled: without it each instance reads. Default: false.
	Enabled bool `mapstructure:"enabled"`
	// Namespace of the Lease. Default: the service account's.
	Namespace string `mapstructure:"namespace"`
	// Lease is its name. Default: vigie-k8s-events.
	Lease string `mapstructure:"lease"`
}

// Batch bounds what leaves together.
type Batch struct {
	// MaxRecords of one batch, and of one page of a list. Default: 500.
	MaxRecords int `mapstructure:"max_records"`
	// Timeout is how long a record waits for others. Default: 200ms; 0: it doesn't.
	Timeout time.Duration `mapstructure:"timeout"`
}

// Retry is an exponential wait with jitter.
type Retry struct {
	// InitialInterval is the first wait. Default: 500ms.
	InitialInterval time.Duration `mapstructure:"initial_interval"`
	// MaxInterval is the longest. Default: 30s.
	MaxInterval time.Duration `mapstructure:"max_interval"`
}

func createDefaultConfig() *Config {
	return &Config{
		AuthType:       authServiceAccount,
		ServiceAccount: "/var/run/secrets/kubernetes.io/serviceaccount",
		StartAt:        "beginning",
		LeaderElection: LeaderElection{Lease: "vigie-k8s-events"},
		Batch:          Batch{MaxRecords: 500, Timeout: 200 * time.Millisecond},
		Remembered:     10000,
		Retry:          Retry{InitialInterval: 500 * time.Millisecond, MaxInterval: 30 * time.Second},
	}
}

// Validate tells everything that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !slices.Contains([]string{authServiceAccount, authKubeConfig, authNone}, c.AuthType) {
		wrong("auth_type takes %s, %s or %s (got %q)", authServiceAccount, authKubeConfig, authNone, c.AuthType)
	}
	if c.AuthType != authKubeConfig && (c.KubeConfig != "" || c.Context != "") {
		wrong("kubeconfig and context go with auth_type %s (got %q)", authKubeConfig, c.AuthType)
	}
	if u, err := url.Parse(c.Endpoint); c.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		wrong("endpoint must be a URL (got %q), e.g. https://10.0.0.1:443", c.Endpoint)
	}
	if c.StartAt != "beginning" && c.StartAt != "end" {
		wrong("start_at takes beginning or end (got %q)", c.StartAt)
	}
	if len(c.Namespaces) > maxNamespaces {
		wrong("namespaces takes %d at most (got %d); leave it out to read all", maxNamespaces, len(c.Namespaces))
	}
	for i, n := range c.Namespaces {
		if strings.TrimSpace(n) == "" || slices.Contains(c.Namespaces[:i], n) {
			wrong("namespaces must be named, and once each (got %q)", n)
		}
	}
	if c.LeaderElection.Enabled && c.LeaderElection.Lease == "" {
		wrong("leader_election::lease must be a name, e.g. vigie-k8s-events")
	}
	if c.Batch.MaxRecords < 1 || c.Batch.MaxRecords > 10000 {
		wrong("batch::max_records must be within 1 and 10000 (got %d), e.g. 500", c.Batch.MaxRecords)
	}
	if c.Batch.Timeout < 0 {
		wrong("batch::timeout must not be negative (got %s), e.g. 200ms", c.Batch.Timeout)
	}
	if c.Remembered < 1 {
		wrong("remembered must be positive (got %d), e.g. 10000", c.Remembered)
	}
	if c.Retry.InitialInterval <= 0 || c.Retry.MaxInterval < c.Retry.InitialInterval {
		wrong("retry::initial_interval must be positive, and not over max_interval (got %s and %s), e.g. 500ms and 30s", c.Retry.InitialInterval, c.Retry.MaxInterval)
	}
	return errors.Join(errs...)
}
