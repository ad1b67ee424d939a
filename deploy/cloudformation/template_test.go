// Package cloudformation_test holds the template: intrinsics resolve, conditions
// hold, policies are those of deploy/iam, and, with AWS' specification at hand
// (make deploy-check), each property is one that its type has.
package cloudformation_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// template is vigie.yaml; intrinsics are values of type call.
type template struct {
	Parameters map[string]map[string]any
	Conditions map[string]any
	Resources  map[string]resource
	Outputs    map[string]map[string]any
}

type resource struct {
	Type, Condition string
	Properties      map[string]any
	rest            []string // other keys
}

// call is !Ref, !Sub, …: its name and argument.
type call struct {
	name string
	arg  any
}

// parse reads a template's YAML with its short intrinsics; a key that is there
// twice is an error, as it is for CloudFormation.
func parse(text []byte) (template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return template{}, err
	}
	root, err := value(doc.Content[0])
	if err != nil {
		return template{}, err
	}
	top, ok := root.(map[string]any)
	if !ok {
		return template{}, fmt.Errorf("the template is no map")
	}
	t := template{Parameters: map[string]map[string]any{}, Resources: map[string]resource{}, Outputs: map[string]map[string]any{}}
	for key, section := range top {
		parts, _ := section.(map[string]any)
		switch key {
		case "AWSTemplateFormatVersion", "Description":
		case "Parameters":
			for name, p := range parts {
				t.Parameters[name], _ = p.(map[string]any)
			}
		case "Conditions":
			t.Conditions = parts
		case "Outputs":
			for name, o := range parts {
				t.Outputs[name], _ = o.(map[string]any)
			}
		case "Resources":
			for name, r := range parts {
				fields, _ := r.(map[string]any)
				var out resource
				for k, v := range fields {
					switch k {
					case "Type":
						out.Type, _ = v.(string)
					case "Condition":
						out.Condition, _ = v.(string)
					case "Properties":
						out.Properties, _ = v.(map[string]any)
					default:
						out.rest = append(out.rest, k)
					}
				}
				t.Resources[name] = out
			}
		default:
			return template{}, fmt.Errorf("unknown section %s", key)
		}
	}
	return t, nil
}

func value(n *yaml.Node) (any, error) {
	inner := *n
	name := ""
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		name, inner.Tag = n.Tag[1:], ""
	}
	var out any
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				return nil, fmt.Errorf("line %d: %s is there twice", n.Content[i].Line, key)
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key] = v
		}
		out = m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		out = list
	default:
		if name != "" {
			out = n.Value
		} else if err := inner.Decode(&out); err != nil {
			return nil, err
		}
	}
	if name != "" {
		return call{name, out}, nil
	}
	return out, nil
}

func read(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile("vigie.yaml")
	require.NoError(t, err)
	require.Less(t, len(text), 51200, "CloudFormation takes a larger template only from S3")
	tpl, err := parse(text)
	require.NoError(t, err)
	return tpl
}

// uses is one reference: to what, by which attribute ("" for Ref), and under
// which conditions of !If it stands.
type use struct {
	name, attribute string
	under           []string
}

var inSub = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

// uses walks a value; known are names that a Sub's own map gives.
func uses(v any, under []string, take func(use)) {
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			uses(x, under, take)
		}
	case []any:
		for _, x := range v {
			uses(x, under, take)
		}
	case call:
		v.uses(under, take)
	}
}

func (c call) uses(under []string, take func(use)) {
	switch c.name {
	case "Ref":
		take(use{c.arg.(string), "", under})
	case "GetAtt":
		name, attribute, _ := strings.Cut(c.arg.(string), ".")
		take(use{name, attribute, under})
	case "Sub":
		text, given := c.arg, map[string]any{}
		if list, ok := c.arg.([]any); ok {
			text, given = list[0], list[1].(map[string]any)
			uses(given, under, take)
		}
		for _, m := range inSub.FindAllStringSubmatch(text.(string), -1) {
			if _, own := given[m[1]]; own {
				continue
			}
			name, attribute := m[1], ""
			if !strings.Contains(name, "::") {
				name, attribute, _ = strings.Cut(name, ".")
			}
			take(use{name, attribute, under})
		}
	case "If":
		list := c.arg.([]any)
		condition := list[0].(string)
		take(use{"condition " + condition, "", under})
		uses(list[1], append(slices.Clone(under), condition), take)
		uses(list[2], append(slices.Clone(under), "not "+condition), take)
	case "Equals", "Not", "And", "Or":
		uses(c.arg, under, take)
	default:
		take(use{"unknown function " + c.name, "", under})
	}
}

var pseudo = []string{"AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::URLSuffix", "AWS::StackName"}

// problems are what CloudFormation would find before it asks any service.
func (t template) problems() []string {
	var out []string
	used := map[string]bool{}
	check := func(where, condition string, v any) (needs []string) {
		uses(v, nil, func(u use) {
			used[u.name] = true
			if c, ok := strings.CutPrefix(u.name, "condition "); ok {
				if _, known := t.Conditions[c]; !known {
					out = append(out, fmt.Sprintf("%s: there is no condition %s", where, c))
				}
				return
			}
			if slices.Contains(pseudo, u.name) || t.Parameters[u.name] != nil {
				return
			}
			r, ok := t.Resources[u.name]
			if !ok {
				out = append(out, fmt.Sprintf("%s: there is no %s", where, u.name))
				return
			}
			needs = append(needs, u.name)
			if r.Condition != "" && r.Condition != condition && !slices.Contains(u.under, r.Condition) {
				out = append(out, fmt.Sprintf("%s: %s is there only with %s", where, u.name, r.Condition))
			}
		})
		return needs
	}
	for name, c := range t.Conditions {
		check("condition "+name, "", c)
	}
	needs := map[string][]string{}
	for name, r := range t.Resources {
		if r.Condition != "" {
			used["condition "+r.Condition] = true
			if _, known := t.Conditions[r.Condition]; !known {
				out = append(out, fmt.Sprintf("%s: there is no condition %s", name, r.Condition))
			}
		}
		for _, k := range r.rest {
			if !slices.Contains([]string{"DeletionPolicy", "UpdateReplacePolicy", "DependsOn"}, k) {
				out = append(out, fmt.Sprintf("%s: unknown key %s", name, k))
			}
		}
		needs[name] = check(name, r.Condition, r.Properties)
	}
	for name, o := range t.Outputs {
		check("output "+name, "", o["Value"])
	}
	for name := range t.Parameters {
		if !used[name] {
			out = append(out, fmt.Sprintf("parameter %s is used nowhere", name))
		}
	}
	for name := range t.Conditions {
		if !used["condition "+name] {
			out = append(out, fmt.Sprintf("condition %s is used nowhere", name))
		}
	}
	for name := range needs {
		if circle(needs, name, name, map[string]bool{}) {
			out = append(out, name+" needs itself")
		}
	}
	slices.Sort(out)
	return out
}

// circle reports whether following what is needed leads back to the beginning.
func circle(needs map[string][]string, from, to string, seen map[string]bool) bool {
	for _, n := range needs[from] {
		if n == to {
			return true
		}
		if !seen[n] {
			seen[n] = true
			if circle(needs, n, to, seen) {
				return true
			}
		}
	}
	return false
}
