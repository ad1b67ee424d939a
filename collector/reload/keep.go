package reload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// save keeps sources at path, readable by this user alone: whole or not at all.
func save(path string, s Sources) error {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep configuration: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".last-*") // made 0600
	if err != nil {
		return fmt.Errorf("keep configuration: %w", err)
	}
	_, err = f.Write(append(body, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("keep configuration: %w", err)
	}
	return nil
}

// load gives what was kept at path; false where nothing was.
func load(path string) (s Sources, found bool, err error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	if err == nil && len(s.URIs) == 0 {
		err = errors.New("it names no sources")
	}
	if err != nil {
		return s, false, fmt.Errorf("read kept configuration %s: %w", path, err)
	}
	return s, true, nil
}
