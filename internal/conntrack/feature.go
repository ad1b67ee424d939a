package conntrack

// kernelFilter is what is known of the kernel's filtering, learnt from its
// answers and kept for the life of a Conn.
type kernelFilter struct {
	refused bool // it answered that it can't: don't ask again
	ignored bool // it sent what the filter excludes
	known   bool
}

// verdict is what one dump shows of the kernel's filtering.
type verdict struct {
	entries, strangers int
	filtered           bool // NLM_F_DUMP_FILTERED: a filter is on, if not each field of it
}

// learn judges by a finished dump. A few strangers are no proof: an entry may
// change between the kernel's check and its copy. A tenth of what was sent is.
func (k *kernelFilter) learn(v verdict, all bool) {
	if all || k.refused || v.entries == 0 {
		return
	}
	k.known = true
	k.ignored = !v.filtered || v.strangers*10 > v.entries
}

// FilterSupport tells how the last filtered dump was filtered.
type FilterSupport uint8

// What Conn.KernelFilters answers.
const (
	FilterUnknown   FilterSupport = iota // no filtered dump with an entry yet
	FilterInKernel                       // the kernel sends only what was asked for
	FilterUserSpace                      // the kernel is too old for the filter: all entries are read and sorted out here
)

// String names the verdict for a log line.
func (s FilterSupport) String() string {
	return [...]string{"unknown", "kernel", "user space"}[s]
}

func (k *kernelFilter) support() FilterSupport {
	switch {
	case k.refused || k.known && k.ignored:
		return FilterUserSpace
	case k.known:
		return FilterInKernel
	}
	return FilterUnknown
}
