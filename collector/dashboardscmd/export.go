package dashboardscmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/dashboards/out"
)

// maxConfigMap is what Kubernetes takes as the data of one ConfigMap, in bytes.
const maxConfigMap = 1 << 20

// exporter writes files; its fields are the flags of export.
type exporter struct {
	format, out, dir         string
	namespace, label, folder string
}

// run gives the paths that were written.
func (e *exporter) run() ([]string, error) {
	boards, err := load(e.dir)
	if err != nil {
		return nil, err
	}
	var files map[string][]byte
	var order []string
	switch e.format {
	case "files":
		files, err = e.plain(boards)
	case "configmap":
		files, err = e.configMaps(boards)
	case "terraform":
		files, err = e.terraform(boards)
	default:
		return nil, fmt.Errorf("--format must be files, configmap or terraform (got %q)", e.format)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		to := filepath.Join(e.out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return order, fmt.Errorf("make the directory: %w", err)
		}
		if err := os.WriteFile(to, files[name], 0o644); err != nil {
			return order, fmt.Errorf("write %s: %w", name, err)
		}
		order = append(order, to)
	}
	return order, nil
}

// plain is everything under the names that it has in the repository.
func (e *exporter) plain(boards []board) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, b := range boards {
		files["grafana/"+b.file] = b.raw
	}
	for _, dir := range []string{"rules", "alertmanager"} {
		more, err := embedded(dir)
		if err != nil {
			return nil, err
		}
		for name, raw := range more {
			files[dir+"/"+name] = raw
		}
	}
	return files, nil
}

// embedded are the files of a directory in the binary, by name.
func embedded(dir string) (map[string][]byte, error) {
	entries, err := fs.ReadDir(out.Files, dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		raw, err := out.Files.ReadFile(path.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", entry.Name(), err)
		}
		files[entry.Name()] = raw
	}
	return files, nil
}

type configMap struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   metadata          `yaml:"metadata"`
	Data       map[string]string `yaml:"data"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace,omitempty"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// configMaps has one for each dashboard: none comes near the limit, and a
// dashboard that changes is one object that changes.
func (e *exporter) configMaps(boards []board) (map[string][]byte, error) {
	key, value, ok := strings.Cut(e.label, "=")
	if !ok || key == "" {
		return nil, fmt.Errorf("--label must be key=value, e.g. grafana_dashboard=1 (got %q)", e.label)
	}
	files := map[string][]byte{}
	var errs []error
	for _, b := range boards {
		if size := len(b.raw) + len(b.file); size > maxConfigMap {
			errs = append(errs, fmt.Errorf("%s has %d bytes, more than a ConfigMap takes (%d): bring it in with vigie dashboards import", b.file, size, maxConfigMap))
			continue
		}
		cm := configMap{
			APIVersion: "v1", Kind: "ConfigMap",
			Metadata: metadata{
				Name: objectName(b.uid), Namespace: e.namespace,
				Labels: map[string]string{key: value, "app.kubernetes.io/name": "vigie", "app.kubernetes.io/component": "dashboard"},
			},
			Data: map[string]string{b.file: string(b.raw)},
		}
		if e.folder != "" {
			cm.Metadata.Annotations = map[string]string{"grafana_folder": e.folder}
		}
		var buf bytes.Buffer
		enc := yaml.NewEncoder(&buf)
		enc.SetIndent(2)
		if err := enc.Encode(cm); err != nil {
			return nil, fmt.Errorf("encode ConfigMap of %s: %w", b.uid, err)
		}
		files[cm.Metadata.Name+".yaml"] = buf.Bytes()
	}
	return files, errors.Join(errs...)
}

// objectName is a uid as a name of Kubernetes'.
func objectName(uid string) string {
	name := slug(uid)
	if !strings.HasPrefix(name, "vigie") {
		name = "vigie-" + name
	}
	return name + "-dashboard"
}

// terraform is one file of variables, each a map from name to content, for
// for_each.
func (e *exporter) terraform(boards []board) (map[string][]byte, error) {
	dashboards := map[string]string{}
	for _, b := range boards {
		dashboards[b.uid] = string(b.raw)
	}
	rules, err := embedded("rules")
	if err != nil {
		return nil, err
	}
	namespaces := map[string]string{}
	for name, raw := range rules {
		namespaces["vigie-"+strings.TrimSuffix(name, ".yaml")] = string(raw)
	}
	definition, err := out.Files.ReadFile("alertmanager/amp.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the alert manager's definition: %w", err)
	}
	raw, err := encoded(map[string]any{
		"vigie_dashboards":               dashboards,
		"vigie_rule_namespaces":          namespaces,
		"vigie_alert_manager_definition": string(definition),
	})
	if err != nil {
		return nil, fmt.Errorf("encode variables: %w", err)
	}
	return map[string][]byte{"vigie.auto.tfvars.json": raw}, nil
}
