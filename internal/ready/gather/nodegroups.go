package gather

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/internal/ready"
)

// maxGroups bounds the node groups of one status.
const maxGroups = 500

// nodeGroups reads the Cluster Autoscaler's status: YAML since 1.30, prose before.
func nodeGroups(status string) []ready.NodeGroup {
	var doc struct {
		NodeGroups []struct {
			Name   string `yaml:"name"`
			Health struct {
				Status     string `yaml:"status"`
				NodeCounts struct {
					Registered struct {
						Ready int `yaml:"ready"`
					} `yaml:"registered"`
				} `yaml:"nodeCounts"`
				Target  int `yaml:"cloudProviderTarget"`
				MinSize int `yaml:"minSize"`
				MaxSize int `yaml:"maxSize"`
			} `yaml:"health"`
			ScaleUp struct {
				Status string `yaml:"status"`
			} `yaml:"scaleUp"`
		} `yaml:"nodeGroups"`
	}
	if err := yaml.Unmarshal([]byte(status), &doc); err != nil || len(doc.NodeGroups) == 0 {
		return oldGroups(status)
	}
	var out []ready.NodeGroup
	for _, g := range doc.NodeGroups[:min(len(doc.NodeGroups), maxGroups)] {
		out = append(out, ready.NodeGroup{
			Name: groupName(g.Name), Min: g.Health.MinSize, Max: g.Health.MaxSize, Target: g.Health.Target,
			Ready: g.Health.NodeCounts.Registered.Ready, Healthy: g.Health.Status == "Healthy", Status: g.ScaleUp.Status,
		})
	}
	return out
}

var (
	oldHealth = regexp.MustCompile(`Health:\s+(\w+)\s+\(ready=(\d+).*cloudProviderTarget=(\d+) \(minSize=(\d+), maxSize=(\d+)\)\)`)
	oldUp     = regexp.MustCompile(`ScaleUp:\s+(\w+)`)
	// An EKS managed node group's Auto Scaling group is named after it.
	managed = regexp.MustCompile(`^eks-(.+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

func oldGroups(status string) (out []ready.NodeGroup) {
	name := ""
	for line := range strings.Lines(status) {
		line = strings.TrimSpace(line)
		if n, ok := strings.CutPrefix(line, "Name:"); ok {
			name = strings.TrimSpace(n)
			continue
		}
		if name == "" || len(out) == maxGroups {
			continue
		}
		if m := oldHealth.FindStringSubmatch(line); m != nil {
			n := [4]int{}
			for i := range n {
				n[i], _ = strconv.Atoi(m[i+2]) // digits by the expression
			}
			out = append(out, ready.NodeGroup{Name: groupName(name), Healthy: m[1] == "Healthy", Ready: n[0], Target: n[1], Min: n[2], Max: n[3]})
		} else if m := oldUp.FindStringSubmatch(line); m != nil && len(out) > 0 {
			out[len(out)-1].Status = m[1]
		}
	}
	return out
}

func groupName(name string) string {
	if m := managed.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return name
}
