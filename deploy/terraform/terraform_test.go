// Package terraform_test validates the module, its examples and its tests with
// Terraform or OpenTofu, against providers that have a schema and nothing else.
package terraform_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// tools is where `make deploy-check` has put them.
func tools(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("VIGIE_DEPLOY_TOOLS")
	if dir == "" {
		t.Skip("NOT CHECKED: Terraform needs its stub providers; make deploy-check builds them and runs this")
	}
	return dir
}

// terraform is a copy of what the module reads, where Terraform may leave files.
type terraform struct {
	t         *testing.T
	tool, dir string
	env       []string
}

func newTerraform(t *testing.T) *terraform {
	t.Helper()
	dir := tools(t)
	tf := &terraform{t: t, tool: filepath.Join(dir, "bin", "terraform"), dir: t.TempDir()}
	for _, part := range []string{"deploy/terraform", "deploy/iam", "deploy/helm", "dashboards/out"} {
		require.NoError(t, os.CopyFS(filepath.Join(tf.dir, part), os.DirFS(filepath.Join("../..", part))))
	}
	config := filepath.Join(tf.dir, "tfrc")
	text := "provider_installation {\n  filesystem_mirror {\n    path = \"" + filepath.Join(dir, "mirror") + "\"\n  }\n}\n"
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	tf.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "AWS_EC2_METADATA_DISABLED=true")
	return tf
}

// run is one command in a folder below deploy/terraform.
func (tf *terraform) run(in string, args ...string) (string, error) {
	cmd := exec.CommandContext(tf.t.Context(), tf.tool, args...)
	cmd.Dir, cmd.Env = filepath.Join(tf.dir, "deploy/terraform", in), tf.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (tf *terraform) must(in string, args ...string) string {
	tf.t.Helper()
	out, err := tf.run(in, args...)
	require.NoError(tf.t, err, "%s in %s:\n%s", strings.Join(args, " "), in, out)
	return out
}

func TestTheFilesAreFormatted(t *testing.T) {
	tf := newTerraform(t)
	tf.must(".", "fmt", "-check", "-diff", "-recursive")
}

func TestTheModuleAndItsExamplesAreValid(t *testing.T) {
	tf := newTerraform(t)
	for _, in := range []string{".", "modules/dashboards", "examples/minimal", "examples/complete"} {
		tf.must(in, "init", "-backend=false", "-input=false", "-no-color")
		require.Contains(t, tf.must(in, "validate", "-no-color"), "The configuration is valid", in)
	}
}

func TestAMisspeltAttributeIsFound(t *testing.T) {
	tf := newTerraform(t)
	for file, change := range map[string][2]string{
		"logs.tf":     {"retention_in_days =", "retention_days ="},
		"identity.tf": {"service_account = ", "serviceaccount = "},
		"events.tf":   {"input_template =", "input_text ="},
		"release.tf":  {"create_namespace =", "make_namespace ="},
		"amp.tf":      {"data         = file", "# data = file"},
	} {
		path := filepath.Join(tf.dir, "deploy/terraform", file)
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(good), change[0], file)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(good), change[0], change[1], 1)), 0o600))
		tf.must(".", "init", "-backend=false", "-input=false", "-no-color")
		out, err := tf.run(".", "validate", "-no-color")
		require.Error(t, err, "%s with %q passes", file, change[1])
		require.Regexp(t, `Unsupported argument|Missing required argument`, out)
		require.NoError(t, os.WriteFile(path, good, 0o600))
	}
}

func TestTheModulesOwnTestsPass(t *testing.T) {
	tf := newTerraform(t)
	for _, in := range []string{".", "modules/dashboards"} {
		tf.must(in, "init", "-backend=false", "-input=false", "-no-color")
		out := tf.must(in, "test", "-no-color")
		t.Log(strings.TrimSpace(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]))
		require.Contains(t, out, "Success!")
	}
}

// A test that only asserts what is written down beside it can't fail: each of
// these mistakes must be found by one.
func TestTheModulesOwnTestsFindMistakes(t *testing.T) {
	tf := newTerraform(t)
	tf.must(".", "init", "-backend=false", "-input=false", "-no-color")
	for name, c := range map[string]struct{ file, from, to string }{
		"groups may be made":        {"identity.tf", `s.Sid != "MakeGroups"`, `s.Sid != ""`},
		"an agent writes findings":  {"identity.tf", `local.metrics ? "cloudwatch-metrics" : "",`, `local.metrics ? "cloudwatch-findings" : "",`},
		"the examples' topics stay": {"amp.tf", `topic_arn = local.topic_arns[r.name]`, `topic_arn = c.topic_arn`},
		"anybody may publish":       {"topics.tf", `ArnEquals = { "aws:SourceArn" = local.rule_arn }`, `ArnEquals = {}`},
		"another service account":   {"identity.tf", `service_account = "vigie-${each.key}"`, `service_account = each.key`},
	} {
		path := filepath.Join(tf.dir, "deploy/terraform", c.file)
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(good), c.from, name)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(good), c.from, c.to, 1)), 0o600))
		out, err := tf.run(".", "test", "-no-color", "-filter=tests/switches.tftest.hcl")
		require.Error(t, err, "%s, and every test passes", name)
		require.Contains(t, out, "Test assertion failed", name)
		require.NoError(t, os.WriteFile(path, good, 0o600))
	}
}

// What the module gives the chart, in each of its tests' runs, is what the
// chart's own schema takes.
func TestTheChartTakesWhatTheModuleGivesIt(t *testing.T) {
	tf := newTerraform(t)
	text, err := os.ReadFile(filepath.Join(tf.dir, "deploy/helm/vigie/values.schema.json"))
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(text, &schema))
	takes, err := schema.Resolve(nil)
	require.NoError(t, err)
	tf.must(".", "init", "-backend=false", "-input=false", "-no-color")
	out := tf.must(".", "test", "-json", "-verbose", "-filter=tests/switches.tftest.hcl")
	checked := 0
	for line := range strings.Lines(out) {
		var said struct {
			Run   string `json:"@testrun"`
			State struct {
				outputs         // Terraform
				Values  outputs // OpenTofu
			} `json:"test_state"`
		}
		if json.Unmarshal([]byte(line), &said) != nil {
			continue
		}
		text := said.State.Outputs.HelmValues.Value + said.State.Values.Outputs.HelmValues.Value
		if text == "" {
			continue
		}
		var values map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &values), said.Run)
		require.NoError(t, takes.Validate(values), "%s:\n%s", said.Run, text)
		checked++
	}
	require.GreaterOrEqual(t, checked, 9, "runs whose values were seen")
	require.Error(t, takes.Validate(map[string]any{"amp": map[string]any{"endpont": "x"}}), "the schema takes a misspelt value")
}

// outputs are where a state has what the module gives the chart.
type outputs struct {
	Outputs struct {
		HelmValues struct{ Value string } `json:"helm_values"`
	}
}

func TestEachVariableIsExplainedAndEachSwitchRefusesNonsense(t *testing.T) {
	text, err := os.ReadFile("variables.tf")
	require.NoError(t, err)
	for _, v := range strings.Split(string(text), "\nvariable ")[1:] {
		name, _, _ := strings.Cut(v, " ")
		require.Contains(t, v, "description", name)
		require.Contains(t, v, "type ", name)
		if !strings.Contains(v, "type        = bool") && !strings.Contains(v, "map(string)") && !strings.Contains(name, "_arn") {
			require.Contains(t, v, "validation {", "variable %s takes anything", name)
		}
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	outputs, err := os.ReadFile("outputs.tf")
	require.NoError(t, err)
	for _, o := range strings.Split(string(outputs), "output \"")[1:] {
		name, _, _ := strings.Cut(o, `"`)
		require.Contains(t, string(readme), "`"+name+"`")
	}
	err = fs.WalkDir(os.DirFS("examples"), ".", func(path string, _ fs.DirEntry, err error) error { return err })
	require.NoError(t, err)
}
