package configs

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever brings logs or spans in, and whatever else joins, nothing that changes
// or adds records stands behind redact but what is on the way out of it.
func TestSecretsAreTakenOutLastInEachPipelineOfLogsAndTraces(t *testing.T) {
	for _, name := range Names {
		conf := shape(t, name, everything)
		own := pipelines(shape(t, name, map[string]string{"VIGIE_LOGS": "/a", "VIGIE_TRACERS": "zipkin", "VIGIE_FLUENT_ENDPOINT": "a:1"}))
		var seen int
		for _, p := range own {
			list, _ := conf.Get("service::pipelines::" + p + "::processors").([]any)
			signal, _, _ := strings.Cut(p, "/")
			at := slices.Index(list, any("redact"))
			if signal == "metrics" {
				if at >= 0 {
					t.Errorf("%s: %s is redacted and has nothing to redact", name, p)
				}
				continue
			}
			seen++
			if at < 0 || at != len(list)-1 {
				t.Errorf("%s: %s has %v", name, p, list)
			}
		}
		if seen < 2 {
			t.Errorf("%s: only %d pipelines were looked at", name, seen)
		}
		if shape(t, name, nil).IsSet("processors::redact") {
			t.Errorf("%s redacts unasked", name)
		}
	}
	if d := cmp.Diff(any([]any{"cards", "urls"}), shape(t, "agent", map[string]string{"VIGIE_REDACT": "cards, urls"}).Get("processors::redact::kinds")); d != "" {
		t.Error(d)
	}
}
