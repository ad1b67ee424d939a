package checkcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/calendar"
)

// What a directory of queues should have free, in bytes.
const (
	roomFails = 64 << 20
	roomWarns = 1 << 30
)

// directories are those of storage extensions and of the embedded store.
func (p *plan) directories() (out []probe) {
	seen := map[string]bool{}
	add := func(part, dir string, create bool) {
		if dir == "" || seen[dir] {
			return
		}
		seen[dir] = true
		out = append(out, probe{part, func(context.Context) []Result { return one(directory(dir, create)) }})
	}
	for _, id := range p.extensions {
		if id.Type().String() != "file_storage" {
			continue
		}
		s := struct {
			Directory string `mapstructure:"directory"`
			Create    bool   `mapstructure:"create_directory"`
		}{Directory: "/var/lib/otelcol/file_storage"}
		if err := p.part("extensions::"+id.String(), &s); err == nil {
			add("extensions::"+id.String(), s.Directory, s.Create)
		}
	}
	for _, u := range p.exporters {
		if u.id.Type().String() != "warroom" {
			continue
		}
		var s struct {
			Store struct {
				Directory string `mapstructure:"directory"`
			} `mapstructure:"store"`
		}
		s.Store.Directory = "data/store"
		if err := p.part(u.key(), &s); err == nil {
			add(u.key(), s.Store.Directory, true)
		}
	}
	return out
}

func directory(dir string, create bool) Result {
	info, err := os.Stat(dir)
	where := dir
	switch {
	case err == nil && !info.IsDir():
		return fail("move the file away, or take another directory", "%s is a file", dir)
	case errors.Is(err, os.ErrNotExist) && !create:
		return fail("make it, or set create_directory: true", "%s is not there", dir)
	case errors.Is(err, os.ErrNotExist):
		if where, err = parent(dir); err != nil {
			return fail("make it", "%s cannot be made: %v", dir, err)
		}
	case err != nil:
		return fail("let this user read it", "%v", err)
	}
	probe, err := os.CreateTemp(where, ".vigie-check-*")
	if err != nil {
		return fail(fmt.Sprintf("let user %d write there (chown, or fsGroup in Kubernetes)", os.Getuid()), "%s cannot be written to: %v", where, errors.Unwrap(err))
	}
	name := probe.Name()
	err = errors.Join(probe.Close(), os.Remove(name))
	if err != nil {
		return warn("remove it", "%s stays behind: %v", name, err)
	}
	will := ""
	if where != dir {
		will = " will be made and"
	}
	free, known := freeBytes(where)
	if !known {
		return ok("%s%s can be written to", dir, will)
	}
	return room(dir, will, free)
}

func room(dir, will string, free uint64) Result {
	switch {
	case free < roomFails:
		return fail("make room: queues that cannot be written lose data", "%s has %s free", dir, size(free))
	case free < roomWarns:
		return warn("make room for an outage: queues grow while an endpoint is away", "%s has %s free", dir, size(free))
	}
	return ok("%s%s can be written to, %s free", dir, will, size(free))
}

// parent is the nearest directory above that is there.
func parent(dir string) (string, error) {
	for {
		up := filepath.Dir(dir)
		info, err := os.Stat(up)
		switch {
		case err == nil && info.IsDir():
			return up, nil
		case err == nil:
			return "", fmt.Errorf("%s is a file", up)
		case !errors.Is(err, os.ErrNotExist) || up == dir:
			return "", err
		}
		dir = up
	}
}

func size(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	default:
		return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
	}
}

// calendars are the files that parts in use name.
func (p *plan) calendars() (out []probe) {
	var paths []string
	see := func(path string) {
		if path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, id := range p.processors {
		if path, isText := p.conf.Get("processors::" + id.String() + "::calendar").(string); isText {
			see(path)
		}
	}
	for _, u := range p.exporters {
		for _, key := range []string{"::calendar", "::room::calendar"} {
			if path, isText := p.conf.Get(u.key() + key).(string); isText {
				see(path)
			}
		}
	}
	for _, path := range paths {
		out = append(out, probe{"calendar", func(context.Context) []Result { return calendarFile(path, time.Now()) }})
	}
	return out
}

// namedProblems bounds the lines of one calendar.
const namedProblems = 10

func calendarFile(path string, now time.Time) (out []Result) {
	c, problems, err := calendar.Load(path)
	if err != nil {
		return one(fail("mend the file; without it the detector expects no crowd", "%s: %s", path, strings.TrimPrefix(lastWords(err), path+": ")))
	}
	for i, pr := range problems {
		if i == namedProblems {
			out = append(out, warn("mend them", "%s: %s more", path, plural(len(problems)-i, "problem")))
			break
		}
		out = append(out, warn("mend it", "%s: %v", path, pr))
	}
	next := c.Next(now)
	if running, phase := c.Phase(now); running != nil {
		return append(out, ok("%s: %s is on (%s)", path, running.Name, phase))
	}
	if next == nil {
		return append(out, warn("enter the next event, if there is one", "%s has no event to come", path))
	}
	return append(out, ok("%s: next is %s at %s, in %s", path, next.Name, next.KickOff.Format(time.RFC3339), next.KickOff.Sub(now).Round(time.Minute)))
}

// lastWords is an error without "open calendar: open ".
func lastWords(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
