package gather

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/ready"
)

// Options narrow what is judged.
type Options struct {
	Namespaces []string // of services; empty: all but kube-*
	Now        time.Time
}

func (o *Options) judged(namespace string) bool {
	if len(o.Namespaces) > 0 {
		return slices.Contains(o.Namespaces, namespace)
	}
	return !strings.HasPrefix(namespace, "kube-")
}

// reading is one cluster while it is read. Each list has fields of its own; they
// are put together when all have ended.
type reading struct {
	api  *API
	opts Options

	nodes     []ready.Node
	workloads []*workload
	stateful  []*workload
	hpas      []hpa
	tally     tally
	out       ready.Cluster

	mu   sync.Mutex
	gaps map[ready.Source]ready.Gap // guarded by mu
	err  error                      // guarded by mu: the API server itself does not answer
}

// Cluster reads the API server. What could not be read is in Gaps; the error is
// for a server that could not be asked at all, or that knows nobody.
func Cluster(ctx context.Context, api *API, o Options) (ready.Cluster, error) {
	r := &reading{api: api, opts: o, gaps: map[ready.Source]ready.Gap{}}
	// The nodes first, alone: they tell whether there is a server, and who we are.
	r.read(ctx, ready.SourceNodes, r.listNodes)
	if r.err != nil {
		return Absent(r.err), r.err
	}
	parts := []struct {
		source ready.Source
		read   func(context.Context) error
	}{
		{ready.SourcePods, r.listPods},
		{ready.SourceDeployments, r.listDeployments},
		{ready.SourceStateful, r.listStateful},
		{ready.SourceHPAs, r.listHPAs},
		{ready.SourcePDBs, r.listBudgets},
		{ready.SourceQuotas, r.listQuotas},
		{ready.SourceServices, r.countServices},
		{ready.SourceConfigMaps, r.getConfigMaps},
		{ready.SourceNodePools, r.listPools},
		{ready.SourceCNI, r.getCNI},
	}
	// A few at a time: the API server has better things to do before a match.
	slots := make(chan struct{}, 3)
	var wait sync.WaitGroup
	for _, p := range parts {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r.read(ctx, p.source, p.read)
		})
	}
	wait.Wait()
	if slices.ContainsFunc(r.hpas, func(h hpa) bool { return h.ScaledObject != "" }) {
		r.read(ctx, ready.SourceScaled, r.listScaled)
	}
	return r.join(), ctx.Err()
}

// From is whom to ask. What is nil is missing, for the reason beside it.
type From struct {
	API        *API
	NoAPI      error
	Metrics    headroom.Store
	NoMetrics  error
	Source     string // what Metrics is, for a person: a host, or "the embedded store"
	AWS        func(context.Context) (aws.Config, error)
	Namespaces []string
}

// Fill asks everybody for the event of in, which has its calendar, its event and
// its time already. Nothing of it is fatal: what is missing becomes a gap.
func Fill(ctx context.Context, in *ready.Inputs, f From) {
	var wait sync.WaitGroup
	wait.Go(func() {
		if f.API == nil {
			in.Cluster = Absent(cmp.Or(f.NoAPI, ErrNoCluster))
			return
		}
		var err error
		if in.Cluster, err = Cluster(ctx, f.API, Options{Namespaces: f.Namespaces, Now: in.At}); err == nil {
			Subnets(ctx, f.API, &in.Cluster, f.AWS)
		}
	})
	if f.Metrics == nil {
		why := "no metrics are asked"
		if f.NoMetrics != nil {
			why = f.NoMetrics.Error()
		}
		in.Metrics = ready.Metrics{Gap: &ready.Gap{Why: why, Do: "give the gateway's address, or a workspace's of Amazon Managed Prometheus"}}
	} else {
		in.Metrics = Metrics(ctx, f.Metrics, f.Source, in.Calendar, in.Event, in.At)
	}
	wait.Wait()
	if f.Metrics != nil {
		CPU(ctx, f.Metrics, &in.Metrics, in.Cluster.Workloads)
	}
}

// Absent is a cluster of which nothing could be read.
func Absent(err error) ready.Cluster {
	gaps := map[ready.Source]ready.Gap{}
	for _, right := range ready.Rights() {
		gaps[ready.Source(right.Resource)] = ready.Gap{
			Why: "the cluster could not be read: " + err.Error(), Do: "look at --kubeconfig and --context, and whether the API server can be reached from here",
		}
	}
	return ready.Cluster{Gaps: gaps}
}

// read runs one part and keeps why it failed.
func (r *reading) read(ctx context.Context, source ready.Source, part func(context.Context) error) {
	err := part(ctx)
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	right := rightOf(source)
	gap := ready.Gap{Why: fmt.Sprintf("%s could not be read: %v", source, err), Do: "try again; docs/ready.md says what is asked"}
	switch {
	case is(err, http.StatusForbidden):
		gap.Why = fmt.Sprintf("the API server does not let this user %s %s", strings.Join(right.Verbs, " and "), named(right))
		gap.Do = fmt.Sprintf("allow %s on %s in a ClusterRole (vigie-ready has it)", strings.Join(right.Verbs, ", "), named(right))
	case is(err, http.StatusUnauthorized):
		gap.Why, gap.Do = "the API server does not know this user", "log in again; look at the token or the kubeconfig"
		r.err = errors.New(gap.Why)
	default:
		if _, answered := errors.AsType[*statusError](err); !answered && source == ready.SourceNodes && ctx.Err() == nil {
			r.err = err
		}
	}
	r.gaps[source] = gap
}

func rightOf(source ready.Source) ready.Right {
	for _, right := range ready.Rights() {
		if right.Resource == string(source) {
			return right
		}
	}
	return ready.Right{Resource: string(source), Verbs: []string{"list"}}
}

func named(r ready.Right) string {
	name := r.Resource
	if r.Group != "" {
		name += "." + r.Group
	}
	if len(r.Names) > 0 {
		name += " " + strings.Join(r.Names, ", ") + " in " + ready.SystemNamespace
	}
	return name
}

// join puts together what the lists said of each other.
func (r *reading) join() ready.Cluster {
	c := &r.out
	c.Gaps = maps.Clone(r.gaps)
	c.Nodes = r.nodes
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if u := r.tally.byNode[n.Name]; u != nil {
			n.Used, n.Daemons = u.used, u.daemons
		}
	}
	c.Elsewhere = map[string]bool{}
	c.NoRoom = r.tally.noRoom
	owned := map[string]*workload{}
	for _, w := range slices.Concat(r.workloads, r.stateful) {
		if p := r.tally.byOwner[w.key()]; p != nil {
			w.Pending, w.NoRoom, w.OldestWait, w.Spread = p.pending, p.noRoom, p.oldest, len(p.nodes)
		}
		owned[w.key()] = w
	}
	r.joinHPAs(owned)
	r.joinDNS(owned)
	for _, w := range slices.Concat(r.workloads, r.stateful) {
		if !r.opts.judged(w.Namespace) {
			c.Unjudged++
			for _, s := range w.Services {
				c.Elsewhere[s] = true
			}
			continue
		}
		c.Workloads = append(c.Workloads, w.Workload)
	}
	slices.SortFunc(c.Workloads, func(a, b ready.Workload) int { return strings.Compare(a.ID()+a.Kind, b.ID()+b.Kind) })
	slices.SortFunc(c.Groups, func(a, b ready.NodeGroup) int { return strings.Compare(a.Name, b.Name) })
	return *c
}
