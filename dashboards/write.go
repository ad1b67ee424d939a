package dashboards

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Write puts every dashboard into dir/grafana, named by its uid, and removes the
// JSON files there that are none of them. Files that are right already are left
// alone.
func Write(dir string) error {
	dir = filepath.Join(dir, "grafana")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, d := range All() {
		raw, err := d.JSON()
		if err != nil {
			return err
		}
		path := filepath.Join(dir, d.UID+".json")
		keep[path] = true
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, raw) {
			continue
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			return fmt.Errorf("dashboard %s: %w", d.UID, err)
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if !keep[path] {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
