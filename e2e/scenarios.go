//go:build linux

package main

import (
	"context"
	"fmt"
	"regexp"
)

// scenario is a part of the story. It stands on those that it needs.
type scenario struct {
	name  string
	needs []string
	tell  func(*env, context.Context) error
}

// story is in the order in which it is told. A part that breaks an assertion does
// not end it: only what nothing can go on without is an error.
var story = []scenario{
	{"dry-run", nil, (*env).dryRun},
	{"install", nil, (*env).install},
	{"node", []string{"install"}, (*env).nodeMetrics},
	{"conntrack", []string{"install"}, (*env).connections},
	{"attack", []string{"install"}, (*env).attack},
	{"restarts", []string{"install"}, (*env).restartsOfAll},
	{"apiserver", []string{"install"}, (*env).apiServerAway},
	{"second-node", []string{"install"}, (*env).secondNode},
	{"upgrade", []string{"install", "second-node"}, (*env).upgrade},
	{"invalid", []string{"install", "second-node"}, (*env).invalid},
	{"node-removed", []string{"install", "second-node"}, (*env).nodeRemoved},
	{"memory", []string{"install"}, (*env).memory},
	{"logs", []string{"install"}, (*env).allLines},
	{"rights", []string{"install"}, (*env).rights},
}

// scenarios tells those whose names match, and what they need.
func (e *env) scenarios(ctx context.Context, pattern string) error {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("E2E_RUN: %w", err)
	}
	wanted := map[string]bool{}
	for i := len(story) - 1; i >= 0; i-- {
		s := story[i]
		if wanted[s.name] = wanted[s.name] || match.MatchString(s.name); wanted[s.name] {
			for _, need := range s.needs {
				wanted[need] = true
			}
		}
	}
	for _, s := range story {
		if !wanted[s.name] {
			continue
		}
		if err := s.tell(e, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
