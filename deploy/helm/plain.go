package helm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Plain are the manifests for those who don't use Helm, by file name: what the
// chart makes of its default values, a file a component, and without what only
// Helm reads.
func Plain(c Chart) (map[string][]byte, error) {
	text, err := c.Text()
	if err != nil {
		return nil, err
	}
	component := regexp.MustCompile(`(?m)^    app\.kubernetes\.io/component: (\S+)$`)
	helms := regexp.MustCompile(`(?m)^(# Source: .*|.*app\.kubernetes\.io/managed-by: Helm)\n`)
	spaces := regexp.MustCompile(`(?m)[ \t]+$|^\n`)
	docs := map[string][]string{}
	for doc := range strings.SplitSeq("\n"+string(text), "\n---") {
		doc = strings.TrimSpace(spaces.ReplaceAllString(helms.ReplaceAllString(doc+"\n", ""), ""))
		if !strings.Contains(doc, "\nkind: ") && !strings.HasPrefix(doc, "kind: ") {
			continue
		}
		m := component.FindStringSubmatch(doc)
		if m == nil {
			return nil, fmt.Errorf("of no component:\n%s", doc)
		}
		docs[m[1]] = append(docs[m[1]], doc)
	}
	files := map[string][]byte{}
	for name, list := range docs {
		slices.SortStableFunc(list, func(a, b string) int { return rank(a) - rank(b) })
		files[name+".yaml"] = []byte("# Made by make manifests out of deploy/helm/vigie.\n" + strings.Join(list, "\n---\n") + "\n")
	}
	return files, nil
}

// rank puts accounts and rights before what runs with them.
func rank(doc string) int {
	order := []string{"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "PriorityClass", "ConfigMap", "NetworkPolicy", "Service"}
	for i, kind := range order {
		if strings.Contains("\n"+doc, "\nkind: "+kind+"\n") {
			return i
		}
	}
	return len(order)
}
