package configs

import (
	"fmt"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v2"
)

// share is a gateway's relabelling of a job, as Prometheus reads it.
func share(t *testing.T, conf *confmap.Conf, receiver string, job int, replicas, ordinal int) []*relabel.Config {
	t.Helper()
	jobs, _ := conf.Get("receivers::" + receiver + "::config::scrape_configs").([]any)
	require.Greater(t, len(jobs), job)
	var configs []*relabel.Config
	for _, one := range jobs[job].(map[string]any)["relabel_configs"].([]any) {
		m := one.(map[string]any)
		if m["target_label"] != "__tmp_share" && fmt.Sprint(m["source_labels"]) != "[__tmp_share]" {
			continue // what chooses among the targets is not what shares them
		}
		if _, ok := m["modulus"]; ok {
			require.Equal(t, "${env:VIGIE_GATEWAY_REPLICAS:-1}", m["modulus"])
			m["modulus"] = replicas
		} else {
			require.Equal(t, "${env:VIGIE_GATEWAY_ORDINAL:-0}", m["regex"])
			m["regex"] = fmt.Sprint(ordinal)
		}
		configs = append(configs, rule(t, m))
	}
	require.Len(t, configs, 2, "job %d of %s is scraped by every gateway", job, receiver)
	return configs
}

// rule is one of a job's relabelling, as Prometheus reads it.
func rule(t *testing.T, written any) *relabel.Config {
	t.Helper()
	text, err := yaml.Marshal(written)
	require.NoError(t, err)
	c := relabel.DefaultRelabelConfig
	require.NoError(t, yaml.Unmarshal(text, &c))
	c.NameValidationScheme = model.UTF8Validation
	return &c
}

// Each target is one gateway's, however many there are; while one of them still
// knows the old number, on the way up, none is nobody's.
func TestEveryTargetOfTheClusterIsOneGateways(t *testing.T) {
	for receiver, jobs := range map[string]int{"prometheus/cluster": 3, "prometheus/karpenter": 1, "prometheus/keda": 1} {
		for job := range jobs {
			type gateway struct{ replicas, ordinal int }
			configs := map[gateway][]*relabel.Config{}
			for _, g := range []gateway{{1, 0}, {1, 1}, {2, 0}, {2, 1}} {
				// share changes it, so that each has its own.
				configs[g] = share(t, shape(t, "gateway", everything), receiver, job, g.replicas, g.ordinal)
			}
			takes := func(address string, replicas, ordinal int) bool {
				return relabel.ProcessBuilder(labels.NewBuilder(labels.FromStrings("__address__", address)), configs[gateway{replicas, ordinal}]...)
			}
			second := 0
			for i := range 20 {
				address := fmt.Sprintf("10.0.%d.%d:8080", i, i*7)
				if !takes(address, 1, 0) {
					t.Errorf("%s, job %d: the only gateway does not take %s", receiver, job, address)
				}
				first, other := takes(address, 2, 0), takes(address, 2, 1)
				if first == other {
					t.Errorf("%s, job %d: of two gateways %s is taken by both or none (%v)", receiver, job, address, first)
				}
				if other {
					second++
				}
				if takes(address, 1, 1) {
					t.Errorf("%s, job %d: a second gateway that believes in one takes %s", receiver, job, address)
				}
			}
			if second < 4 || second > 16 {
				t.Errorf("%s, job %d: the second gateway has %d of 20", receiver, job, second)
			}
		}
	}
}
