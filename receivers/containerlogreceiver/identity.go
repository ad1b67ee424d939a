package containerlogreceiver

import (
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/names"
)

// container is whose logs a file has.
type container struct {
	namespace, pod, uid, name string
	restarts                  int64
}

// identify reads a container from its path, which the kubelet makes as
// <namespace>_<pod>_<uid>/<container>/<restarts>.log
// (kubernetes/pkg/kubelet/kuberuntime/helpers.go, BuildContainerLogsDirectory).
func identify(file string) (c container, ok bool) {
	dir, base := filepath.Split(file)
	restarts, found := strings.CutSuffix(base, ".log")
	if !found {
		return container{}, false
	}
	n, err := strconv.ParseInt(restarts, 10, 64)
	if err != nil || n < 0 {
		return container{}, false
	}
	dir, name := filepath.Split(filepath.Clean(dir))
	parts := strings.Split(filepath.Base(dir), "_")
	if len(parts) != 3 || name == "" || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return container{}, false
	}
	return container{namespace: parts[0], pod: parts[1], uid: parts[2], name: name, restarts: n}, true
}

func (c container) put(m pcommon.Map) {
	m.EnsureCapacity(6)
	m.PutStr(names.K8sNamespaceName, c.namespace)
	m.PutStr(names.K8sPodName, c.pod)
	m.PutStr(names.K8sPodUID, c.uid)
	m.PutStr(names.K8sContainerName, c.name)
	m.PutInt(names.K8sContainerRestartCount, c.restarts)
}

// skip tells whether a file is of a container that was not chosen.
func (c *Config) skip(file string) bool {
	who, ok := identify(file)
	return ok && !(c.Namespaces.chosen(who.namespace) && c.Pods.chosen(who.pod) && c.Containers.chosen(who.name))
}

func (n Names) chosen(name string) bool {
	return (len(n.Include) == 0 || matches(n.Include, name)) && !matches(n.Exclude, name)
}

func matches(globs []string, name string) bool {
	for _, g := range globs {
		if ok, _ := path.Match(g, name); ok {
			return true
		}
	}
	return false
}
