package proof

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/prompb"

	"github.com/vigie-otel/vigie/dashboards/metrics"
)

//go:embed testdata/pages/*.prom
var files embed.FS

// pages are the templates by their name without .prom.
func pages() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"hash": fnv, "share": func(of, s float64) float64 { return math.Floor(of * s) },
		"is":        func(a, b string) int { return map[bool]int{true: 1}[a == b] },
		"histogram": histogramText, "condition": condition,
	}).ParseFS(files, "testdata/pages/*.prom")
}

// condition is 1 on the status that holds: nodes are well, but the last one is
// short of disk in its first minute.
func condition(n *node, name, status string) int {
	holds := "false"
	if name == "Ready" {
		holds = "true"
	}
	if n.From > 0 && name == "DiskPressure" {
		holds = "true"
	}
	return map[bool]int{true: 1}[status == holds]
}

var bounds = []float64{0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192}

// histogramText is a histogram of so many durations around a median, spread as
// durations are (lognormal, σ = 0.9).
func histogramText(name, ls string, count, median float64) string {
	var b strings.Builder
	sep := ","
	if ls == "" {
		sep = ""
	}
	count = math.Floor(count)
	for _, le := range bounds {
		share := 0.5 * math.Erfc(-(math.Log(le)-math.Log(median))/(0.9*math.Sqrt2))
		fmt.Fprintf(&b, "%s_bucket{%s%sle=\"%g\"} %g\n", name, ls, sep, le, count*share)
	}
	fmt.Fprintf(&b, "%s_bucket{%s%sle=\"+Inf\"} %g\n", name, ls, sep, count)
	fmt.Fprintf(&b, "%s_sum{%s} %g\n", name, ls, count*median*1.5)
	fmt.Fprintf(&b, "%s_count{%s} %g", name, ls, count)
	return b.String()
}

type (
	apiRequests struct {
		Verb, Code, Group, Resource, Scope string
		Count, Median                      float64
	}
	claim struct {
		Namespace, Name, Node string
		Capacity, Available   float64
	}
	deployment struct {
		Namespace, Name                      string
		Replicas, Ready, Missing, Generation int
	}
)

// view is what a template sees of the cluster.
type view struct {
	*cluster
	Node                         *node
	T, Demand, Pending, EventCPU float64
	Mutating, ReadOnly           float64
	Admissions                   float64
	NodeCount                    int
	Epoch                        int64
	Namespaces, Conditions       []string
	Statuses, Phases             []string
	APIRequests, APIDurations    []apiRequests
	Deployments                  []deployment
	Claims                       []claim
}

func (c *cluster) view(n *node) *view {
	v := &view{
		cluster: c, Node: n, T: c.t, Demand: c.people + c.attack, Epoch: 1784000000,
		Namespaces: []string{"ingress", "kube-system", "live", "vigie"}, Statuses: []string{"true", "false", "unknown"},
		Conditions: []string{"Ready", "DiskPressure", "MemoryPressure", "PIDPressure"}, Phases: []string{"Pending", "Running", "Succeeded", "Failed", "Unknown"},
		Mutating: 2 + math.Mod(c.t, 5), ReadOnly: 9 + math.Mod(c.t, 11), Admissions: c.t * 0.6,
	}
	v.Claims = []claim{
		{"vigie", "data-vigie-gateway-0", c.Nodes[0].Name, 20 * gib, 20*gib*0.82 - c.t*2e5},
		{"live", "data-session-cache-0", c.Nodes[1].Name, 20 * gib, 20*gib*0.32 - c.t*2e5},
	}
	for _, n := range c.Nodes {
		if n.Up {
			v.NodeCount++
			if n.From > 0 {
				v.EventCPU = nodeCPUs
			}
		}
	}
	byName := map[string]*deployment{}
	for _, p := range c.Pods {
		if p.Phase == "Pending" {
			v.Pending++
		}
		if p.Kind != "ReplicaSet" || p.Phase == "" {
			continue
		}
		d := byName[p.Deployment]
		if d == nil {
			d = &deployment{Namespace: p.Namespace, Name: p.Deployment, Generation: 7}
			byName[p.Deployment] = d
		}
		d.Replicas++
		if p.Ready() {
			d.Ready++
		} else {
			d.Missing++
		}
		if d.Name == "player-web" && c.t > 180 {
			d.Generation = 8 // rolled out in the third minute
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		v.Deployments = append(v.Deployments, *byName[name])
	}
	v.APIRequests = []apiRequests{
		{"GET", "200", "", "pods", "resource", math.Floor(c.API * 0.5), 0.004}, {"LIST", "200", "", "endpointslices", "cluster", math.Floor(c.API * 0.12), 0.03},
		{"WATCH", "200", "", "pods", "cluster", math.Floor(c.API * 0.08), 300}, {"PATCH", "200", "apps", "deployments", "resource", math.Floor(c.Writes * 0.5), 0.012},
		{"POST", "201", "", "events", "namespace", math.Floor(c.Writes * 0.4), 0.01}, {"PUT", "409", "coordination.k8s.io", "leases", "resource", math.Floor(c.Writes * 0.02), 0.008},
		{"GET", "503", "metrics.k8s.io", "pods", "namespace", math.Floor(c.Errors), 0.9}, {"GET", "404", "", "configmaps", "resource", math.Floor(c.API * 0.01), 0.004},
	}
	v.APIDurations = v.APIRequests[:5]
	return v
}

// scrape expands a page and parses it as the prometheus receiver does: every
// sample gets the target's job and instance, and up says that it answered.
func scrape(t *template.Template, page string, v *view, job, instance string, at time.Time) ([]prompb.TimeSeries, error) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, page+".prom", v); err != nil {
		return nil, fmt.Errorf("expand page %s: %w", page, err)
	}
	b.WriteByte('\n')
	p, err := textparse.New(b.Bytes(), "text/plain; version=0.0.4", labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, fmt.Errorf("parse page %s: %w", page, err)
	}
	out := []prompb.TimeSeries{series(labels.FromStrings(model.MetricNameLabel, metrics.Up.Name), job, instance, 1, at)}
	counters := map[string]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", page, err)
		}
		if entry == textparse.EntryType {
			name, kind := p.Type()
			counters[string(name)] = kind == model.MetricTypeCounter
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, value := p.Series()
		var ls labels.Labels
		p.Labels(&ls)
		if name := ls.Get(model.MetricNameLabel); counters[name] && !strings.HasSuffix(name, "_total") {
			ls = labels.NewBuilder(ls).Set(model.MetricNameLabel, name+"_total").Labels() // on the way through OpenTelemetry
		}
		out = append(out, series(ls, job, instance, value, at))
	}
}

// podsAnswer is up of two pods that ask to be scraped; the second does not answer
// under the flood.
func (c *cluster) podsAnswer(at time.Time) []prompb.TimeSeries {
	up := func(service, pod, instance string, v float64) prompb.TimeSeries {
		return series(labels.FromStrings(model.MetricNameLabel, metrics.Up.Name, "namespace", "live", "pod", pod, "container", "main"), service, instance, v, at)
	}
	slow := 1.0
	if c.attack > 1 {
		slow = 0
	}
	return []prompb.TimeSeries{up("api", "api-6d5f-x2x9z", "10.0.16.81:9090", 1), up("signin", "signin-77c4-q8k2d", "10.0.32.82:9090", slow)}
}

func series(ls labels.Labels, job, instance string, v float64, at time.Time) prompb.TimeSeries {
	b := labels.NewBuilder(ls)
	b.Set("job", job)
	b.Set("instance", instance)
	return prompb.TimeSeries{Labels: prompb.FromLabels(b.Labels(), nil), Samples: []prompb.Sample{{Value: v, Timestamp: at.UnixMilli()}}}
}
