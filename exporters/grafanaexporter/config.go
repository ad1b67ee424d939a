package grafanaexporter

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configretry"
)

// Config of the exporter.
type Config struct {
	// ClientConfig is the HTTP client: endpoint is Grafana's root, e.g.
	// https://grafana.example or https://example/grafana; timeout bounds one call
	// (default 10s); tls, proxy_url, headers, auth and the rest as in every
	// collector component.
	confighttp.ClientConfig `mapstructure:",squash"`

	// TokenFile holds the token of a service account that may create, write and
	// read annotations. It is read for each call, so a token that is exchanged is
	// used at once, and one that is missing is waited for. Empty: none is sent,
	// for where auth or headers do it.
	TokenFile string `mapstructure:"token_file"`
	// OrgID is the organisation's number, where the token has several; 0: the
	// token's own.
	OrgID int64 `mapstructure:"org_id"`
	// DashboardUID and PanelID tie the annotations to a dashboard, and to one of
	// its panels. Empty and 0, the default: annotations of the organisation, which
	// every dashboard can show by the tag vigie.
	DashboardUID string `mapstructure:"dashboard_uid"`
	PanelID      int64  `mapstructure:"panel_id"`
	// Tags are put on every annotation beside Vigie's own, e.g. [cluster:arena].
	Tags []string `mapstructure:"tags"`
	// Link is a page that the text of a finding leads to; {id} in it becomes the
	// finding's id. Empty: none.
	Link string `mapstructure:"link"`
	// Actors puts the actors (prefixes, user agents) into the text. Default false:
	// more people see a dashboard than may see client addresses.
	Actors bool `mapstructure:"actors"`

	// Calendar is the path of the event calendar, whose matches, breaks and push
	// notifications are drawn; it is read again when it changes. Empty: only what
	// records say.
	Calendar string `mapstructure:"calendar"`
	// LogBook is the path of the war room's log book (room::timeline of the
	// warroom exporter), whose notes, severity and roles are drawn as they are
	// written. Empty: only what records say.
	LogBook string `mapstructure:"log_book"`

	// OpenAhead is how far past now the region of an open finding reaches, so that
	// a dashboard of the last minutes shows it. Default 5m. Half of it is the
	// longest time between two calls for a finding that says nothing new.
	OpenAhead time.Duration `mapstructure:"open_ahead"`
	// SilentAfter is how long a finding may say nothing before its region stops
	// growing; it goes on with the finding's next word. Default 30m.
	SilentAfter time.Duration `mapstructure:"silent_after"`
	// UpdateInterval is the shortest time between two calls for an open finding.
	// Default 10s; opening and closing never wait.
	UpdateInterval time.Duration `mapstructure:"update_interval"`
	// MaxEntries is how many findings and events are remembered. Default 5000, a
	// few kB each. Past it the ones that Grafana has and that are closed go first;
	// what goes beside them is counted in vigie.grafana.refused.
	MaxEntries int `mapstructure:"max_entries"`
	// Storage is the extension that keeps the table over restarts, e.g.
	// file_storage. Unset: in memory alone.
	Storage *component.ID `mapstructure:"storage"`
	// RetryOnFailure says how long to wait between calls while Grafana is away or
	// refuses: initial_interval (default 1s), max_interval (30s), multiplier and
	// randomization_factor. It never gives up: max_elapsed_time is not used, and
	// enabled must be true.
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	_ struct{} // keyed literals only
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxInterval, retry.MaxElapsedTime = time.Second, 30*time.Second, 0
	return &Config{
		ClientConfig: client, OpenAhead: 5 * time.Minute, SilentAfter: 30 * time.Minute, UpdateInterval: 10 * time.Second,
		MaxEntries: 5000, RetryOnFailure: retry,
	}
}

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	if u, err := url.Parse(c.Endpoint); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		errs = append(errs, fmt.Errorf("endpoint must be the address of Grafana's root (got %q), e.g. https://grafana.example", c.Endpoint))
	} else if strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/api") {
		errs = append(errs, fmt.Errorf("endpoint must be Grafana's root, without /api (got %q)", c.Endpoint))
	}
	if c.PanelID != 0 && c.DashboardUID == "" {
		errs = append(errs, fmt.Errorf("panel_id needs dashboard_uid (got %d without)", c.PanelID))
	}
	if c.PanelID < 0 || c.OrgID < 0 {
		errs = append(errs, fmt.Errorf("panel_id and org_id must be positive, or 0 for none (got %d and %d)", c.PanelID, c.OrgID))
	}
	if c.OpenAhead < time.Minute || c.OpenAhead > 24*time.Hour {
		errs = append(errs, fmt.Errorf("open_ahead must be between 1m and 24h (got %s), e.g. 5m", c.OpenAhead))
	}
	if c.SilentAfter < time.Minute {
		errs = append(errs, fmt.Errorf("silent_after must be 1m or longer (got %s), e.g. 30m", c.SilentAfter))
	}
	if c.UpdateInterval < 0 {
		errs = append(errs, fmt.Errorf("update_interval must not be negative (got %s), e.g. 10s", c.UpdateInterval))
	}
	if c.MaxEntries < 10 || c.MaxEntries > 50_000 {
		errs = append(errs, fmt.Errorf("max_entries must be between 10 and 50000 (got %d)", c.MaxEntries))
	}
	if !c.RetryOnFailure.Enabled {
		errs = append(errs, errors.New("retry_on_failure::enabled must be true: without it, findings would be lost while Grafana is away"))
	}
	if c.RetryOnFailure.InitialInterval < 100*time.Millisecond || c.RetryOnFailure.MaxInterval < c.RetryOnFailure.InitialInterval {
		errs = append(errs, fmt.Errorf("retry_on_failure::initial_interval must be 100ms or longer, and max_interval not shorter (got %s and %s)",
			c.RetryOnFailure.InitialInterval, c.RetryOnFailure.MaxInterval))
	}
	return errors.Join(append(errs, c.checkTags()...)...)
}

// checkTags holds the tags within what Grafana takes: 500 bytes in all, of which
// Vigie's own need at most ownTagBytes.
func (c *Config) checkTags() (errs []error) {
	total := 0
	for _, t := range c.Tags {
		key, value, _ := strings.Cut(t, ":")
		switch {
		case strings.TrimSpace(key) == "":
			errs = append(errs, fmt.Errorf("tags must not be empty (got %q), e.g. cluster:arena", t))
		case reserved(key):
			errs = append(errs, fmt.Errorf("tags must not use a key of Vigie's own (got %q); those are %s", t, strings.Join(ownKeys(), ", ")))
		case len([]rune(key)) > maxTag || len([]rune(value)) > maxTag:
			errs = append(errs, fmt.Errorf("tags must have keys and values of at most %d characters (got %q)", maxTag, t))
		}
		total += len(t) + 3
	}
	if total > maxTagBytes-ownTagBytes {
		errs = append(errs, fmt.Errorf("tags must have at most %d bytes together (got %d)", maxTagBytes-ownTagBytes, total))
	}
	return errs
}
