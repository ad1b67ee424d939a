package detectcmd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor"
)

// flooded is three minutes of people, and from the second on of five machines.
func flooded() []string {
	var lines []string
	for s := range 170 {
		at := kickOff.Add(time.Duration(s) * time.Second).Format("02/Jan/2006:15:04:05 -0700")
		for i := range 150 {
			person := (s*31 + i*7) % 3000
			lines = append(lines, fmt.Sprintf(`%d.%d.%d.%d - - [%s] "GET %s HTTP/1.1" 200 %d "-" "Mozilla/5.0 (Device %d) Chrome/%d.0"`,
				11+person%150, person/16%250, person%250, 1+person%200, at,
				[]string{"/", "/live/42", "/news/today", "/assets/app.js", "/assets/style.css", "/api/score"}[(person+i)%6], 500+i, person%40, 100+person%9))
		}
		for i := range 500 {
			if s >= 120 && s < 160 {
				lines = append(lines, fmt.Sprintf(`203.0.113.%d - - [%s] "GET /search HTTP/1.1" 200 9 "-" "python-requests/2.31"`, 1+i%5, at))
			}
		}
	}
	return lines
}

// The marks file is a promise: those lines, no others, and the same findings.
func TestMarksAreExactlyThoseOfTheStreamingProcessor(t *testing.T) {
	lines := flooded()
	path := filepath.Join(t.TempDir(), "m.tsv")
	cmd := New()
	cmd.SetArgs([]string{"-", "--quiet", "--seed", "5", "--marks", path})
	cmd.SetIn(strings.NewReader(strings.Join(lines, "\n")))
	cmd.SetOut(&bytes.Buffer{})
	require.NoError(t, cmd.ExecuteContext(t.Context()))
	offline, err := os.ReadFile(path)
	require.NoError(t, err)

	f := attackdetectionprocessor.NewFactory()
	cfg := f.CreateDefaultConfig().(*attackdetectionprocessor.Config)
	cfg.Seed = 5
	sink := new(consumertest.LogsSink)
	p, err := f.CreateLogs(t.Context(), processortest.NewNopSettings(f.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	for from := 0; from < len(lines); from += 777 { // batches end where they like
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for _, l := range lines[from:min(from+777, len(lines))] {
			records.AppendEmpty().Body().SetStr(l)
		}
		require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	}
	require.NoError(t, p.Shutdown(context.Background()))
	var streamed strings.Builder
	n := 0
	for _, ld := range sink.AllLogs() {
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			if lr.EventName() != "" {
				continue
			}
			n++
			if id, ok := lr.Attributes().Get(names.FindingID); ok {
				s, _ := lr.Attributes().Get(names.Suspicion)
				fmt.Fprintf(&streamed, "%d\t%.3f\t%s\n", n, s.Double(), id.Str())
			}
		}
	}
	require.Equal(t, len(lines), n)
	require.NotEmpty(t, streamed.String(), "nothing was marked: the comparison would hold of itself")
	if diff := cmp.Diff(streamed.String(), string(offline)); diff != "" {
		t.Errorf("(-streamed +offline)\n%.2000s", diff)
	}
}
