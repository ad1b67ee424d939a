package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func values(t *testing.T) map[string]any {
	t.Helper()
	body, err := os.ReadFile("vigie/values.yaml")
	require.NoError(t, err)
	var v map[string]any
	require.NoError(t, yaml.Unmarshal(body, &v))
	return v
}

// free are the values whose keys are the user's.
var free = []string{"agent.config", "gateway.config", "agent.resources", "gateway.resources", "agent.nodeSelector", "gateway.nodeSelector"} //nolint:gochecknoglobals // a constant list

// keys are the paths of all values of maps that are ours, and of the maps.
func keys(prefix string, v map[string]any) (leaves, maps_ []string) {
	for _, k := range slices.Sorted(maps.Keys(v)) {
		path := prefix + k
		if m, ok := v[k].(map[string]any); ok && !slices.Contains(free, path) {
			maps_ = append(maps_, path)
			l, below := keys(path+".", m)
			leaves, maps_ = append(leaves, l...), append(maps_, below...)
			continue
		}
		leaves = append(leaves, path)
	}
	return leaves, maps_
}

func TestTheValuesFitOnOneScreen(t *testing.T) {
	body, err := os.ReadFile("vigie/values.yaml")
	require.NoError(t, err)
	require.LessOrEqual(t, bytes.Count(body, []byte("\n")), 50)
}

func TestAMisspeltValueIsRefusedByItsName(t *testing.T) {
	chart := vigieChart(t)
	leaves, groups := keys("", values(t))
	require.Greater(t, len(leaves), 40)
	// One misspelt value in each map, all in one render, and then each is named.
	wrong, want := map[string]any{}, []string{}
	for _, group := range append([]string{""}, groups...) {
		m := wrong
		for part := range strings.SplitSeq(group, ".") {
			if part == "" {
				continue
			}
			next, ok := m[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				m[part] = next
			}
			m = next
		}
		name := "mispelt" + strings.ReplaceAll(group, ".", "")
		m[name] = true
		want = append(want, name)
	}
	body, err := json.Marshal(wrong)
	require.NoError(t, err)
	file := t.TempDir() + "/values.json"
	require.NoError(t, os.WriteFile(file, body, 0o600))
	_, err = chart.Text("-f", file)
	require.Error(t, err)
	for _, name := range want {
		if !strings.Contains(err.Error(), "'"+name+"' not allowed") {
			t.Errorf("%s is taken:\n%v", name, err)
		}
	}
}

func TestEveryValueHasAKindThatAnotherKindIsRefusedFor(t *testing.T) {
	chart := vigieChart(t)
	leaves, _ := keys("", values(t))
	// All at once as well: every leaf becomes a number below zero, which none takes.
	var sets []string
	for _, path := range leaves {
		sets = append(sets, "--set-json", path+"=-1.5")
	}
	_, err := chart.Text(sets...)
	require.Error(t, err)
	for _, path := range leaves {
		at := "at '/" + strings.ReplaceAll(path, ".", "/") + "'"
		if !strings.Contains(err.Error(), at) {
			t.Errorf("%s takes -1.5", path)
		}
	}
}

func TestWhatMakesNoSenseIsRefusedWithTheWayOut(t *testing.T) {
	chart := vigieChart(t)
	for set, want := range map[string]string{
		"amp.enabled=true":                                                                     "/amp/endpoint",
		"warroom.enabled=true,warroom.tlsSecret=a":                                             "/warroom/usersSecret",
		"grafana.enabled=true,grafana.url=https://g":                                           "/grafana/tokenSecret",
		"kafka.enabled=true":                                                                   "/kafka/brokers",
		"kafka.enabled=true,kafka.brokers={b:9092},kafka.auth=plain":                           "kafka.credentialsSecret",
		"kafka.enabled=true,kafka.brokers={b:9092}":                                            "aws.region",
		"xray.enabled=true,xray.api=awsxray":                                                   "needs aws.region",
		"kubeStateMetrics.enabled=true,kubeStateMetrics.endpoint=ksm:8080":                     "choose",
		"agent.hostRoot=true,agent.journal.units={kubelet},agent.journal.dir=/run/log/journal": "hides /run",
		"agent.journal.dir=/var/log":                                                           "/agent/journal/dir",
		"gateway.resources.limits=null":                                                        "/gateway/resources",
		"agent.maxUnavailable=0":                                                               "/agent/maxUnavailable",
		"agent.dataDir=/":                                                                      "/agent/dataDir",
		"cloudwatch.signals={traces}":                                                          "/cloudwatch/signals",
		"cloudwatch.retentionDays=31":                                                          "/cloudwatch/retentionDays",
		"agent.config.pipelines.metrics=x":                                                     "'pipelines' not allowed",
		"aws.region=Paris":                                                                     "/aws/region",
		"aws.agentRoleArn=vigie":                                                               "/aws/agentRoleArn",
	} {
		_, err := chart.Text("--set", set)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q in\n%v", set, want, err)
		}
	}
}

func TestTheReadmeNamesEveryValueWithItsDefault(t *testing.T) {
	body, err := os.ReadFile("vigie/README.md")
	require.NoError(t, err)
	leaves, _ := keys("", values(t))
	for _, path := range leaves {
		var value any = values(t)
		for part := range strings.SplitSeq(path, ".") {
			value = value.(map[string]any)[part] //nolint:forcetypeassert // keys took this way
		}
		text, err := json.Marshal(value)
		require.NoError(t, err)
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta("`"+path+"`") + ` \| ([^|]*) \|`).FindSubmatch(body)
		if row == nil {
			t.Errorf("%s is not in README.md", path)
			continue
		}
		if shown := strings.Trim(string(row[1]), "`"); shown != string(text) && shown != fmt.Sprint(value) && !slices.Contains(free, path) {
			t.Errorf("%s: README.md says %s, values.yaml %s", path, shown, text)
		}
	}
}
