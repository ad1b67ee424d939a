package attackdetectionprocessor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// told is a detector that says what the test tells it to.
type told struct {
	*fake
	next []finding.Finding
}

func (d *told) Tick(time.Time) []finding.Finding {
	next := d.next
	d.next = nil
	return next
}

// Tail sampling keeps a trace by this attribute, so it must be on every span of
// the service under attack, in the gateway too, and on no other.
func TestWhileAFindingIsOpenEverySpanOfItsServiceSaysSo(t *testing.T) {
	for _, mode := range []string{modeAgent, modeGateway} {
		t.Run(mode, func(t *testing.T) {
			cfg := defaultConfig().(*Config)
			cfg.Mode = mode
			d := &told{fake: newFake()}
			newest := func(detect.Config) (judge, error) { return d, nil }
			e, err := newEngine(cfg, cfg.detector(), newest, newOutlet(8, scopeAgent, "test", zap.NewNop()))
			require.NoError(t, err)
			begin := time.Unix(1_800_000_000, 0)
			e.pace.see(0, begin) // a request, so that the clock runs
			for _, step := range []struct {
				name string
				told []finding.Finding
				want map[string]string // service → window, of services whose spans have one
			}{
				{"nothing open", nil, map[string]string{}},
				{"one opens", []finding.Finding{{ID: "f-1", Service: "api", Status: finding.Open}}, map[string]string{"api": "f-1"}},
				{"another opens beside it", []finding.Finding{{ID: "f-2", Service: "api", Status: finding.Open}}, map[string]string{"api": "f-2"}},
				{"the older one closes", []finding.Finding{{ID: "f-1", Service: "api", Status: finding.Closed}}, map[string]string{"api": "f-2"}},
				{"the newer one closes", []finding.Finding{{ID: "f-2", Service: "api", Status: finding.Closed}}, map[string]string{}},
			} {
				d.next = step.told
				begin = begin.Add(time.Second)
				e.tick(begin)
				td := ptrace.NewTraces()
				for _, service := range []string{"api", "web"} {
					rs := td.ResourceSpans().AppendEmpty()
					rs.Resource().Attributes().PutStr(names.ServiceName, service)
					rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetKind(ptrace.SpanKindInternal)
				}
				e.traces(td, begin, false)
				if diff := cmp.Diff(step.want, windows(td)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", step.name, diff)
				}
			}
		})
	}
}

func windows(td ptrace.Traces) map[string]string {
	got := map[string]string{}
	for _, rs := range td.ResourceSpans().All() {
		service, _ := rs.Resource().Attributes().Get(names.ServiceName)
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if v, ok := span.Attributes().Get(names.FindingWindow); ok {
					got[service.Str()] = v.Str()
				}
			}
		}
	}
	return got
}
