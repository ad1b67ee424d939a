package gather

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Access is how the API server is found.
type Access struct {
	Kubeconfig string // a file; empty: KUBECONFIG, ~/.kube/config, then the pod's own
	Context    string // of the kubeconfig; empty: its current one
	UserAgent  string
}

// ErrNoCluster says that nothing names an API server.
var ErrNoCluster = errors.New("no API server is known: give --kubeconfig, set KUBECONFIG, or run in a pod with a service account's token")

// API reads the API server.
type API struct {
	base   *url.URL
	client *http.Client
}

// Connect makes a client; it asks nobody yet. A name of the context is empty in a
// pod.
func Connect(a Access) (api *API, name string, err error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = a.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: a.Context})
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	var conf *rest.Config
	if name = raw.CurrentContext; a.Context != "" {
		name = a.Context
	}
	if len(raw.Clusters) == 0 && a.Kubeconfig == "" && a.Context == "" {
		name = ""
		if conf, err = rest.InClusterConfig(); errors.Is(err, rest.ErrNotInCluster) {
			return nil, "", ErrNoCluster
		}
	} else {
		conf, err = loader.ClientConfig()
	}
	if err != nil {
		return nil, "", fmt.Errorf("read how to reach the API server: %w", err)
	}
	api, err = NewAPI(conf, a.UserAgent)
	return api, name, err
}

// NewAPI makes a client of a configuration.
func NewAPI(conf *rest.Config, agent string) (*API, error) {
	conf = rest.CopyConfig(conf)
	conf.UserAgent, conf.WarningHandler = agent, rest.NoWarnings{}
	client, err := rest.HTTPClientFor(conf)
	if err != nil {
		return nil, fmt.Errorf("make a client of the API server: %w", err)
	}
	base, _, err := rest.DefaultServerUrlFor(conf)
	if err != nil {
		return nil, fmt.Errorf("read the API server's address: %w", err)
	}
	// A redirect of an API server leads nowhere that a token should go.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Timeout = time.Minute
	return &API{base, client}, nil
}

// Host is the API server's, for a person.
func (a *API) Host() string { return a.base.Host }
