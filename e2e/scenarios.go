//go:build linux

package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
)

// scenario is a part of the story. It stands on those that it needs.
type scenario struct {
	name  string
	needs []string
	tell  func(*env, context.Context) error
	// asked: only where E2E_RUN names it.
	asked bool
}

// story is in the order in which it is told. A part that breaks an assertion does
// not end it: only what nothing can go on without is an error.
var story = []scenario{
	{"dry-run", nil, (*env).dryRun, false},
	{"install", nil, (*env).install, false},
	{"node", []string{"install"}, (*env).nodeMetrics, false},
	{"conntrack", []string{"install"}, (*env).connections, false},
	{"ready", []string{"install"}, (*env).readiness, false},
	{"attack", []string{"install"}, (*env).attack, false},
	{"restarts", []string{"install"}, (*env).restartsOfAll, false},
	{"apiserver", []string{"install"}, (*env).apiServerAway, false},
	{"second-node", []string{"install"}, (*env).secondNode, false},
	{"upgrade", []string{"install", "second-node"}, (*env).upgrade, false},
	{"invalid", []string{"install", "second-node"}, (*env).invalid, false},
	{"gateways", []string{"install", "second-node"}, (*env).gateways, false},
	{"node-removed", []string{"install", "second-node"}, (*env).nodeRemoved, false},
	{"memory", []string{"install"}, (*env).memory, false},
	{"crowd", []string{"install"}, (*env).crowd, true},
	{"logs", []string{"install"}, (*env).allLines, false},
	{"warnings", []string{"install"}, (*env).warnings, false},
	{"rights", []string{"install"}, (*env).rights, false},
}

// choose gives the scenarios whose names match, and what they need; an error where
// there is none.
func choose(pattern string) ([]scenario, error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("E2E_RUN: %w", err)
	}
	var chosen []scenario
	needed := map[string]bool{}
	for _, s := range slices.Backward(story) {
		if needed[s.name] || match.MatchString(s.name) && (pattern != "" || !s.asked) {
			chosen = append(chosen, s)
			for _, need := range s.needs {
				needed[need] = true
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("E2E_RUN=%q names no scenario; e2e/README.md has their names", pattern)
	}
	slices.Reverse(chosen)
	return chosen, nil
}

// scenarios tells them in turn.
func (e *env) scenarios(ctx context.Context, chosen []scenario) error {
	for _, s := range chosen {
		if err := s.tell(e, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
