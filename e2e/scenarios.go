//go:build linux

package main

import (
	"context"
	"fmt"
	"regexp"
)

// scenario is a part of the story. Each stands on those that it needs.
type scenario struct {
	name  string
	needs []string
	tell  func(*env, context.Context) error
}

// story is in the order in which it is told.
var story = []scenario{}

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
	}
	return nil
}
