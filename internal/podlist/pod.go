package podlist

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// Pod is what is known of a pod.
type Pod struct {
	Namespace, Name, UID string
	Node                 string
	// IP is the first of its addresses, "" until it has one; IPs are all.
	IP  string
	IPs []string
	// HostNetwork says that its addresses are the node's.
	HostNetwork bool
	Phase       string // Pending, Running, Succeeded, Failed
	// OwnerKind and OwnerName are its controller's: ReplicaSet, DaemonSet, …
	OwnerKind, OwnerName string
	Ports                []Port
	Labels               map[string]string
	Annotations          map[string]string // those that are larger than a KiB left out
}

// Port is a port that a container of a pod declares.
type Port struct {
	Container string
	Name      string // may be ""
	Number    int
	Protocol  string // TCP, UDP, SCTP; "" is TCP
}

// index finds a list's pods.
type index struct {
	all           []Pod
	name, uid, ip map[string]int32
}

func newIndex(all []Pod) *index {
	x := &index{all: all, name: make(map[string]int32, len(all)), uid: make(map[string]int32, len(all)), ip: make(map[string]int32, len(all))}
	for i, p := range all {
		n := int32(i) //nolint:gosec // there are at most maxPods
		x.name[p.Namespace+"/"+p.Name] = n
		x.uid[p.UID] = n
		// A pod that has ended keeps its address in the list after another has it.
		if p.HostNetwork || p.Phase == "Succeeded" || p.Phase == "Failed" {
			continue
		}
		for _, ip := range p.IPs {
			x.ip[ip] = n
		}
	}
	return x
}

var errNoList = errors.New("not a list of pods")

// decode reads a v1.PodList one pod at a time.
func decode(r io.Reader) ([]Pod, error) {
	d := json.NewDecoder(r)
	var pods []Pod
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(errNoList, err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		if name != "items" {
			var rest json.RawMessage
			if err := d.Decode(&rest); err != nil {
				return nil, err
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			if t == nil && err == nil {
				return pods, nil // "items": null: a node without pods
			}
			return nil, errors.Join(errNoList, err)
		}
		for d.More() {
			var one item
			if err := d.Decode(&one); err != nil {
				return nil, err
			}
			if len(pods) < maxPods {
				pods = append(pods, one.pod())
			}
		}
		// What comes after the list does not matter, but that the end came does.
		_, err = d.Token()
		return pods, err
	}
	return nil, errNoList
}

// item is the part of a v1.Pod that is read.
type item struct {
	Metadata struct {
		Namespace, Name, UID string
		Labels, Annotations  map[string]string
		OwnerReferences      []struct {
			Kind, Name string
			Controller bool
		}
	}
	Spec struct {
		NodeName                   string
		HostNetwork                bool
		Containers, InitContainers []struct {
			Name          string
			RestartPolicy string // Always makes an init container a sidecar
			Ports         []struct {
				Name          string
				ContainerPort int
				Protocol      string
			}
		}
	}
	Status struct {
		Phase  string
		PodIP  string
		PodIPs []struct{ IP string }
	}
}

func (i *item) pod() Pod {
	m := i.Metadata
	p := Pod{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, Node: i.Spec.NodeName, IP: i.Status.PodIP,
		HostNetwork: i.Spec.HostNetwork, Phase: i.Status.Phase,
		Labels: bounded(m.Labels), Annotations: bounded(m.Annotations),
	}
	for _, ip := range i.Status.PodIPs {
		p.IPs = append(p.IPs, ip.IP)
	}
	if len(p.IPs) == 0 && p.IP != "" {
		p.IPs = []string{p.IP}
	}
	for _, o := range m.OwnerReferences {
		if o.Controller {
			p.OwnerKind, p.OwnerName = o.Kind, o.Name
		}
	}
	containers := i.Spec.Containers
	for _, c := range i.Spec.InitContainers {
		if c.RestartPolicy == "Always" {
			containers = append(containers, c)
		}
	}
	for _, c := range containers {
		for _, port := range c.Ports {
			if len(p.Ports) < maxPorts {
				p.Ports = append(p.Ports, Port{Container: c.Name, Name: port.Name, Number: port.ContainerPort, Protocol: port.Protocol})
			}
		}
	}
	return p
}

// askedFor are what the keys begin with that somebody here may ask for.
var askedFor = []string{"vigie.dev/", "prometheus.io/", "resource.opentelemetry.io/", "app.kubernetes.io/", "pod-template-hash"} //nolint:gochecknoglobals // a constant list

// bounded leaves out what is large: whoever makes a pod writes these. Those that
// somebody here may ask for come first.
func bounded(all map[string]string) map[string]string {
	size := 0
	for k, v := range all {
		size += len(k) + len(v)
	}
	if size <= maxValue {
		return all
	}
	rank := func(key string) int {
		if slices.ContainsFunc(askedFor, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
			return 0
		}
		return 1
	}
	keys := slices.Sorted(maps.Keys(all))
	slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
	kept, room := map[string]string{}, maxText
	for _, k := range keys {
		if v := all[k]; len(v) <= maxValue && len(k)+len(v) <= room {
			kept[k] = v
			room -= len(k) + len(v)
		}
	}
	return kept
}

// Workload is who the pod belongs to, in OpenTelemetry's words: deployment and its
// name, and so on; "" where nobody controls it. A ReplicaSet of a Deployment is
// named after it and the hash in the pod's label, a Job of a CronJob after it and
// the minute it is for; neither is looked up.
func (p *Pod) Workload() (kind, name string) {
	switch p.OwnerKind {
	case "ReplicaSet":
		if hash := p.Labels["pod-template-hash"]; hash != "" {
			if name, ok := strings.CutSuffix(p.OwnerName, "-"+hash); ok && name != "" {
				return "deployment", name
			}
		}
		return "replicaset", p.OwnerName
	case "Job":
		if name, minute, ok := cutLast(p.OwnerName, "-"); ok && len(minute) >= 8 && len(minute) <= 10 && strings.Trim(minute, "0123456789") == "" {
			return "cronjob", name
		}
		return "job", p.OwnerName
	case "DaemonSet", "StatefulSet":
		return strings.ToLower(p.OwnerKind), p.OwnerName
	}
	return "", ""
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i <= 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Service is what service.name should be by OpenTelemetry's conventions for
// Kubernetes: an annotation, else the app's instance or name, else the workload, else the pod.
func (p *Pod) Service() string {
	_, workload := p.Workload()
	for _, name := range []string{
		p.Annotations["resource.opentelemetry.io/service.name"],
		p.Labels["app.kubernetes.io/instance"], p.Labels["app.kubernetes.io/name"], workload,
	} {
		if name != "" && len(name) <= 253 {
			return name
		}
	}
	return p.Name
}
