package podlist

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const shop = `{"items":[
 {"metadata":{"name":"shop-5d9f7c-x2x","namespace":"shop","uid":"u1","labels":{"app":"shop","pod-template-hash":"5d9f7c"},
   "ownerReferences":[{"kind":"Other","name":"o"},{"kind":"ReplicaSet","name":"shop-5d9f7c","controller":true}]},
  "spec":{"nodeName":"n1","containers":[{"name":"web","ports":[{"name":"http","containerPort":8080},{"name":"dns","containerPort":53,"protocol":"UDP"}]}],
   "initContainers":[{"name":"proxy","restartPolicy":"Always","ports":[{"name":"metrics","containerPort":9090}]},{"name":"once","ports":[{"containerPort":1}]}]},
  "status":{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}},
 {"metadata":{"name":"old","namespace":"shop","uid":"u2"},"spec":{},"status":{"phase":"Succeeded","podIP":"10.0.0.1"}},
 {"metadata":{"name":"agent","namespace":"vigie","uid":"u3"},"spec":{"hostNetwork":true},"status":{"phase":"Running","podIP":"10.0.9.9"}}]}`

func TestAPodIsFoundByItsNameItsUIDAndItsAddresses(t *testing.T) {
	l := list(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, shop) })
	if _, known := l.All(); known {
		t.Error("pods before any were asked for")
	}
	require.NoError(t, l.Refresh(t.Context()))
	want := Pod{
		Namespace: "shop", Name: "shop-5d9f7c-x2x", UID: "u1", Node: "n1", IP: "10.0.0.1", IPs: []string{"10.0.0.1", "fd00::1"}, Phase: "Running",
		OwnerKind: "ReplicaSet", OwnerName: "shop-5d9f7c", Labels: map[string]string{"app": "shop", "pod-template-hash": "5d9f7c"},
		Ports: []Port{{"web", "http", 8080, ""}, {"web", "dns", 53, "UDP"}, {"proxy", "metrics", 9090, ""}},
	}
	byIP, _ := l.OfAddress("fd00::1")
	byUID, _ := l.OfUID("u1")
	byName, _ := l.Get("shop", "shop-5d9f7c-x2x")
	for how, got := range map[string]Pod{"address": byIP, "UID": byUID, "name": byName} {
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("by %s: %s", how, d)
		}
	}
	// One that has ended gave its address away; the node's is nobody's.
	if p, _ := l.OfAddress("10.0.0.1"); p.UID != "u1" {
		t.Errorf("10.0.0.1 is %s's", p.Name)
	}
	if p, known := l.OfAddress("10.0.9.9"); known {
		t.Errorf("the node's address is %s's", p.Name)
	}
	if _, known := l.OfUID(""); known {
		t.Error("a pod without a UID")
	}
	all, _ := l.All()
	require.Len(t, all, 3)
}

func TestTheWorkloadIsDerivedAndNotLookedUp(t *testing.T) {
	for _, c := range []struct {
		kind, name, hash string
		want             string
	}{
		{"ReplicaSet", "shop-5d9f7c", "5d9f7c", "deployment shop"},
		{"ReplicaSet", "shop-5d9f7c", "", "replicaset shop-5d9f7c"},
		{"ReplicaSet", "lonely", "5d9f7c", "replicaset lonely"},
		{"Job", "report-29384750", "", "cronjob report"},
		{"Job", "report-29384", "", "job report-29384"},
		{"Job", "import", "", "job import"},
		{"DaemonSet", "proxy", "", "daemonset proxy"},
		{"StatefulSet", "db", "", "statefulset db"},
		{"Node", "n1", "", " "},
		{"", "", "", " "},
	} {
		p := Pod{OwnerKind: c.kind, OwnerName: c.name, Labels: map[string]string{"pod-template-hash": c.hash}}
		kind, name := p.Workload()
		if got := kind + " " + name; got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestAPodsServiceIsWhatItSaysOrElseItsWorkload(t *testing.T) {
	p := Pod{Name: "x", OwnerKind: "DaemonSet", OwnerName: "d", Labels: map[string]string{}, Annotations: map[string]string{}}
	for _, step := range []struct{ key, want string }{
		{"", "d"}, {"app", "d"}, {"app.kubernetes.io/name", "app.kubernetes.io/name"}, {"app.kubernetes.io/instance", "app.kubernetes.io/instance"},
	} {
		if step.key != "" {
			p.Labels[step.key] = step.key
		}
		if got := p.Service(); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
	p.Annotations["resource.opentelemetry.io/service.name"] = "said"
	if p.Service() != "said" {
		t.Errorf("got %q", p.Service())
	}
	p.Annotations["resource.opentelemetry.io/service.name"] = strings.Repeat("x", 300)
	if p.Service() == p.Annotations["resource.opentelemetry.io/service.name"] {
		t.Error("a name of 300 characters")
	}
	if bare := (&Pod{Name: "x"}); bare.Service() != "x" {
		t.Errorf("got %q", bare.Service())
	}
}

// Whoever makes a pod may annotate it with 256 KiB.
func TestLargeAnnotationsAreLeftOutAndOursAreNot(t *testing.T) {
	all := map[string]string{"kubectl.kubernetes.io/last-applied-configuration": strings.Repeat("x", 4000), "vigie.dev/logs": "off", "resource.opentelemetry.io/service.name": "shop"}
	for i := range 300 {
		all[fmt.Sprintf("a%03d", i)] = strings.Repeat("y", 900)
	}
	got := bounded(all)
	size := 0
	for k, v := range got {
		size += len(k) + len(v)
	}
	if size > maxText || got["vigie.dev/logs"] != "off" || got["resource.opentelemetry.io/service.name"] != "shop" || len(got) < 10 {
		t.Errorf("%d of %d bytes in %d", size, maxText, len(got))
	}
}
