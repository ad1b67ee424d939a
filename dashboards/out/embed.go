// Package out holds what `make dashboards` wrote, so that the binary can import
// and export it without the repository: Grafana's dashboards, the rules, and
// Alertmanager's configurations. Nothing is changed on the way.
package out

import "embed"

// Files are grafana/*.json, rules/*.yaml and alertmanager/*.yaml.
//
//go:embed grafana/*.json rules/*.yaml alertmanager/*.yaml
var Files embed.FS
