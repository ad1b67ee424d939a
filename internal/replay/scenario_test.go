package replay

import (
	"strings"
	"testing"
)

func TestAScenarioSaysAllThatIsWrongWithIt(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "the file is empty"},
		{"not YAML", "name: [", "line 1"},
		{"unknown key", "name: x\nduratoin: 5m\n", "line 2: unknown key duratoin"},
		{"bad duration", "name: x\nduration: 5 minutes\n", `line 2: want a duration (got "5 minutes"), e.g. 90s, 5m`},
		{"not a number", "name: x\nduration: 5m\nbackground: {rate: many}\n", "line 3: cannot unmarshal"},
		{"nothing in it", "name: x\n", "duration must be above 0"},
		{"nothing in it either", "name: x\n", "background.rate must be above 0"},
		{"site", "name: x\nsite: bank\n", `site must be one of broadcaster, news, shop (got "bank")`},
		{"crowd", "name: x\ncrowds: [{kind: riot}]\n", `crowds[0].kind must be one of kickoff,`},
		{"attack class", "name: x\nattacks: [{class: ping}]\n", `attacks[0].class must be one of http_flood,`},
		{"two sizes", "name: x\nattacks: [{class: http_flood, rate: 5, intensity: 2}]\n", "attacks[0] needs exactly one of requests, rate, intensity (got 2 of them)"},
		{"no size", "name: x\nattacks: [{class: http_flood}]\n", "attacks[0] needs exactly one of requests, rate, intensity (got 0 of them)"},
		{"outside", "name: x\nduration: 5m\nattacks: [{class: http_flood, at: 6m, duration: 1m, rate: 1}]\n", "attacks[0].at must be within the scenario's 5m0s (got 6m0s)"},
		{"style", "name: x\nattacks: [{class: http_flood, agents: chrome}]\n", "attacks[0].agents must be one of"},
		{"same id", "name: x\nattacks: [{id: a, class: http_flood}, {id: a, class: http_flood}]\n", "attacks[1].id must be unique"},
		{"curve", "name: x\nbackground: {rate: 1, curve: [{at: 2m, level: 1}, {at: 1m, level: 0}]}\n", "background.curve[1].at (1m0s) must be after"},
		{"curve level", "name: x\nbackground: {rate: 1, curve: [{at: 2m, level: 1}, {at: 1m, level: 0}]}\n", "background.curve[1].level must be above 0"},
		{"clock", "name: x\nclock: noon\n", `clock must be a time of day (got "noon")`},
		{"share", "name: x\ncrowds: [{kind: goal, newcomers: 2}]\n", "crowds[0].newcomers must be from 0 to 1 (got 2)"},
	} {
		_, err := Parse([]byte(tc.text))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, o := range []Options{{Scale: -1}, {Scale: 1e9}, {Intensity: -0.1}, {Duration: -1}} {
		if _, err := New(scenario(t, "flood"), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		text, _ := Source(name)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		if err := s.Validate(); err != nil {
			t.Errorf("parsed, yet %v", err)
		}
	})
}
