package headroom

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/vigie-otel/vigie/internal/forecast"
)

// Store answers PromQL; promstore.Store does.
type Store interface {
	Query(ctx context.Context, expr string, at time.Time) (*promql.Result, error)
	QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (*promql.Result, error)
}

// What is read of a series: raw for fine, one each step of the hour before.
const (
	fine       = 4 * time.Minute
	past       = time.Hour
	coarseStep = 15 * time.Second
	// shareStep is as long as the rate's own window: closer readings share samples,
	// and a load that steps up would look like one that climbs to its limit. With
	// one a minute only a climb of some eight minutes is forecast.
	shareStep = time.Minute
	// etaFresh: the processor falls silent when growth ends, and a query would
	// repeat its last word for five minutes.
	etaFresh = "15s"
)

// Read evaluates the walls of machines and processes at a time. It always returns a
// report: what fails is in Missing.
func Read(ctx context.Context, store Store, at time.Time) Report {
	rep := Report{At: at, Walls: []Wall{}, Missing: []Missing{}}
	for i := range kinds {
		k := &kinds[i]
		walls, unlimited, err := k.read(ctx, store, at)
		switch {
		case err != nil:
			rep.Missing = append(rep.Missing, Missing{k.name, "could not be read: " + err.Error()})
		case unlimited > 0 && k.endless != "":
			rep.Missing = append(rep.Missing, Missing{k.name, fmt.Sprintf(k.endless, unlimited)})
		case unlimited > 0:
			rep.Missing = append(rep.Missing, Missing{k.name, fmt.Sprintf("%d in use of which nothing tells the limit (%s)", unlimited, strings.Join(k.limit, " or "))})
		case len(walls) == 0:
			rep.Missing = append(rep.Missing, Missing{k.name, k.missing})
		}
		rep.Walls = append(rep.Walls, walls...)
	}
	rep.Walls = sort(rep.Walls)
	if n := len(rep.Walls) - MaxWalls; n > 0 {
		rep.Hidden, rep.Walls = n, rep.Walls[:MaxWalls]
	}
	return rep
}

// key tells one resource: the values of job, instance and the kind's labels.
type key string

func (k *kind) key(l labels.Labels) key {
	var b strings.Builder
	for _, name := range append([]string{"job", "instance"}, k.labels...) {
		b.WriteString(l.Get(name))
		b.WriteByte(0)
	}
	return key(b.String())
}

// resource names what l is of to a person.
func (k *kind) resource(l labels.Labels) string {
	parts := []string{cmp.Or(l.Get("instance"), l.Get("job"), "unnamed")}
	for _, name := range k.shown {
		if v := l.Get(name); v != "" {
			parts = append(parts, v)
		}
	}
	if l.Get("instance") != "" && strings.HasPrefix(k.name, "File descriptors, process") {
		parts = append(parts, l.Get("job"))
	}
	return strings.Join(parts, " ")
}

// series is one resource's samples.
type series struct {
	labels labels.Labels
	points []forecast.Point
}

// read evaluates one kind. unlimited counts uses whose limit is not known: those
// are no walls.
func (k *kind) read(ctx context.Context, store Store, at time.Time) (walls []Wall, unlimited int, err error) {
	used, source, err := k.moving(ctx, store, at)
	if err != nil {
		return nil, 0, err
	}
	limits, err := firstOf(ctx, store, at, k.limit, k.key)
	if err != nil {
		return nil, 0, err
	}
	lost, err := k.losses(ctx, store, at)
	if err != nil {
		return nil, 0, err
	}
	eta := map[key]float64{}
	if k.eta != "" {
		if eta, err = firstOf(ctx, store, at, []string{"last_over_time(" + k.eta + "[" + etaFresh + "])"}, k.key); err != nil {
			return nil, 0, err
		}
	}
	for id, l := range lost { // what is only ever counted when it is refused
		if _, ok := used[id]; !ok {
			used[id] = series{labels: l.labels}
		}
	}
	for id, s := range used {
		in := input{kind: k, at: at, series: s, lost: lost[id], source: source}
		if v, ok := limits[id]; ok {
			in.limit = &v
		}
		if v, ok := eta[eitherKey(eta, id, k, s.labels)]; ok {
			in.eta = &v
		}
		if len(k.limit) > 0 && in.limit == nil && !in.lost.losing() {
			unlimited++
			continue
		}
		walls = append(walls, in.wall())
	}
	return walls, unlimited, nil
}

// eitherKey is id, or the key of the node alone: the processor speaks of the
// instance, not of each interface.
func eitherKey(eta map[key]float64, id key, k *kind, l labels.Labels) key {
	if _, ok := eta[id]; ok || len(k.labels) == 0 {
		return id
	}
	bare := kind{}
	return bare.key(l) + key(strings.Repeat("\x00", len(k.labels)))
}

// moving reads the series that moves, of the first name that has samples.
func (k *kind) moving(ctx context.Context, store Store, at time.Time) (map[key]series, string, error) {
	for _, sel := range slices.Concat(k.used, k.left) {
		old, err := store.QueryRange(ctx, sel, at.Add(-past), at.Add(-fine), coarseStep)
		if err != nil {
			return nil, "", err
		}
		raw, err := store.Query(ctx, sel+"["+fine.String()+"]", at)
		if err != nil {
			return nil, "", err
		}
		if out, err := k.join(old, raw); err != nil || len(out) > 0 {
			return out, sel, err
		}
	}
	for _, expr := range k.share {
		now, err := store.QueryRange(ctx, expr, at.Add(-past), at, shareStep)
		if err != nil {
			return nil, "", err
		}
		if out, err := k.join(&promql.Result{Value: promql.Matrix{}}, now); err != nil || len(out) > 0 {
			return out, expr, err
		}
	}
	return map[key]series{}, "", nil
}

// join puts the newest samples behind the older ones. A resource without new
// samples is left out: five minutes after its last reading nobody knows.
func (k *kind) join(old, now *promql.Result) (map[key]series, error) {
	newest, err := now.Matrix()
	if err != nil {
		return nil, err
	}
	before, err := old.Matrix()
	if err != nil {
		return nil, err
	}
	out := make(map[key]series, len(newest))
	chosen := make(map[key]labels.Labels, len(newest))
	for _, s := range newest {
		id := k.key(s.Metric)
		// One device mounted twice is one disk: its shortest mount point speaks.
		if c, ok := chosen[id]; ok && !shorter(s.Metric, c) {
			continue
		}
		chosen[id] = s.Metric
		out[id] = series{s.Metric, points(s.Floats)}
	}
	for _, s := range before {
		id := k.key(s.Metric)
		if n, ok := out[id]; ok && labels.Equal(n.labels, s.Metric) {
			n.points = append(points(s.Floats), n.points...)
			out[id] = n
		}
	}
	return out, nil
}

func shorter(a, b labels.Labels) bool {
	x, y := a.Get("mountpoint"), b.Get("mountpoint")
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) < 0
}

func points(in []promql.FPoint) []forecast.Point {
	out := make([]forecast.Point, len(in))
	for i, p := range in {
		out[i] = forecast.Point{At: time.UnixMilli(p.T), Value: p.F}
	}
	return out
}

// firstOf evaluates the first of exprs that has values, by what id makes of their labels.
func firstOf(ctx context.Context, store Store, at time.Time, exprs []string, id func(labels.Labels) key) (map[key]float64, error) {
	out := map[key]float64{}
	for _, expr := range exprs {
		res, err := store.Query(ctx, expr, at)
		if err != nil {
			return nil, err
		}
		v, err := res.Vector()
		if err != nil {
			return nil, err
		}
		for _, s := range v {
			out[id(s.Metric)] = s.F
		}
		if len(out) > 0 {
			break
		}
	}
	return out, nil
}

// loss is what is refused of one resource.
type loss struct {
	labels labels.Labels
	rate   float64 // a second
	last   time.Time
	known  bool
}

func (l loss) losing() bool { return l.rate > 0 }

func (k *kind) losses(ctx context.Context, store Store, at time.Time) (map[key]loss, error) {
	out := map[key]loss{}
	for _, sel := range k.lost {
		res, err := store.Query(ctx, sel+"["+fine.String()+"]", at)
		if err != nil {
			return nil, err
		}
		m, err := res.Matrix()
		if err != nil {
			return nil, err
		}
		for _, s := range m {
			id, pts := k.key(s.Metric), points(s.Floats)
			l := out[id]
			l.labels, l.known = s.Metric, true
			if last := pts[len(pts)-1].At; last.After(l.last) {
				l.last = last
			}
			// An old loss is over: nobody counts it any more.
			if at.Sub(pts[len(pts)-1].At) < staleAfter(pts) {
				l.rate += forecast.LossRate(pts)
			}
			out[id] = l
		}
	}
	return out, nil
}

// staleAfter is the age at which a reading says nothing of now: three times the
// distance of the readings, at least half a minute.
func staleAfter(pts []forecast.Point) time.Duration {
	d := 30 * time.Second
	if n := len(pts); n > 1 {
		d = max(d, 3*pts[n-1].At.Sub(pts[n-2].At))
	}
	return d
}

// describe names the metric of a selector or expression.
func describe(source string) string {
	if name, _, ok := strings.Cut(source, "{"); ok && !strings.ContainsAny(name, " (") {
		return name
	}
	if strings.Contains(source, "system_cpu_time") {
		return "system_cpu_time_seconds_total"
	}
	return source
}
