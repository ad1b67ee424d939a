package iam

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Sources: the IAM user guide, "Grammar of the IAM JSON policy language", "IAM
// JSON policy elements: Sid, Condition operators" and "ARN format".
var (
	sidForm    = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	actionForm = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)
	arnForm    = regexp.MustCompile(`^arn:(\$\{Partition\}|aws[a-z-]*):[a-z0-9-]+:[^:*]*:[^:*]*:[^:*]+(:[^*]*)*(:log-stream:\*)?$`)
	keyForm    = regexp.MustCompile(`^(aws:[A-Za-z0-9]+(/[A-Za-z0-9_.-]+)?|[a-z0-9-]+:[A-Za-z0-9/_-]+|\$\{OidcProvider\}:(aud|sub))$`)
	operators  = []string{"ArnEquals", "ArnLike", "StringEquals", "StringLike"}
	principals = []string{"AWS", "Federated", "Service"}
)

// Check reports everything that is wrong with the policy at once, by IAM's
// grammar and by the house's narrower rules: no wildcard in an action, none in an
// ARN but for the streams of a named log group, and all resources only under a
// condition. trust says that it is a role's trust policy.
func (p *Policy) Check(trust bool) error {
	var errs []error
	if p.Version != "2012-10-17" {
		errs = append(errs, fmt.Errorf("version must be 2012-10-17 (got %q): without it ${aws:…} is plain text", p.Version))
	}
	if len(p.Statement) == 0 {
		errs = append(errs, errors.New("there is no statement"))
	}
	var sids []string
	for i, s := range p.Statement {
		for _, err := range s.check(trust) {
			errs = append(errs, fmt.Errorf("statement %d (%s): %w", i+1, s.Sid, err))
		}
		if slices.Contains(sids, s.Sid) {
			errs = append(errs, fmt.Errorf("statement %d: sid %s is there twice", i+1, s.Sid))
		}
		sids = append(sids, s.Sid)
	}
	return errors.Join(errs...)
}

func (s *Statement) check(trust bool) (errs []error) {
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !sidForm.MatchString(s.Sid) {
		add("sid takes letters and digits (got %q)", s.Sid)
	}
	if s.Effect != "Allow" {
		add("effect must be Allow (got %q)", s.Effect)
	}
	if len(s.Action) == 0 {
		add("it allows no action")
	}
	for _, a := range s.Action {
		if !actionForm.MatchString(a) {
			add("action must be service:Operation without a wildcard (got %q)", a)
		}
	}
	if !slices.IsSorted(s.Action) {
		add("actions must be sorted (got %v)", s.Action)
	}
	if trust {
		errs = append(errs, s.checkPrincipal()...)
	} else {
		errs = append(errs, s.checkResource()...)
	}
	for op, keys := range s.Condition {
		if !slices.Contains(operators, op) {
			add("condition operator must be one of %s (got %q)", strings.Join(operators, ", "), op)
		}
		for k, values := range keys {
			if !keyForm.MatchString(k) || len(values) == 0 {
				add("condition key must be a known form with values (got %q: %v)", k, values)
			}
			for _, v := range values {
				if strings.ContainsAny(v, "*?") {
					add("condition %s must have no wildcard (got %q)", k, v)
				}
			}
		}
	}
	return errs
}

func (s *Statement) checkResource() (errs []error) {
	if len(s.Principal) > 0 {
		errs = append(errs, errors.New("principal belongs to trust policies"))
	}
	if len(s.Resource) == 0 {
		errs = append(errs, errors.New("it names no resource"))
	}
	for _, r := range s.Resource {
		switch {
		case r == "*" && len(s.Condition) == 0:
			errs = append(errs, errors.New("all resources need a condition that narrows them"))
		case r != "*" && !arnForm.MatchString(r):
			errs = append(errs, fmt.Errorf("resource must be an ARN without a wildcard but a log group's streams (got %q)", r))
		}
	}
	return errs
}

func (s *Statement) checkPrincipal() (errs []error) {
	if len(s.Resource) > 0 {
		errs = append(errs, errors.New("a trust policy names no resource"))
	}
	if len(s.Principal) != 1 {
		errs = append(errs, fmt.Errorf("there must be one kind of principal (got %d)", len(s.Principal)))
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Principal)) {
		if !slices.Contains(principals, kind) {
			errs = append(errs, fmt.Errorf("principal must be one of %s (got %q)", strings.Join(principals, ", "), kind))
		}
		for _, who := range s.Principal[kind] {
			if strings.Contains(who, "*") || who == "" {
				errs = append(errs, fmt.Errorf("principal must be somebody (got %q)", who))
			}
		}
	}
	return errs
}
