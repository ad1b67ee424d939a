package ledger

import (
	"cmp"
	"slices"
	"strings"
)

// Pipeline is one of a configuration's service::pipelines.
type Pipeline struct {
	Name                             string // logs, logs/files
	Receivers, Processors, Exporters []string
}

func (p Pipeline) signal() string {
	s, _, _ := strings.Cut(p.Name, "/")
	return s
}

// Way is how a signal comes to a destination.
type Way struct {
	Signal string
	To     string // an exporter's ID
	// From are the receivers, one entry for each way from it to here.
	From []string
	// Through are the processors on the way that are on no other one.
	Through []string
	Batched bool // a batch processor says yes before anybody behind it has
	// Durable says that the destination's queue is on disk. Whoever knows the
	// exporter's configuration sets it: a pipeline does not say.
	Durable bool
	// Unknown says what cannot be counted.
	Unknown []string
}

// Ways finds the ways of a configuration. makers are types of components that make
// items of their own beside those they get; forward connectors make none.
func Ways(pipelines []Pipeline, makers ...string) []Way {
	t := topology{pipelines: pipelines, makers: makers}
	var ways []Way
	seen := map[[2]string]bool{}
	for _, p := range pipelines {
		for _, e := range p.Exporters {
			key := [2]string{p.signal(), e}
			if !seen[key] && len(t.fed(e)) == 0 {
				seen[key] = true
				ways = append(ways, t.way(p.signal(), e))
			}
		}
	}
	slices.SortFunc(ways, func(a, b Way) int { return cmp.Or(cmp.Compare(a.Signal, b.Signal), cmp.Compare(a.To, b.To)) })
	return ways
}

type topology struct {
	pipelines []Pipeline
	makers    []string
}

// fed are the pipelines that a component feeds: none of an exporter.
func (t topology) fed(component string) []Pipeline {
	return slices.DeleteFunc(slices.Clone(t.pipelines), func(p Pipeline) bool { return !slices.Contains(p.Receivers, component) })
}

func (t topology) way(signal, to string) Way {
	w := Way{Signal: signal, To: to}
	times := map[string]int{} // how often each pipeline lies on the way
	t.walk(&w, to, times, 0)
	used := map[string]bool{}
	for _, p := range t.pipelines {
		for _, id := range p.Processors {
			if times[p.Name] == 0 || used[id] {
				continue
			}
			used[id] = true
			switch typ := kind(id); {
			case typ == "batch":
				w.Batched = true
			case typ == "memory_limiter":
			case slices.Contains(t.makers, typ):
				w.Unknown = append(w.Unknown, id+" makes items of its own")
			case t.alone(id, signal, times):
				w.Through = append(w.Through, id)
			default:
				w.Unknown = append(w.Unknown, id+" is shared with pipelines that end elsewhere, and counts them together")
			}
		}
	}
	slices.Sort(w.From)
	return w
}

// walk goes from a destination to the receivers. Connectors cannot be in a circle,
// but what is read here need not be a valid configuration.
func (t topology) walk(w *Way, to string, times map[string]int, depth int) {
	if depth > len(t.pipelines) {
		return
	}
	for _, p := range t.pipelines {
		if p.signal() != w.Signal || !slices.Contains(p.Exporters, to) {
			continue
		}
		times[p.Name]++
		for _, r := range p.Receivers {
			from := slices.DeleteFunc(slices.Clone(t.pipelines), func(q Pipeline) bool { return !slices.Contains(q.Exporters, r) })
			switch {
			case len(from) == 0:
				w.From = append(w.From, r)
			case kind(r) == "forward":
				t.walk(w, r, times, depth+1)
			default:
				w.Unknown = append(w.Unknown, r+" makes items of its own")
			}
		}
	}
}

// alone tells whether all that a processor counts of the signal is on the way,
// once.
func (t topology) alone(id, signal string, times map[string]int) bool {
	for _, p := range t.pipelines {
		if p.signal() == signal && slices.Contains(p.Processors, id) && times[p.Name] != 1 {
			return false
		}
	}
	return true
}

func kind(id string) string {
	typ, _, _ := strings.Cut(id, "/")
	return typ
}
