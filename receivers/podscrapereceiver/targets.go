package podscrapereceiver

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/podlist"
)

// target is where metrics are scraped, with its labels: an element of what HTTP
// service discovery answers.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// ignored is a pod that asks, or that a rule names, and is not scraped.
type ignored struct {
	pod, uid string
	reason   string
	got      string
}

// Reasons for which a pod is ignored.
const (
	badPort   = "port"    // no port has the name, or it is no number of one
	badPath   = "path"    // not a path
	badScheme = "scheme"  // neither http nor https
	noPort    = "no_port" // none asked for, and not one alone declared
	noAddress = "address" // not an IP address
	tooMany   = "limit"   // max_targets
)

// choice is what one list of pods comes to.
type choice struct {
	targets map[string][]target // by rule
	ignored []ignored
}

// choose makes targets of pods, each endpoint once: rules in their order first,
// then what pods ask for.
func (c *Config) choose(all []podlist.Pod) choice {
	pods := slices.Clone(all)
	slices.SortFunc(pods, func(a, b podlist.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	b := &builder{limit: c.MaxTargets, seen: map[string]bool{}, out: choice{targets: map[string][]target{}}}
	for i := range c.Rules {
		for j := range pods {
			b.byRule(&c.Rules[i], &pods[j])
		}
	}
	if c.Annotations {
		for i := range pods {
			b.byAnnotation(&pods[i])
		}
	}
	return b.out
}

type builder struct {
	limit int
	seen  map[string]bool // endpoints
	out   choice
}

func (b *builder) ignore(p *podlist.Pod, reason, got string) {
	if len(got) > 64 {
		got = got[:64] + "…"
	}
	b.out.ignored = append(b.out.ignored, ignored{p.Namespace + "/" + p.Name, p.UID, reason, strings.ToValidUTF8(got, "?")})
}

func (b *builder) byRule(r *Rule, p *podlist.Pod) {
	if p.Phase != "Running" || (len(r.Namespaces) > 0 && !slices.Contains(r.Namespaces, p.Namespace)) {
		return
	}
	for k, v := range r.Labels {
		if got, ok := p.Labels[k]; !ok || got != v {
			return
		}
	}
	scheme, path := orElse(r.Scheme, "http"), orElse(r.Path, "/metrics")
	if n, err := strconv.Atoi(r.Port); err == nil {
		b.add(r.Name, p, containerOf(p, n), n, scheme, path)
		return
	}
	// As with a PodMonitor, a pod without the port is not meant.
	for _, port := range p.Ports {
		if port.Name == r.Port && isTCP(port) {
			b.add(r.Name, p, port.Container, port.Number, scheme, path)
		}
	}
}

// byAnnotation takes what a pod asks for. Anybody who may make a pod may write
// anything there.
func (b *builder) byAnnotation(p *podlist.Pod) {
	ask := func(ours, theirs string) string {
		v, ok := p.Annotations[ours]
		if !ok {
			v = p.Annotations[theirs]
		}
		return strings.TrimSpace(v)
	}
	if p.Phase != "Running" || ask(names.PodScrape, "prometheus.io/scrape") != "true" {
		return
	}
	scheme := strings.ToLower(orElse(ask(names.PodScrapeScheme, "prometheus.io/scheme"), "http"))
	if scheme != "http" && scheme != "https" {
		b.ignore(p, badScheme, scheme)
		return
	}
	path := orElse(ask(names.PodScrapePath, "prometheus.io/path"), "/metrics")
	if !goodPath(path) {
		b.ignore(p, badPath, path)
		return
	}
	asked := ask(names.PodScrapePort, "prometheus.io/port")
	port, reason := portOf(p, asked)
	if reason != "" {
		b.ignore(p, reason, asked)
		return
	}
	b.add(annotated, p, port.Container, port.Number, scheme, path)
}

// portOf is the port that a pod asks for by number or name; where it asks for none,
// the one that is named after metrics, or else the only one.
func portOf(p *podlist.Pod, asked string) (podlist.Port, string) {
	if n, err := strconv.Atoi(asked); err == nil {
		if n < 1 || n > 65535 {
			return podlist.Port{}, badPort
		}
		return podlist.Port{Number: n, Container: containerOf(p, n)}, ""
	}
	var tcp []podlist.Port
	for _, port := range p.Ports {
		if isTCP(port) {
			tcp = append(tcp, port)
		}
	}
	if asked != "" {
		if i := slices.IndexFunc(tcp, func(q podlist.Port) bool { return q.Name == asked }); i >= 0 {
			return tcp[i], ""
		}
		return podlist.Port{}, badPort
	}
	if i := slices.IndexFunc(tcp, func(q podlist.Port) bool { return strings.Contains(q.Name, "metrics") || q.Name == "prometheus" }); i >= 0 {
		return tcp[i], ""
	}
	if len(tcp) == 1 {
		return tcp[0], ""
	}
	return podlist.Port{}, noPort
}

func isTCP(p podlist.Port) bool {
	return (p.Protocol == "" || p.Protocol == "TCP") && p.Number > 0 && p.Number < 65536
}

func containerOf(p *podlist.Pod, number int) string {
	for _, port := range p.Ports {
		if port.Number == number {
			return port.Container
		}
	}
	return ""
}

func (b *builder) add(rule string, p *podlist.Pod, container string, port int, scheme, path string) {
	if _, err := netip.ParseAddr(p.IP); err != nil {
		b.ignore(p, noAddress, p.IP)
		return
	}
	address := net.JoinHostPort(p.IP, strconv.Itoa(port))
	if b.seen[scheme+address+path] {
		return
	}
	if len(b.seen) >= b.limit {
		b.ignore(p, tooMany, strconv.Itoa(b.limit))
		return
	}
	b.seen[scheme+address+path] = true
	labels := map[string]string{
		"__scheme__": scheme, "__metrics_path__": path,
		"job": p.Service(), "namespace": p.Namespace, "pod": p.Name, "container": container,
		// The scraper makes resource attributes of these.
		"__meta_kubernetes_namespace": p.Namespace, "__meta_kubernetes_pod_name": p.Name, "__meta_kubernetes_pod_uid": p.UID,
		"__meta_kubernetes_pod_node_name": p.Node, "__meta_kubernetes_pod_container_name": container,
	}
	b.out.targets[rule] = append(b.out.targets[rule], target{[]string{address}, labels})
}
