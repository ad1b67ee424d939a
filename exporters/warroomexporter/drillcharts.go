package warroomexporter

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// drillSpan is how much of the past the small charts show.
type drillSpan struct {
	name   string
	steps  int
	step   time.Duration
	window string // of a rate: four scrapes at the least
}

func drillRange(name string) (drillSpan, error) {
	switch name {
	case "", "15m":
		return drillSpan{"15m", 60, 15 * time.Second, "1m"}, nil
	case "6h":
		return drillSpan{"6h", 72, 5 * time.Minute, "5m"}, nil
	}
	return drillSpan{}, errors.New("range must be 15m or 6h")
}

// drillChart is one small chart. Its last value is of End.
type drillChart struct {
	Title string      `json:"title"`
	Unit  string      `json:"unit"` // UCUM
	End   int64       `json:"end"`  // Unix second
	Step  int64       `json:"step"`
	Lines []drillLine `json:"lines"`
}

type drillLine struct {
	Name   string `json:"name"`
	Values column `json:"values"`
}

// target is how the series of each source name a scope, as matchers.
type target struct {
	kubelet  string // of kubelet_stats
	cadvisor string // of cAdvisor
	state    string // of kube_pod_info and of requests and limits, which know the node
	onNode   bool   // restarts know no node: kube_pod_info tells it
	none     bool   // nothing in Kubernetes is known of it
}

func targetOf(s scope, of []identity) target {
	q := strconv.Quote
	switch {
	case s.name == "":
		return target{}
	case s.kind == namespaces:
		return target{kubelet: "k8s_namespace_name=" + q(s.name), cadvisor: "namespace=" + q(s.name), state: "namespace=" + q(s.name)}
	case s.kind == nodes:
		return target{kubelet: "k8s_node_name=" + q(s.name), cadvisor: "node=" + q(s.name), state: "node=" + q(s.name), onNode: true}
	case s.kind == pods:
		ns, pod := s.pod()
		of = []identity{{Namespace: ns, Pod: pod}}
	}
	if len(of) == 0 {
		return target{none: true}
	}
	var ns, pod []string
	for _, id := range of {
		ns, pod = append(ns, regexp.QuoteMeta(id.Namespace)), append(pod, regexp.QuoteMeta(id.Pod))
	}
	in, are := q(strings.Join(ns, "|")), q(strings.Join(pod, "|"))
	both := "namespace=~" + in + ",pod=~" + are
	return target{kubelet: "k8s_namespace_name=~" + in + ",k8s_pod_name=~" + are, cadvisor: both, state: both}
}

// container leaves out the cgroups of whole pods, which cAdvisor counts as well.
func (t target) container() string { return join(t.cadvisor, `container!="",container!="POD"`) }

// restarts completes an expression over container restarts, which has one %s for
// its matchers.
func (t target) restarts(expr string) string {
	if !t.onNode {
		return fmt.Sprintf(expr, t.state)
	}
	return fmt.Sprintf(expr, "") + fmt.Sprintf(` and on (namespace, pod) kube_pod_info{%s}`, t.state)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "," + b
}

// plot is a chart to be read: of several ways the first that has values.
type plot struct {
	title   string
	ways    []way
	missing string
}

type way struct {
	unit  string
	lines []line
}

type line struct{ name, expr string }

// readCharts reads the small charts of a scope.
func readCharts(a *asker, s scope, of []identity, span drillSpan) (charts []drillChart, missing []string) {
	charts = []drillChart{}
	for _, p := range plotsOf(s, targetOf(s, of), span.window) {
		if c, ok := p.read(a, span); ok {
			charts = append(charts, c)
		} else if p.missing != "" {
			missing = append(missing, p.title+": "+p.missing)
		}
	}
	return charts, missing
}

func (p *plot) read(a *asker, span drillSpan) (drillChart, bool) {
	end := a.at.Truncate(time.Second)
	c := drillChart{Title: p.title, End: end.Unix(), Step: int64(span.step.Seconds())}
	for _, w := range p.ways {
		c.Unit, c.Lines = w.unit, nil
		for _, l := range w.lines {
			values := a.rangeTo(l.expr, end, span.steps, span.step)
			if known(values) {
				c.Lines = append(c.Lines, drillLine{l.name, values})
			}
		}
		if len(c.Lines) > 0 {
			return c, true
		}
	}
	return c, false
}

func known(values []float32) bool {
	for _, v := range values {
		if v == v { // not NaN
			return true
		}
	}
	return false
}
