package dashboardscmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/vigie-otel/vigie/dashboards/out"
)

// maxDashboard bounds a dashboard's file, in bytes; Grafana's own are far below.
const maxDashboard = 4 << 20

// board is a dashboard's file.
type board struct {
	file, uid, title string
	raw              []byte         // as it stands in the file
	body             map[string]any // the same, read
}

// load reads the dashboards of a directory, or those in the binary, in the order
// of their names. Every mistake is told at once.
func load(dir string) ([]board, error) {
	files, err := source(dir)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no dashboard (*.json) in %s", dir)
	}
	var boards []board
	var errs []error
	seen := map[string]string{}
	for _, name := range names {
		b, err := read(files, name)
		if err == nil && seen[b.uid] != "" {
			err = fmt.Errorf("%s: the uid %q is also that of %s", name, b.uid, seen[b.uid])
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		seen[b.uid] = name
		boards = append(boards, b)
	}
	return boards, errors.Join(errs...)
}

func source(dir string) (fs.FS, error) {
	if dir == "" {
		return fs.Sub(out.Files, "grafana")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the dashboards' directory: %w", err)
	}
	return root.FS(), nil
}

func read(files fs.FS, name string) (board, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return board{}, fmt.Errorf("read dashboard: %w", err)
	}
	if info.Size() > maxDashboard {
		return board{}, fmt.Errorf("%s has %d bytes, more than a dashboard may have (%d)", name, info.Size(), maxDashboard)
	}
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return board{}, fmt.Errorf("read dashboard: %w", err)
	}
	b := board{file: path.Base(name), raw: raw}
	if err := json.Unmarshal(raw, &b.body); err != nil {
		return board{}, fmt.Errorf("%s is no dashboard: %w", name, err)
	}
	b.uid, _ = b.body["uid"].(string)
	b.title, _ = b.body["title"].(string)
	if b.uid == "" || b.title == "" || len(b.uid) > 40 {
		return board{}, fmt.Errorf("%s: a dashboard needs a title and a uid of up to 40 characters (got %q, %q)", name, b.title, b.uid)
	}
	return b, nil
}
