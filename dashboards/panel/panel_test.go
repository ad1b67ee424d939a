package panel

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sized(w, h int) Panel {
	return Panel{Kind: Stat, Title: "x", W: w, H: h, Queries: []Query{{Expr: "up", Legend: "x"}}}
}

func TestPanelsFlowAndWrapBelowTheHighest(t *testing.T) {
	d := Dashboard{Rows: []Row{
		{Title: "first", Panels: []Panel{sized(10, 4), sized(10, 7), sized(10, 3), sized(24, 2)}},
		{Panels: []Panel{sized(24, 5)}},
	}}
	var got []Place
	for _, p := range d.Flow() {
		got = append(got, p.Place)
	}
	require.Equal(t, []Place{{0, 0, 24, 1}, {0, 1, 10, 4}, {10, 1, 10, 7}, {0, 8, 10, 3}, {0, 11, 24, 2}, {0, 13, 24, 5}}, got)
}

func TestRefIDsGoOnAfterZ(t *testing.T) {
	require.Equal(t, "A", refID(0))
	require.Equal(t, "Z", refID(25))
	require.Equal(t, "AA", refID(26))
	require.Equal(t, "BA", refID(52))
}

func TestAPanelThatAsksNothingIsAnError(t *testing.T) {
	d := Dashboard{UID: "vigie-x", Rows: []Row{{Panels: []Panel{{Kind: Stat, Title: "mute", W: 1, H: 1}}}}}
	_, err := d.JSON()
	require.ErrorContains(t, err, `dashboard vigie-x: panel "mute" asks nothing`)
}

func TestKnownNamesGetColoursOfTheirOwnAndStylesWin(t *testing.T) {
	p := Panel{Kind: Series, Queries: []Query{{Legend: "a+b"}, {Legend: "{{pod}}"}, {Legend: "limit"}, {Legend: "c"}}, Styles: []Style{{Match: "limit", Color: Grey, Dashed: true}}}
	var got []string
	for _, o := range p.overrides() {
		got = append(got, o.Matcher.Options+" "+o.Properties[0].Value.(map[string]any)["fixedColor"].(string))
	}
	require.Equal(t, []string{`/^(?:a\+b)$/ ` + Palette[0], `/^(?:c)$/ ` + Palette[1], "/^(?:limit)$/ " + Grey}, got)
}

func TestAllMatchesWhatIsAbsentAndOneValueIsNotAll(t *testing.T) {
	many := Variable{Name: "cluster", Query: "label_values(cluster)"}
	one := Variable{Name: "region", Query: "label_values(region)", One: true}
	require.Equal(t, ".*", many.json().AllValue)
	require.False(t, one.json().IncludeAll)
	text := Variable{Name: "warroom", Text: "http://x/"}
	raw, err := json.Marshal(text.json())
	require.NoError(t, err)
	require.True(t, strings.Contains(string(raw), `"type":"textbox"`) && strings.Contains(string(raw), `"query":"http://x/"`), string(raw))
}
