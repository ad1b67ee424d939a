package k8seventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// cluster is how the API server is talked to.
type cluster struct {
	http   *http.Client
	events corev1.EventsGetter
	leases coordinationv1.LeasesGetter
}

// connect makes the clients; it asks nobody yet.
func (c *Config) connect(dial dialer) (*cluster, error) {
	conf, err := c.rest()
	if err != nil {
		return nil, err
	}
	conf.Dial, conf.UserAgent, conf.WarningHandler = dial, "vigie", rest.NoWarnings{}
	client, err := rest.HTTPClientFor(conf)
	if err != nil {
		return nil, fmt.Errorf("make a client of the API server: %w", err)
	}
	events, err := corev1.NewForConfigAndClient(conf, client)
	if err != nil {
		return nil, fmt.Errorf("make a client of events: %w", err)
	}
	leases, err := coordinationv1.NewForConfigAndClient(conf, client)
	if err != nil {
		return nil, fmt.Errorf("make a client of leases: %w", err)
	}
	return &cluster{http: client, events: events, leases: leases}, nil
}

// rest says where the API server is and how to prove who we are. A token is read
// from its file again as it is renewed.
func (c *Config) rest() (*rest.Config, error) {
	if c.AuthType == authKubeConfig {
		rules := clientcmd.NewDefaultClientConfigLoadingRules()
		rules.ExplicitPath = c.KubeConfig
		over := &clientcmd.ConfigOverrides{CurrentContext: c.Context}
		over.ClusterInfo.Server = c.Endpoint
		conf, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, over).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("read the kubeconfig: %w", err)
		}
		return conf, nil
	}
	host := c.Endpoint
	if host == "" {
		name, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
		if name == "" || port == "" {
			return nil, errors.New("no API server is known: not in a pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set); set endpoint, or auth_type to kubeConfig")
		}
		host = "https://" + net.JoinHostPort(name, port)
	}
	conf := &rest.Config{Host: host}
	if c.AuthType == authNone {
		conf.Insecure = strings.HasPrefix(host, "https:")
		return conf, nil
	}
	conf.BearerTokenFile = filepath.Join(c.ServiceAccount, "token")
	if _, err := os.Stat(conf.BearerTokenFile); err != nil {
		return nil, fmt.Errorf("find the service account's token (is automountServiceAccountToken off?): %w", err)
	}
	conf.CAFile = filepath.Join(c.ServiceAccount, "ca.crt")
	return conf, nil
}

// leaseNamespace is where the Lease is, or should be.
func (c *Config) leaseNamespace() (string, error) {
	if n := c.LeaderElection.Namespace; n != "" {
		return n, nil
	}
	b, err := os.ReadFile(filepath.Join(c.ServiceAccount, "namespace"))
	if err != nil {
		return "", fmt.Errorf("leader_election::namespace is not set, and there is none of a service account: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
