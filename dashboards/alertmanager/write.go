package alertmanager

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

const header = "# Written by `make dashboards` from dashboards/alertmanager: change it there.\n"

// Write writes both into the directory alertmanager of dir.
func Write(dir string) error {
	dir = filepath.Join(dir, "alertmanager")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make Alertmanager's directory: %w", err)
	}
	for name, make := range map[string]func() ([]byte, error){"plain.yaml": Plain, "amp.yaml": AMP} {
		body, err := make()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			return fmt.Errorf("write Alertmanager's configuration: %w", err)
		}
	}
	return nil
}

// Plain is the configuration for an Alertmanager of one's own.
func Plain() ([]byte, error) {
	body, err := encode(config{Route: routes(), Inhibit: inhibitions(), Receivers: plainReceivers()})
	return append([]byte(header), body...), err
}

// AMP is the alert manager definition of Amazon Managed Prometheus: a document
// whose alertmanager_config is the configuration as text.
func AMP() ([]byte, error) {
	inner, err := encode(config{Route: routes(), Inhibit: inhibitions(), Receivers: ampReceivers()})
	if err != nil {
		return nil, err
	}
	body, err := encode(struct {
		Config string `yaml:"alertmanager_config"`
	}{string(inner)})
	return append([]byte(header), body...), err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode Alertmanager's configuration: %w", err)
	}
	return b.Bytes(), nil
}
