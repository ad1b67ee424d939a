package rules

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// RunbookBase is where the runbooks are; an alert's page is this and its name.
const RunbookBase = "https://github.com/vigie-otel/vigie/blob/main/dashboards/runbooks/"

// Runbook is the address of an alert's page.
func (a Alert) Runbook() string { return RunbookBase + a.Name + ".md" }

const header = "# Written by `make dashboards` from dashboards/rules: change it there.\n"

type yamlFile struct {
	Groups []yamlGroup `yaml:"groups"`
}

type yamlGroup struct {
	Name     string     `yaml:"name"`
	Interval string     `yaml:"interval"`
	Rules    []yamlRule `yaml:"rules"`
}

type yamlRule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Keep        string            `yaml:"keep_firing_for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// Write writes each file into the directory rules of dir, and removes rule
// files there that are no more.
func Write(dir string) error {
	dir = filepath.Join(dir, "rules")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the rules' directory: %w", err)
	}
	stale, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return fmt.Errorf("list old rules: %w", err)
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove old rules: %w", err)
		}
	}
	for _, f := range Files() {
		body, err := f.YAML()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name+".yaml"), body, 0o644); err != nil {
			return fmt.Errorf("write rules: %w", err)
		}
	}
	return nil
}

// YAML is the file as Prometheus reads it.
func (f File) YAML() ([]byte, error) {
	var out yamlFile
	for _, g := range f.Groups {
		yg := yamlGroup{Name: g.Name, Interval: duration(g.Interval)}
		for _, r := range g.Records {
			yg.Rules = append(yg.Rules, yamlRule{Record: r.Name, Expr: r.Expr, Labels: r.Labels})
		}
		for _, a := range g.Alerts {
			yg.Rules = append(yg.Rules, a.yaml())
		}
		out.Groups = append(out.Groups, yg)
	}
	var b bytes.Buffer
	b.WriteString(header)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("encode rules %s: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

func (a Alert) yaml() yamlRule {
	return yamlRule{
		Alert:  a.Name,
		Expr:   a.Expr,
		For:    duration(a.For),
		Keep:   duration(a.Keep),
		Labels: a.AllLabels(),
		Annotations: map[string]string{
			"summary":       a.Summary,
			"description":   a.Description,
			"runbook_url":   a.Runbook(),
			"dashboard_uid": a.Dashboard,
		},
	}
}

// AllLabels are the labels that the rule itself puts on the alert.
func (a Alert) AllLabels() map[string]string {
	labels := map[string]string{"severity": string(a.Severity), "kind": string(a.Kind)}
	maps.Copy(labels, a.Labels)
	return labels
}

// duration is d in Prometheus' words: whole days, hours, minutes or seconds.
func duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return ""
	case d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}
