package reload

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// watch sends on changed whenever these files, and the others, are no longer as in
// known, once they have not changed for settle. It returns when ctx is done.
func (r *Runner) watch(ctx context.Context, known print, of Sources, others []string, changed chan<- struct{}) {
	paths := append(of.paths(), others...)
	if len(paths) == 0 {
		return
	}
	events := r.notify(ctx, paths)
	poll := time.NewTicker(r.Poll)
	defer poll.Stop()
	for {
		if now := printNow(of, others); now != known {
			now, ok := r.settled(ctx, now, of, others)
			if !ok {
				return
			}
			if now != known {
				known = now
				select {
				case changed <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		case <-events:
		}
	}
}

// settled waits until two looks a Settle apart are the same, ten of them at most.
func (r *Runner) settled(ctx context.Context, seen print, of Sources, others []string) (print, bool) {
	for range 10 {
		select {
		case <-ctx.Done():
			return seen, false
		case <-time.After(r.Settle):
		}
		now := printNow(of, others)
		if now == seen {
			return now, true
		}
		seen = now
	}
	return seen, true
}

// notify wakes its reader when something happens to one of the paths. Where the
// kernel gives no inotify, nothing does: there is polling.
func (r *Runner) notify(ctx context.Context, paths []string) <-chan struct{} {
	wake := make(chan struct{}, 1)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		r.State.Logger().Info("Configuration files are looked at from time to time only: no inotify.", zap.Duration("every", r.Poll), zap.Error(err))
		return wake
	}
	// The directories, also those that links lead to: editors and ConfigMaps put a
	// new file in the place of the old one.
	var names, dirs []string
	for _, p := range paths {
		for _, at := range []string{p, resolved(p)} {
			names = append(names, filepath.Base(at))
			if dir := filepath.Dir(at); !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
				_ = w.Add(dir) // one that is not there is polled
			}
		}
	}
	r.wait.Go(func() {
		defer w.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-w.Events:
				if !ok {
					return
				}
				if base := filepath.Base(e.Name); slices.Contains(names, base) || strings.HasPrefix(base, "..") {
					select {
					case wake <- struct{}{}:
					default:
					}
				}
			case <-w.Errors: // an overflow, say; polling finds what was missed
			}
		}
	})
	return wake
}

func resolved(path string) string {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		return at
	}
	return path
}
