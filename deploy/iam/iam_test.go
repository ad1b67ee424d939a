package iam_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/deploy/iam"
)

const (
	module = "github.com/vigie-otel/vigie/"
	signer = module + "extensions/awssigv4extension"
)

// clients are the packages behind the exporters that call AWS with a client of
// their own.
var clients = map[string][]string{
	"cloudwatch":  {module + "exporters/cloudwatchexporter"},
	"eventbridge": {module + "exporters/eventbridgeexporter"},
	"awsxray": {
		"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awsxrayexporter",
		"github.com/open-telemetry/opentelemetry-collector-contrib/internal/aws/xray/telemetry",
	},
}

// policyOf says which file is for which fragment of collector/configs/with, where
// the names differ.
var policyOf = map[string]string{"amp": "remote-write", "xray": "xray-otlp", "awsxray": "xray-api"}

// others are the policies that belong to no destination: grafana-workspace is for
// what Amazon Managed Grafana asks of AMP, none of it Vigie.
var others = []string{"assume-role", "check", "grafana-workspace", "msk", "ready", "xray-sampling"}

// fragment is what of a configuration fragment matters here.
type fragment struct {
	Exporters  map[string]map[string]any `yaml:"exporters"`
	Extensions map[string]map[string]any `yaml:"extensions"`
	Receivers  map[string]map[string]any `yaml:"receivers"`
}

func readFragments(t *testing.T) map[string]fragment {
	t.Helper()
	paths, err := filepath.Glob("../../collector/configs/with/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	out := map[string]fragment{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		var f fragment
		require.NoError(t, yaml.Unmarshal(b, &f), path)
		out[strings.TrimSuffix(filepath.Base(path), ".yaml")] = f
	}
	return out
}

// asks are the actions that a fragment's exporters call.
func (f fragment) asks(t *testing.T, code *source) (actions []string, roles bool) {
	t.Helper()
	for id, cfg := range f.Exporters {
		kind, _, _ := strings.Cut(id, "/")
		for _, path := range clients[kind] {
			actions = append(actions, code.calls(path)...)
		}
		_, takesRole := cfg["role_arn"]
		roles = roles || takesRole
		auth, _ := cfg["auth"].(map[string]any)
		name, _ := auth["authenticator"].(string)
		if !strings.HasPrefix(name, "aws_sigv4") {
			continue
		}
		_, takesRole = f.Extensions[name]["role_arn"]
		roles = roles || takesRole
		actions = append(actions, code.signedBy(t, kind, cfg))
	}
	slices.Sort(actions)
	return slices.Compact(actions), roles
}

// signedBy is the action of what an exporter sends through the signer.
func (s *source) signedBy(t *testing.T, kind string, cfg map[string]any) string {
	t.Helper()
	endings := s.signed(signer)
	if kind == "remote_write" {
		return endings["/remote_write"]
	}
	for key, value := range cfg {
		if url, ok := value.(string); ok && strings.HasSuffix(key, "_endpoint") {
			for ending, action := range endings {
				if strings.HasSuffix(strings.TrimSuffix(url, "}"), ending) {
					return action
				}
			}
		}
	}
	t.Errorf("exporter %s is signed for AWS, and which action it needs is not known: %v", kind, cfg)
	return ""
}

func codeOfExporters(t *testing.T) *source {
	t.Helper()
	patterns := []string{signer}
	for _, paths := range clients {
		patterns = append(patterns, paths...)
	}
	return load(t, append(patterns, module+"internal/awsclient", module+"collector/checkcmd")...)
}

func TestEachPolicyAllowsExactlyWhatItsDestinationCalls(t *testing.T) {
	code := codeOfExporters(t)
	seen := slices.Clone(others)
	needsRole := false
	var all []string
	for name, f := range readFragments(t) {
		actions, roles := f.asks(t, code)
		needsRole = needsRole || roles
		if len(actions) == 0 {
			continue
		}
		all = append(all, actions...)
		file := name
		if other := policyOf[name]; other != "" {
			file = other
		}
		seen = append(seen, file)
		t.Run(name, func(t *testing.T) {
			p, err := iam.Read("policies", file)
			require.NoError(t, err)
			if d := cmp.Diff(actions, p.Actions()); d != "" {
				t.Errorf("policies/%s.json (+) differs from what the code calls (-):\n%s", file, d)
			}
		})
	}
	slices.Sort(seen)
	if d := cmp.Diff(iam.Names("policies"), slices.Compact(seen)); d != "" {
		t.Errorf("policies without a caller (-), destinations without a policy (+):\n%s", d)
	}

	t.Run("vigie check needs its own policy beside those of the destinations", func(t *testing.T) {
		var more []string
		for _, a := range code.calls(module + "collector/checkcmd") {
			if !slices.Contains(all, a) {
				more = append(more, a)
			}
		}
		p, err := iam.Read("policies", "check")
		require.NoError(t, err)
		if d := cmp.Diff(more, p.Actions()); d != "" {
			t.Error(d)
		}
	})

	t.Run("a role of another account is assumed where a fragment names one", func(t *testing.T) {
		require.True(t, needsRole, "no fragment takes a role any more: assume-role.json has no reader")
		require.Contains(t, code.imports(module+"internal/awsclient"), "github.com/aws/aws-sdk-go-v2/credentials/stscreds")
		p, err := iam.Read("policies", "assume-role")
		require.NoError(t, err)
		// A session of EKS Pod Identity carries tags on, so taking the next role
		// needs TagSession as well.
		require.Equal(t, []string{"sts:AssumeRole", "sts:TagSession"}, p.Actions())
	})
}

// What an application's X-Ray SDK asks its local daemon, the receiver's proxy
// hands on with Vigie's credentials.
func TestSamplingRulesAreAskedForWhereTheReceiverHasAProxy(t *testing.T) {
	receiver := readFragments(t)["tracers"].Receivers["awsxray"]
	require.Contains(t, receiver, "proxy_server", "no proxy: xray-sampling.json has no reader")
	p, err := iam.Read("policies", "xray-sampling")
	require.NoError(t, err)
	require.Equal(t, []string{"xray:GetSamplingRules", "xray:GetSamplingTargets"}, p.Actions())
}

// Kafka's own protocol is what asks: IAM's names stand for its requests.
func TestAProducerMayDoOnTheBrokersWhatItsSettingsNeed(t *testing.T) {
	want := map[string]bool{}
	topics := 0
	for name, f := range readFragments(t) {
		for id, cfg := range f.Exporters {
			if kind, _, _ := strings.Cut(id, "/"); kind != "kafka" {
				continue
			}
			topics++
			want["kafka-cluster:Connect"], want["kafka-cluster:DescribeTopic"], want["kafka-cluster:WriteData"] = true, true, true
			producer, _ := cfg["producer"].(map[string]any)
			if producer["required_acks"] == -1 { // then the client's writes are idempotent
				want["kafka-cluster:WriteDataIdempotently"] = true
			}
			require.Equal(t, false, producer["allow_auto_topic_creation"], "%s may make topics: then it needs kafka-cluster:CreateTopic", name)
		}
	}
	p, err := iam.Read("policies", "msk")
	require.NoError(t, err)
	if d := cmp.Diff(slices.Sorted(maps.Keys(want)), p.Actions()); d != "" {
		t.Error(d)
	}
	require.Len(t, p.Statement[1].Resource, topics, "one topic a signal")
}

// Readiness says itself what it asks (internal/ready.Actions); what its code is
// seen to ask must be among that, and the policy is exactly that.
func TestReadinessAsksForNothingButItsPolicy(t *testing.T) {
	code := load(t, module+"internal/ready/...", module+"collector/readycmd/...")
	p, err := iam.Read("policies", "ready")
	require.NoError(t, err)
	said := code.strings(module+"internal/ready", "Actions")
	slices.Sort(said)
	if d := cmp.Diff(said, p.Actions()); d != "" {
		t.Errorf("policies/ready.json (+) differs from ready.Actions() (-):\n%s", d)
	}
	// EC2 is asked by hand, and Prometheus' queries are signed for AMP.
	var asked []string
	for path := range code.pkgs {
		asked = append(append(asked, code.calls(path)...), code.queries(path, "ec2")...)
		if code.has(path, "query_range") && code.has(path, "aps") {
			asked = append(asked, "aps:QueryMetrics")
		}
	}
	slices.Sort(asked)
	if d := cmp.Diff(slices.Compact(asked), p.Actions()); d != "" {
		t.Errorf("policies/ready.json (+) differs from what the code is seen to ask (-):\n%s", d)
	}
}

// imports are a package's direct imports.
func (s *source) imports(path string) (out []string) {
	for p := range s.pkgs[path].Imports {
		out = append(out, p)
	}
	return out
}

// Whoever adds a caller of AWS must come by here.
func TestNoOtherPackageCallsAWS(t *testing.T) {
	known := []string{
		"collector/checkcmd", "extensions/awssigv4extension", "exporters/cloudwatchexporter", "exporters/eventbridgeexporter",
		"internal/awsclient", "internal/ready", "collector/readycmd", "processors/cloudmetadataprocessor",
	}
	for _, top := range []string{"collector", "dashboards", "exporters", "extensions", "internal", "processors", "receivers"} {
		err := filepath.WalkDir(filepath.Join("../..", top), func(path string, d os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			dir, err := filepath.Rel("../..", filepath.Dir(path))
			if err != nil {
				return err
			}
			own := func(k string) bool { return dir == k || strings.HasPrefix(dir, k+"/") }
			if strings.Contains(string(b), `"github.com/aws/aws-sdk-go`) && !slices.ContainsFunc(known, own) && !strings.HasPrefix(dir, "internal/testkit") {
				t.Errorf("%s uses the AWS SDK: give it a policy in deploy/iam, and name it here", dir)
			}
			return nil
		})
		require.NoError(t, err)
	}
}

func TestPoliciesKeepTheGrammar(t *testing.T) {
	for _, folder := range []string{"policies", "trust"} {
		require.NotEmpty(t, iam.Names(folder))
		for _, name := range iam.Names(folder) {
			t.Run(folder+"/"+name, func(t *testing.T) {
				_, err := iam.Read(folder, name)
				require.NoError(t, err)
				raw, err := iam.Files.ReadFile(folder + "/" + name + ".json")
				require.NoError(t, err)
				// IAM counts no white space; what is attached in one piece has 6,144.
				var compact any
				require.NoError(t, json.Unmarshal(raw, &compact))
				small, err := json.Marshal(compact)
				require.NoError(t, err)
				require.Less(t, len(small), 2048)
			})
		}
	}
}

func TestPlaceholdersAreThoseThatTheReadmeExplains(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, folder := range []string{"policies", "trust"} {
		for _, name := range iam.Names(folder) {
			require.Contains(t, string(readme), folder+"/"+name+".json")
			names, err := iam.Placeholders(folder, name)
			require.NoError(t, err)
			for _, p := range names {
				require.Contains(t, string(readme), "`${"+p+"}`", "%s/%s.json", folder, name)
			}
		}
	}
}

func TestAPolicyThatIsTooWideIsRefused(t *testing.T) {
	statement := func(body string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow",` + body + `}]}`
	}
	for name, c := range map[string]struct {
		body  string
		trust bool
		says  string
	}{
		"a wildcard action":           {`"Action":"logs:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"x"}}`, false, "without a wildcard"},
		"everything, unconditionally": {`"Action":"xray:PutTraceSegments","Resource":"*"`, false, "need a condition"},
		"any workspace":               {`"Action":"aps:RemoteWrite","Resource":"arn:aws:aps:eu-west-3:123456789012:workspace/*"`, false, "without a wildcard"},
		"a group by prefix":           {`"Action":"logs:PutLogEvents","Resource":"arn:aws:logs:eu-west-3:123456789012:log-group:/vigie/*:log-stream:*"`, false, "without a wildcard"},
		"a wildcard in a condition":   {`"Action":"xray:PutTraceSegments","Resource":"*","Condition":{"StringLike":{"aws:RequestedRegion":"*"}}`, false, "must have no wildcard"},
		"an unknown operator":         {`"Action":"xray:PutTraceSegments","Resource":"*","Condition":{"StringEqual":{"aws:RequestedRegion":"x"}}`, false, "condition operator"},
		"no resource":                 {`"Action":"aps:RemoteWrite"`, false, "names no resource"},
		"anybody":                     {`"Action":"sts:AssumeRole","Principal":{"AWS":"*"}`, true, "must be somebody"},
		"nobody":                      {`"Action":"sts:AssumeRole"`, true, "one kind of principal"},
		"a resource in a trust":       {`"Action":"sts:AssumeRole","Principal":{"AWS":"a"},"Resource":"*"`, true, "names no resource"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := iam.Parse([]byte(statement(c.body)))
			require.NoError(t, err)
			require.ErrorContains(t, p.Check(c.trust), c.says)
		})
	}
	_, err := iam.Parse([]byte(statement(`"Actoin":"aps:RemoteWrite","Resource":"*"`)))
	require.ErrorContains(t, err, "Actoin")
	_, err = iam.Parse([]byte(statement(`"NotAction":"aps:RemoteWrite","Resource":"*"`)))
	require.ErrorContains(t, err, "NotAction")
}
