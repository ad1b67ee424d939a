//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vigie-otel/vigie/e2e/cluster"
)

// dryRun renders the chart with each preset and with all of them, and has the API
// server check every field strictly. Nothing is made but the namespace.
func (e *env) dryRun(ctx context.Context) error {
	for _, name := range []string{namespace, "keda"} { // where presets put something
		if _, err := e.cluster.Kubectl(ctx, nil, "create", "namespace", name); err != nil {
			return err
		}
	}
	presets, err := filepath.Glob("deploy/helm/presets/*.yaml")
	if err != nil || len(presets) < 9 {
		return fmt.Errorf("%d presets in deploy/helm/presets: %w", len(presets), err)
	}
	strict := func(ctx context.Context, in []byte, args ...string) (int, error) {
		out, err := e.cluster.Kubectl(ctx, bytes.NewReader(in), append([]string{"apply", "--dry-run=server", "--validate=strict"}, args...)...)
		return bytes.Count(out, []byte("\n")), err
	}
	_ = e.holds(ctx, "the API server takes the chart strictly, with each preset and with all", 2*time.Minute, func(ctx context.Context) (string, error) {
		objects, names := 0, []string{}
		for _, preset := range presets {
			name := strings.TrimSuffix(filepath.Base(preset), ".yaml")
			rendered, err := e.cluster.Run(ctx, e.Helm, "template", "vigie", chart, "-n", namespace, "-f", preset)
			if err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
			n, err := strict(ctx, rendered, "-f", "-")
			if err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
			objects, names = objects+n, append(names, name)
		}
		return fmt.Sprintf("%d objects in %d renderings: %s", objects, len(names), strings.Join(names, ", ")), nil
	})
	_ = e.holds(ctx, "it takes the plain manifests as strictly", time.Minute, func(ctx context.Context) (string, error) {
		n, err := strict(ctx, nil, "-k", "deploy/manifests")
		return fmt.Sprintf("%d objects", n), err
	})
	return nil
}

// rights compares what the product's accounts asked for with what they may.
func (e *env) rights(ctx context.Context) error {
	calls, err := e.cluster.Audit.Calls()
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	var denied []string
	for _, c := range calls {
		ids[c.ID] = true
		if !c.Allowed {
			denied = append(denied, fmt.Sprintf("%s: %s %s (%s): %s", c.Account, c.Verb, c.What, c.URI, c.Reason))
		}
	}
	slices.Sort(denied)
	denied = slices.Compact(denied)
	err = nil
	if len(denied) > 0 {
		err = fmt.Errorf("%d kinds of call were denied: %s", len(denied), strings.Join(denied, "; "))
	}
	by := map[string]int{}
	for _, c := range calls {
		if c.Ended {
			by[c.Account]++
		}
	}
	for _, account := range []string{"vigie-agent", "vigie-gateway"} {
		if by[account] == 0 {
			err = errors.Join(err, fmt.Errorf("the audit log holds no call of %s", account))
		}
	}
	e.line(0, "no call of the product was denied", fmt.Sprintf("%d calls in the audit log: %v", len(ids), by), err)

	most, example := watches(calls, "vigie-agent")
	err = nil
	if most > 1 {
		err = fmt.Errorf("%s", example)
	}
	if example == "" {
		example = "its pods it has from its kubelet"
	}
	e.line(0, "an agent has at most one watch at a time", fmt.Sprintf("%d at most; %s", most, example), err)
	return e.unused(ctx, calls)
}

// watches is the most that one pod of an account had open at the same time, and
// which they were.
func watches(calls []cluster.Call, account string) (most int, which string) {
	open := map[string]map[string]string{} // pod → call → what
	for _, c := range calls {
		if c.Account != account || c.Verb != "watch" {
			continue
		}
		if open[c.Pod] == nil {
			open[c.Pod] = map[string]string{}
		}
		switch {
		case c.Begun:
			open[c.Pod][c.ID] = c.What
		case c.Ended:
			delete(open[c.Pod], c.ID)
		}
		if n := len(open[c.Pod]); n > most {
			most, which = n, c.Pod+" watches "+strings.Join(slices.Sorted(maps.Values(open[c.Pod])), ", ")
		}
	}
	return most, which
}

// unused lists rules that no call needed. It asserts nothing: a call that this run
// did not make may be needed on another day.
func (e *env) unused(ctx context.Context, calls []cluster.Call) error {
	used := map[string]bool{}
	for _, c := range calls {
		used[c.Account+" "+c.Verb+" "+c.Group+"/"+c.What] = true
		used[c.Account+" "+c.Verb+" "+c.What] = true // a path
	}
	rules, err := e.rules(ctx)
	if err != nil {
		return err
	}
	total, idle := 0, []string{}
	for account, list := range rules {
		for _, r := range list {
			for _, right := range spell(r) {
				total++
				if !used[account+" "+right] {
					idle = append(idle, account+": "+right)
				}
			}
		}
	}
	slices.Sort(idle)
	idle = slices.Compact(idle)
	e.note("rights: %d are written, %d of them nobody used in this run", total, len(idle))
	for _, i := range idle {
		e.note("  %s", i)
	}
	return nil
}

// spell is each verb on each resource of a rule.
func spell(r rbacv1.PolicyRule) []string {
	var all []string
	for _, verb := range r.Verbs {
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				all = append(all, verb+" "+group+"/"+resource)
			}
		}
		for _, url := range r.NonResourceURLs {
			all = append(all, verb+" "+url)
		}
	}
	return all
}

// rules are those of the product's roles, by the account that they are bound to.
func (e *env) rules(ctx context.Context) (map[string][]rbacv1.PolicyRule, error) {
	rules := map[string][]rbacv1.PolicyRule{}
	options := metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=vigie"}
	rbac := e.cluster.Client.RbacV1()
	clusterWide, err := rbac.ClusterRoleBindings().List(ctx, options)
	if err != nil {
		return nil, err
	}
	for _, b := range clusterWide.Items {
		role, err := rbac.ClusterRoles().Get(ctx, b.RoleRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		for _, s := range b.Subjects {
			rules[s.Name] = append(rules[s.Name], role.Rules...)
		}
	}
	local, err := rbac.RoleBindings("").List(ctx, options)
	if err != nil {
		return nil, err
	}
	for _, b := range local.Items {
		role, err := rbac.Roles(b.Namespace).Get(ctx, b.RoleRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		for _, s := range b.Subjects {
			rules[s.Name] = append(rules[s.Name], role.Rules...)
		}
	}
	return rules, nil
}
