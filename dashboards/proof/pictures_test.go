package proof

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards"
	"github.com/vigie-otel/vigie/dashboards/panel"
	"github.com/vigie-otel/vigie/dashboards/render"
)

var update = flag.Bool("update", false, "write docs/dashboards")

const gallery = "../../docs/dashboards"

// The pictures in docs are drawn from this event's answers. They are not drawn
// anew each time, since numbers differ a little from run to run; but a panel that
// was added or renamed since is missed in them.
func pictures(t *testing.T, p *Proof) {
	in := render.Input{
		Start: p.Start, End: p.End, Clock: time.Date(2026, 7, 14, 20, 50, 0, 0, time.UTC),
		Note: "Drawn from query results: a replayed kick-off and flood, on a modelled cluster of four nodes",
		Ask: func(q panel.Query) parser.Value {
			r, err := p.Ask(t.Context(), q.Expr, q.Instant)
			require.NoError(t, err)
			return r.Value
		},
	}
	if *update {
		require.NoError(t, os.MkdirAll(gallery, 0o755))
	}
	for _, d := range dashboards.All() {
		path := filepath.Join(gallery, d.UID+".svg")
		in := in
		if d.UID == "vigie-aws" {
			in.Note = "Asked of CloudWatch in your account; there is none here to draw from"
		}
		fresh := render.SVG(&d, in)
		require.Less(t, len(fresh), 150_000, "%s is too large for a README", d.UID)
		if *update {
			require.NoError(t, os.WriteFile(path, fresh, 0o644))
		}
		committed, err := os.ReadFile(path)
		require.NoError(t, err, "draw the dashboards: make dashboard-pictures")
		if missing := titles(&d, committed); len(missing) > 0 {
			t.Errorf("%s does not show %q: draw it again, make dashboard-pictures", path, missing)
		}
		require.NotContains(t, string(fresh), "NaN", d.UID)
	}
}

// titles are those of the dashboard's panels that the picture does not show.
func titles(d *panel.Dashboard, svg []byte) (missing []string) {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	for _, p := range d.Flow() {
		title := p.Heading
		if p.Panel != nil {
			title = p.Panel.Title
		}
		r := []rune(escaped.Replace(title))
		if !bytes.Contains(svg, []byte(string(r[:min(len(r), 8)]))) {
			missing = append(missing, title)
		}
	}
	return missing
}
