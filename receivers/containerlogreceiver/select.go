package containerlogreceiver

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/vigie-otel/vigie/internal/cri"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/podlist"
)

// Selectors choose by labels or annotations: "key", or "key=value" where the value
// is a glob.
type Selectors struct {
	Include []string `mapstructure:"include"`
	Exclude []string `mapstructure:"exclude"`
}

func (s Selectors) chosen(has map[string]string) bool {
	return (len(s.Include) == 0 || selected(s.Include, has)) && !selected(s.Exclude, has)
}

func selected(selectors []string, has map[string]string) bool {
	return slices.ContainsFunc(selectors, func(s string) bool {
		key, want, valued := strings.Cut(s, "=")
		got, ok := has[key]
		if !ok || !valued {
			return ok
		}
		match, _ := path.Match(want, got)
		return match
	})
}

// settle finds out how a source is to be read: by what its pod asks, where that
// is known, else as configured. It is asked again with each new list of pods.
func (r *reader) settle(s *source) {
	s.settled = r.pods.Generation()
	s.off, s.reading, s.multiline = false, r.reading, r.config.Multiline.Mode
	if s.who.pod == "" || r.pods == nil {
		return
	}
	pod, known := r.pods.Get(s.who.namespace, s.who.pod)
	if !known {
		r.pods.Want()
		return
	}
	s.off = !r.config.Labels.chosen(pod.Labels) || !r.config.Annotations.chosen(pod.Annotations)
	if err := s.asked(pod); err != nil {
		r.complain("annotation", fmt.Errorf("%w of pod %s/%s", err, s.who.namespace, s.who.pod))
	}
}

// asked takes what a pod's annotations ask for.
func (s *source) asked(pod podlist.Pod) (err error) {
	ask := func(key string, take func(value string) bool) {
		value, ok := pod.Annotations[key+"."+s.who.name]
		if !ok {
			value, ok = pod.Annotations[key]
		}
		if ok && !take(strings.ToLower(strings.TrimSpace(value))) {
			err = fmt.Errorf("annotation %s: %q is not understood; the default holds", key, value)
		}
	}
	ask(names.PodLogs, func(v string) bool {
		switch v {
		case "off", "false", "no", "exclude":
			s.off = true
			return true
		}
		return v == "on" || v == "true" || v == "yes"
	})
	ask(names.PodFormat, func(v string) bool {
		how, err := readingOf(v)
		if err == nil {
			s.reading = how
		}
		return err == nil
	})
	ask(names.PodMultiline, func(v string) bool {
		switch v {
		case "java", "kotlin", "python", "go", "dotnet", "node", "nodejs": // the joiner knows them all
			v = "on"
		case "false":
			v = "off"
		}
		if v != "on" && v != "off" && v != "auto" {
			return false
		}
		s.multiline = v
		return true
	})
	return err
}

// joins tells whether a source's traces are joined.
func (s *source) joins() bool {
	return s.multiline == "on" || s.multiline == "auto" && s.format != cri.Raw
}
