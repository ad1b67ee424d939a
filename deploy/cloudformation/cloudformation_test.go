package cloudformation_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/deploy/iam"
)

func TestEverythingThatIsNamedIsThere(t *testing.T) {
	require.Empty(t, read(t).problems())
}

func TestMistakesInATemplateAreFound(t *testing.T) {
	text, err := os.ReadFile("vigie.yaml")
	require.NoError(t, err)
	for name, c := range map[string]struct{ from, to, says string }{
		"a name that is nowhere":     {"!Ref ApplicationGroup", "!Ref AppGroup", "there is no AppGroup"},
		"an unconditional reference": {"Value: !Ref PerformanceGroup", "Value: !Ref ApplicationGroup", "ApplicationGroup is there only with WritesLogs"},
		"an unknown condition":       {"Condition: WritesMetrics", "Condition: WriteMetrics", "there is no condition WriteMetrics"},
		"a text's unknown name":      {"Alias: !Sub vigie-${ClusterName}", "Alias: !Sub vigie-${Cluster}", "there is no Cluster"},
		"an unused parameter":        {"  Namespace:\n    Type: String", "  Unused: {Type: String}\n  Namespace:\n    Type: String", "parameter Unused is used nowhere"},
		"a circle":                   {"Alias: !Sub vigie-${ClusterName}", "Alias: !Ref AmpDiscardsAlarm", "AmpDiscardsAlarm needs itself"},
		"an unknown function":        {"!GetAtt AgentRole.Arn", "!GetAttr AgentRole.Arn", "unknown function GetAttr"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(text), c.from)
			tpl, err := parse([]byte(strings.Replace(string(text), c.from, c.to, 1)))
			require.NoError(t, err)
			require.Contains(t, strings.Join(tpl.problems(), "\n"), c.says)
		})
	}
	_, err = parse([]byte("Resources: {A: {Type: x}, A: {Type: y}}"))
	require.ErrorContains(t, err, "twice")
}

// filled is what a policy's values look like with deploy/iam's placeholders in
// the place of the template's own.
func filled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = filled(x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, filled(x))
		}
		return out
	case call:
		return v.filled()
	}
	return v
}

var placeholders = strings.NewReplacer(
	"${AWS::Partition}", "${Partition}", "${AWS::Region}", "${Region}", "${AWS::AccountId}", "${Account}", "${EventBus}", "${EventBusName}",
)

func (c call) filled() any {
	switch c.name {
	case "Sub":
		return placeholders.Replace(c.arg.(string))
	case "Ref":
		return placeholders.Replace("${" + c.arg.(string) + "}")
	case "If": // a workspace that is made, or one that is named: the second says how its ARN looks
		return filled(c.arg.([]any)[2])
	}
	return fmt.Sprintf("!%s %v", c.name, c.arg)
}

// asJSON makes two values comparable: one action is a list of one.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	p, err := iam.Parse(b)
	require.NoError(t, err)
	b, err = json.MarshalIndent(p, "", "  ")
	require.NoError(t, err)
	return string(b)
}

func TestPoliciesAreThoseOfDeployIAM(t *testing.T) {
	var names []string
	for id, r := range read(t).Resources {
		if r.Type != "AWS::IAM::Policy" {
			continue
		}
		name := r.Properties["PolicyName"].(string)
		names = append(names, name)
		want, err := iam.Read("policies", name)
		require.NoError(t, err, id)
		want.Statement = slices.DeleteFunc(want.Statement, func(s iam.Statement) bool { return s.Sid == "MakeGroups" })
		if d := cmp.Diff(asJSON(t, want), asJSON(t, filled(r.Properties["PolicyDocument"]))); d != "" {
			t.Errorf("%s differs from deploy/iam/policies/%s.json (-):\n%s", id, name, d)
		}
	}
	slices.Sort(names)
	require.Equal(t, []string{"cloudwatch-findings", "cloudwatch-logs", "cloudwatch-metrics", "eventbridge", "remote-write", "xray-api", "xray-otlp", "xray-sampling"}, names)
}

func TestRolesAreForTheChartsServiceAccounts(t *testing.T) {
	tpl := read(t)
	for component, id := range map[string]string{"agent": "AgentRole", "gateway": "GatewayRole"} {
		want, err := iam.Read("trust", "pod-identity")
		require.NoError(t, err)
		got := strings.ReplaceAll(asJSON(t, filled(tpl.Resources[id].Properties["AssumeRolePolicyDocument"])), `"vigie-`+component+`"`, `"${ServiceAccount}"`)
		if d := cmp.Diff(asJSON(t, want), got); d != "" {
			t.Errorf("%s:\n%s", id, d)
		}
	}
}

// Every log group of a policy is one that the template makes.
func TestGroupsThatMayBeWrittenToAreMade(t *testing.T) {
	tpl := read(t)
	made := map[string]bool{}
	for _, r := range tpl.Resources {
		if r.Type == "AWS::Logs::LogGroup" {
			made[filled(r.Properties["LogGroupName"]).(string)] = true
		}
	}
	require.NotEmpty(t, made)
	for _, name := range []string{"cloudwatch-logs", "cloudwatch-metrics", "cloudwatch-findings"} {
		p, err := iam.Read("policies", name)
		require.NoError(t, err)
		for _, s := range p.Statement {
			for _, arn := range s.Resource {
				_, group, _ := strings.Cut(arn, ":log-group:")
				group, _, _ = strings.Cut(group, ":")
				require.True(t, made[group], "no log group %s", group)
			}
		}
	}
}

// specification is what testing/types.mjs writes.
type specification struct {
	Resources map[string]struct {
		Properties map[string]property
		Attributes []string
	}
	Definitions map[string]map[string]property
}

type property struct {
	Type     any
	Required bool
}

func readSpecification(t *testing.T) *specification {
	t.Helper()
	tools := os.Getenv("VIGIE_DEPLOY_TOOLS")
	if tools == "" {
		t.Skip("NOT CHECKED: AWS' specification comes from npm; make deploy-check gets it and runs this")
	}
	b, err := os.ReadFile(filepath.Join(tools, "cloudformation.json"))
	require.NoError(t, err)
	s := &specification{}
	require.NoError(t, json.Unmarshal(b, s))
	return s
}

func TestEachPropertyIsOneThatItsTypeHas(t *testing.T) {
	spec := readSpecification(t)
	require.Empty(t, spec.problems(read(t)))
}

func TestAMisspeltPropertyIsFound(t *testing.T) {
	spec := readSpecification(t)
	text, err := os.ReadFile("vigie.yaml")
	require.NoError(t, err)
	for name, c := range map[string]struct{ from, to, says string }{
		"a property":         {"RetentionInDays: !Ref RetentionDays", "RetentionDays: !Ref RetentionDays", "has no RetentionDays"},
		"a nested property":  {"MetricValue: \"1\"", "Value: \"1\"", "has no Value"},
		"one that is needed": {"      ServiceAccount: vigie-agent\n", "", "ServiceAccount is missing"},
		"a type":             {"AWS::SNS::TopicPolicy", "AWS::SNS::TopicsPolicy", "there is no type AWS::SNS::TopicsPolicy"},
		"an attribute":       {"!GetAtt Undelivered.QueueName", "!GetAtt Undelivered.Name", "has no attribute Name"},
		"a list":             {"AlarmActions: [!Ref Wake]", "AlarmActions: wake", "must be a list"},
		"a number":           {"EvaluationPeriods: 3", "EvaluationPeriods: three", "must be a integer"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(text), c.from)
			tpl, err := parse([]byte(strings.Replace(string(text), c.from, c.to, 1)))
			require.NoError(t, err)
			require.Contains(t, strings.Join(spec.problems(tpl), "\n"), c.says)
		})
	}
}

func (s *specification) problems(t template) (out []string) {
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for name, r := range t.Resources {
		known, ok := s.Resources[r.Type]
		if !ok {
			add("%s: there is no type %s", name, r.Type)
			continue
		}
		s.object(name, known.Properties, r.Properties, add)
		uses(r.Properties, nil, func(u use) { s.attribute(t, name, u, add) })
	}
	for name, o := range t.Outputs {
		uses(o["Value"], nil, func(u use) { s.attribute(t, "output "+name, u, add) })
	}
	slices.Sort(out)
	return out
}

func (s *specification) attribute(t template, where string, u use, add func(string, ...any)) {
	if r, ok := t.Resources[u.name]; ok && u.attribute != "" && !slices.Contains(s.Resources[r.Type].Attributes, u.attribute) {
		add("%s: %s (%s) has no attribute %s", where, u.name, r.Type, u.attribute)
	}
}

func (s *specification) object(where string, known map[string]property, got map[string]any, add func(string, ...any)) {
	for key, v := range got {
		p, ok := known[key]
		if !ok {
			add("%s has no %s", where, key)
			continue
		}
		s.value(where+"."+key, p.Type, v, add)
	}
	for key, p := range known {
		if _, ok := got[key]; p.Required && !ok {
			add("%s.%s is missing", where, key)
		}
	}
}

func (s *specification) value(where string, kind, v any, add func(string, ...any)) {
	if c, ok := v.(call); ok {
		if c.name == "If" { // both ways
			for _, x := range c.arg.([]any)[1:] {
				s.value(where, kind, x, add)
			}
		}
		return // what the others give is a text, or what they refer to
	}
	switch kind := kind.(type) {
	case map[string]any:
		m, ok := v.(map[string]any)
		if !ok {
			add("%s must be a map (got %v)", where, v)
			return
		}
		s.object(where, s.Definitions[kind["of"].(string)], m, add)
	case []any:
		s.several(where, kind, v, add)
	case string:
		if !scalar(kind, v) {
			add("%s must be a %s (got %v)", where, kind, v)
		}
	}
}

func (s *specification) several(where string, kind []any, v any, add func(string, ...any)) {
	switch kind[0] {
	case "one":
		var best []string
		for i, alternative := range kind[1:] {
			var found []string
			s.value(where, alternative, v, func(f string, args ...any) { found = append(found, fmt.Sprintf(f, args...)) })
			if len(found) == 0 {
				return
			}
			if i == 0 {
				best = found
			}
		}
		for _, f := range best {
			add("%s", f)
		}
	case "list":
		list, ok := v.([]any)
		if !ok {
			add("%s must be a list (got %v)", where, v)
			return
		}
		for i, x := range list {
			s.value(fmt.Sprintf("%s[%d]", where, i), kind[1], x, add)
		}
	case "map":
		m, ok := v.(map[string]any)
		if !ok {
			add("%s must be a map (got %v)", where, v)
			return
		}
		for k, x := range m {
			s.value(where+"."+k, kind[1], x, add)
		}
	}
}

// scalar reports whether a value is of a word's type; texts stand for numbers
// and booleans too, as CloudFormation converts them, where they read as such.
func scalar(kind string, v any) bool {
	switch kind {
	case "json":
		_, isMap := v.(map[string]any)
		return isMap
	case "integer":
		_, ok := v.(int)
		return ok
	case "number":
		switch v.(type) {
		case int, float64:
			return true
		}
		return false
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "string":
		switch v.(type) {
		case string, int, float64, bool:
			return true
		}
		return false
	}
	return true // tag and what else is no word of this template
}
