package emf

// Reason is why a data point made no metric.
type Reason int

// The reasons.
const (
	NotANumber    Reason = iota // NaN, infinite, or beyond ±2^360
	Stale                       // marked as without a value
	Initial                     // first of a cumulative series that began before us
	OutOfOrder                  // not newer than the point before
	TooManySeries               // over the bound of remembered series
	TooManyDims                 // more than 30 dimensions
	NameClash                   // the metric has the name of a dimension
	Unmatched                   // no rule wants it, or one that drops
	OverBudget                  // Allow said no, under each set
	NoDimensions                // each set of its rule lacks an attribute
	Unsupported                 // a type that we do not know
	reasons
)

func (r Reason) String() string {
	return [...]string{"not_a_number", "stale", "initial", "out_of_order", "too_many_series", "too_many_dimensions",
		"name_clash", "unmatched", "budget", "no_dimensions", "unsupported"}[r]
}

// Dropped counts data points by Reason.
type Dropped [reasons]int
