package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"
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
	// Through are the processors on the way that are on no other one; Shared are
	// also on others, and count what passes them on all of these together.
	Through []Step
	Shared  []string
	// Makers are the processors and connectors that make and use up items beside
	// passing them on.
	Makers []string
	// Batched says that a batch processor says yes before anybody behind it has,
	// Mixed that one does so for a part of the receivers only. Batches are those.
	Batched, Mixed bool
	Batches        []string
	// What a pipeline does not say, and its components' configuration does: Durable,
	// that the destination's queue is on disk; InItems, that it is measured in items;
	// Holds and For, how many items the batches may hold, and how long.
	Durable, InItems bool
	Holds            int64
	For              time.Duration
	// Start is what the destination's queue began with, of an earlier process, and
	// Began the same in the queue's own unit while its items are not known.
	Start, Began int64
	// Unknown says what cannot be counted.
	Unknown []string
}

// Step is a processor, and the receivers whose items come through it.
type Step struct {
	Processor string
	From      []string
}

// Known is what is known of types of components that do not count as the
// collector's helper does.
type Known struct {
	// Makers are processors that make items of their own, or use some up, and say
	// how many by vigie.ledger.made and .removed. Connectors need not be named: those
	// that do not say so are found out when they should.
	Makers []string
	// Passing are signals that a type passes on whole, whatever it does to them.
	Passing map[string][]string
}

// Vigie is what is known of Vigie's own.
var Vigie = Known{ //nolint:gochecknoglobals // a constant table
	Makers: []string{"attack_detection", "conntrack", "tail_sampling", "interval", "series_guard"},
	Passing: map[string][]string{
		"cloud_metadata":   {"logs", "metrics", "traces"},
		"attack_detection": {"traces"},
		"conntrack":        {"traces"},
	},
}

// Ways finds the ways of a configuration. A connector makes items of its own,
// unless it is a forward, and those of one signal all go to the same pipelines.
func Ways(pipelines []Pipeline, known Known) []Way {
	t := topology{pipelines: pipelines, makers: known.Makers, passing: known.Passing}
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
	passing   map[string][]string
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
			switch typ, alone := kind(id), t.alone(id, signal, times); {
			case typ == "batch":
				w.Batched, w.Batches = true, append(w.Batches, id)
			case typ == "memory_limiter" || slices.Contains(t.passing[typ], signal):
			case alone && slices.Contains(t.makers, typ):
				w.Makers = append(w.Makers, id)
			case alone:
				w.Through = append(w.Through, Step{id, t.sources(id, signal)})
			case slices.Contains(t.makers, typ):
				w.Unknown = append(w.Unknown, id+" is shared with pipelines that end elsewhere, and counts them together")
			default:
				w.Shared = append(w.Shared, id)
			}
		}
	}
	slices.Sort(w.From)
	slices.Sort(w.Makers)
	w.Makers = slices.Compact(w.Makers)
	w.Mixed = w.Batched && t.mixed(times)
	return w
}

// mixed tells whether something comes by a batch processor and something not. A
// pipeline behind a connector is on the way of all.
func (t topology) mixed(times map[string]int) bool {
	var with, without bool
	for _, p := range t.pipelines {
		if times[p.Name] == 0 {
			continue
		}
		batched := slices.ContainsFunc(p.Processors, func(id string) bool { return kind(id) == "batch" })
		connected := slices.ContainsFunc(p.Receivers, func(r string) bool {
			return slices.ContainsFunc(t.pipelines, func(q Pipeline) bool { return slices.Contains(q.Exporters, r) })
		})
		switch {
		case connected && batched:
			return false
		case !connected:
			with, without = with || batched, without || !batched
		}
	}
	return with && without
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
				w.Makers = append(w.Makers, r)
			}
		}
	}
}

// sources are the receivers of the pipelines that have a processor.
func (t topology) sources(id, signal string) []string {
	var all []string
	for _, p := range t.pipelines {
		if p.signal() != signal || !slices.Contains(p.Processors, id) {
			continue
		}
		for _, r := range p.Receivers {
			var up Way
			up.Signal = signal
			if t.walk(&up, r, map[string]int{}, 0); len(up.From) == 0 {
				up.From = []string{r}
			}
			all = append(all, up.From...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
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
