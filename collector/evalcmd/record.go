package evalcmd

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/vigie-otel/vigie/internal/score"
)

// record is the file of --raw: a line that names the build, then a line a run, with
// the outcome of each judge, written as the run ends.
type record struct {
	had  map[score.Case][]*score.Outcome // what the file had at the start
	used int                             // cases that came from it; of all's goroutine

	mu   sync.Mutex
	file *os.File // nil without --raw and after close; guarded by mu
}

type recordHead struct {
	Build string `json:"build"` // SHA-256 of the program
}

// openRecord opens --raw; without --resume what it had is gone.
func (f *runFlags) openRecord() (*record, error) {
	r := &record{had: map[score.Case][]*score.Outcome{}}
	if f.raw == "" {
		if f.resume {
			return nil, errors.New("--resume goes on from what --raw FILE holds: name the file")
		}
		return r, nil
	}
	build, err := thisBuild()
	if err != nil {
		return nil, fmt.Errorf("tell this build from others: %w", err)
	}
	flags := os.O_CREATE | os.O_RDWR | os.O_APPEND
	if !f.resume {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(f.raw, flags, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open raw outcomes: %w", err)
	}
	r.file = file
	whole, err := r.read(build)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("resume from %s: %w", f.raw, err), file.Close())
	}
	// The last line may be half a line: the one that was being written.
	if err := file.Truncate(whole); err != nil {
		return nil, errors.Join(fmt.Errorf("resume from %s: %w", f.raw, err), file.Close())
	}
	if whole == 0 {
		return r, json.NewEncoder(file).Encode(recordHead{Build: build})
	}
	return r, nil
}

// read takes in what the file has and returns how many bytes of it are whole lines.
func (r *record) read(build string) (whole int64, err error) {
	lines := bufio.NewReader(r.file)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		if whole == 0 {
			var head recordHead
			if err := json.Unmarshal(line, &head); err != nil || head.Build != build {
				return 0, errors.New("another build wrote it, and its outcomes are not this one's: leave --resume out to begin anew")
			}
		} else {
			var outcomes []*score.Outcome
			if err := json.Unmarshal(line, &outcomes); err != nil || len(outcomes) == 0 {
				return whole, fmt.Errorf("byte %d is no run's outcomes: %w", whole, err)
			}
			r.had[outcomes[0].Case] = outcomes
		}
		whole += int64(len(line))
	}
}

// of are the case's outcomes where the file had them, nil where it had not.
func (r *record) of(c score.Case) []*score.Outcome {
	outcomes := r.had[c]
	if outcomes != nil {
		r.used++
	}
	return outcomes
}

// add writes a run's outcomes.
func (r *record) add(outcomes []*score.Outcome) error {
	line, err := json.Marshal(outcomes)
	if err != nil {
		return fmt.Errorf("write raw outcomes: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write raw outcomes: %w", err)
	}
	return nil
}

func (r *record) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	file := r.file
	r.file = nil
	return file.Close()
}

// thisBuild is the SHA-256 of the running program.
func thisBuild() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
