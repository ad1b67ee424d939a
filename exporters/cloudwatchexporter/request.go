package cloudwatchexporter

import (
	"context"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
)

// destination is a log stream. EMF documents are told apart, since their request
// carries a header.
type destination struct {
	group, stream string
	emf           bool
}

// part is what one stream gets, in the order of arrival.
type part struct {
	to     destination
	events []event
}

// request is what the queue holds and the sender sends: log events, made, sized
// and assigned to their streams. Data is converted before it is queued, so that
// a retry, or a restart, sends the same bytes and no delta is computed twice.
type request struct {
	parts []part
	where map[destination]int // index into parts
	count int                 // records and data points
	bytes int                 // as the service counts
}

var _ xexporterhelper.RequestErrorHandler = (*request)(nil)

func newRequest() *request { return &request{where: map[destination]int{}} }

// part returns the index of a destination's part.
func (r *request) part(to destination) int {
	i, ok := r.where[to]
	if !ok {
		i = len(r.parts)
		r.where[to] = i
		r.parts = append(r.parts, part{to: to})
	}
	return i
}

func (r *request) add(at int, e event) {
	r.parts[at].events = append(r.parts[at].events, e)
	r.count += int(e.records)
	r.bytes += e.size()
}

// ItemsCount is the number of log records or data points.
func (r *request) ItemsCount() int { return r.count }

// BytesSize is what the service counts and bills.
func (r *request) BytesSize() int { return r.bytes }

// OnError keeps what is left to be sent.
func (r *request) OnError(err error) xexporterhelper.Request {
	if rest := unsent(err); rest != nil {
		return rest
	}
	return r
}

// MergeSplit appends other to r and cuts the whole into requests of at most
// limit, keeping the order within a stream. An event is never cut: one that is
// larger than the limit makes a request of its own.
func (r *request) MergeSplit(_ context.Context, limit int, sizer exporterhelper.RequestSizerType, other xexporterhelper.Request) ([]xexporterhelper.Request, error) {
	if o, ok := other.(*request); ok && o != nil {
		r.merge(o)
	}
	size := func(e *event) int { return e.size() }
	total := r.bytes
	if sizer == exporterhelper.RequestSizerTypeItems {
		size, total = func(e *event) int { return int(e.records) }, r.count
	}
	if limit == 0 || total <= limit {
		return []xexporterhelper.Request{r}, nil
	}
	var all []xexporterhelper.Request
	cut, held := newRequest(), 0
	for i := range r.parts {
		at := -1
		for _, e := range r.parts[i].events {
			if n := size(&e); held > 0 && held+n > limit {
				all, cut, held, at = append(all, cut), newRequest(), 0, -1
			}
			if at < 0 {
				at = cut.part(r.parts[i].to)
			}
			cut.add(at, e)
			held += size(&e)
		}
	}
	if len(cut.parts) > 0 || len(all) == 0 {
		all = append(all, cut)
	}
	return all, nil
}

func (r *request) merge(o *request) {
	for i := range o.parts {
		at := r.part(o.parts[i].to)
		if len(r.parts[at].events) == 0 {
			r.parts[at].events = o.parts[i].events
		} else {
			r.parts[at].events = append(r.parts[at].events, o.parts[i].events...)
		}
	}
	r.count += o.count
	r.bytes += o.bytes
}
