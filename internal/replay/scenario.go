package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Scenario is what happens on a site: its background, crowds and attacks. Rates
// and numbers of people are at scale 1. docs/replay.md explains each key.
type Scenario struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// Site is the model: broadcaster (default), news or shop.
	Site string `yaml:"site"`
	// Duration of the whole, in event time.
	Duration Span `yaml:"duration"`
	// Clock is the time of day (UTC) of the beginning, "20:45"; default "12:00".
	Clock string `yaml:"clock"`
	// Expect is the verdict that a good detector reaches: normal, crowd, attack or
	// mixed; empty when the scenario does not say.
	Expect     string     `yaml:"expect"`
	Background Background `yaml:"background"`
	Crowds     []Crowd    `yaml:"crowds"`
	Attacks    []Attack   `yaml:"attacks"`
}

// Background is the ordinary visitors.
type Background struct {
	Rate    float64 `yaml:"rate"`    // requests/s at the beginning
	Diurnal bool    `yaml:"diurnal"` // follow the hours of the day
	// Curve multiplies the rate of new visits; between its points the logarithm
	// is interpolated, before the first and after the last it holds.
	Curve []Point `yaml:"curve"`
	// Audience is how many people ever come; default: an hour of visits.
	Audience int `yaml:"audience"`
}

// Point is a level of the background at a time.
type Point struct {
	At    Span    `yaml:"at"`
	Level float64 `yaml:"level"`
}

// Crowd is people who come for a reason. Of Sessions, Rate and Intensity one is
// given.
type Crowd struct {
	Kind      string  `yaml:"kind"`
	At        Span    `yaml:"at"`
	Duration  Span    `yaml:"duration"`
	Sessions  float64 `yaml:"sessions"`  // visits in all
	Rate      float64 `yaml:"rate"`      // requests/s on average over the duration
	Intensity float64 `yaml:"intensity"` // Rate as a multiple of the background's rate at the beginning
	Shape     string  `yaml:"shape"`     // flat, bell, surge (steep rise, slow fall), ramp; default by kind
	Newcomers float64 `yaml:"newcomers"` // share that was not there before; default by kind
	Carrier   float64 `yaml:"carrier"`   // share that comes through carriers' NAT beyond the usual; default by kind
	Outage    Span    `yaml:"outage"`    // retry_storm: how long the site fails; default 30s
}

// Attack is requests that are not people's. Of Requests, Rate and Intensity one
// is given.
type Attack struct {
	ID        string  `yaml:"id"` // default a1, a2, …
	Class     string  `yaml:"class"`
	At        Span    `yaml:"at"`
	Duration  Span    `yaml:"duration"`
	Requests  float64 `yaml:"requests"`
	Rate      float64 `yaml:"rate"`
	Intensity float64 `yaml:"intensity"` // Rate as a multiple of what it is relative to, measured just before the attack
	// RelativeTo is all (default) or sign_in: the background's sign-ins alone.
	RelativeTo string `yaml:"relative_to"`

	Clients int     `yaml:"clients"` // addresses that take part; default by class and seed
	Shape   string  `yaml:"shape"`   // flat (default), ramp, pulse
	Ramp    Span    `yaml:"ramp"`    // ramp: until the full rate; default the whole duration
	Period  Span    `yaml:"period"`  // pulse: from one to the next; default 20s
	Duty    float64 `yaml:"duty"`    // pulse: share of the period under fire; default 0.4

	// The style; each is drawn by seed where it is not given. See docs/replay.md.
	Target    string `yaml:"target"`    // one, few, search, random, mimic, post, asset
	Agents    string `yaml:"agents"`    // one, few, rotate, real, tool, none
	Addresses string `yaml:"addresses"` // botnet, datacenter, proxies, few, ipv6
	Timing    string `yaml:"timing"`    // even, random, bursts
	Response  string `yaml:"response"`  // ok, overload, blocked
	// Collateral is the share of people's requests that fail with 503 meanwhile.
	Collateral float64 `yaml:"collateral"`
}

// Span is a duration in YAML: 90s, 5m, 24h.
type Span time.Duration

// UnmarshalYAML reads a Go duration.
func (s *Span) UnmarshalYAML(node *yaml.Node) error {
	d, err := time.ParseDuration(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: want a duration (got %q), e.g. 90s, 5m", node.Line, node.Value)
	}
	*s = Span(d)
	return nil
}

func (s Span) String() string { return time.Duration(s).String() }

// Parse reads a scenario and checks it. Unknown keys are errors; all that is
// wrong is reported at once, with lines where YAML gives them.
func Parse(text []byte) (*Scenario, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	s := &Scenario{}
	if err := d.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("read scenario: the file is empty")
		}
		return nil, fmt.Errorf("read scenario: %s", plain(err))
	}
	s.defaults()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return s, nil
}

// plain says what yaml says without the names of Go types.
func plain(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n")
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if before, _, ok := strings.Cut(line, " not found in type"); ok {
			line = strings.Replace(before, "field ", "unknown key ", 1)
		}
		line, _, _ = strings.Cut(line, " into ")
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

func (s *Scenario) defaults() {
	if s.Site == "" {
		s.Site = "broadcaster"
	}
	if s.Clock == "" {
		s.Clock = "12:00"
	}
	for i := range s.Attacks {
		a := &s.Attacks[i]
		if a.ID == "" {
			a.ID = fmt.Sprintf("a%d", i+1)
		}
		if a.RelativeTo == "" {
			a.RelativeTo = "all"
		}
		if a.Shape == "" {
			a.Shape = "flat"
		}
		if a.Ramp == 0 {
			a.Ramp = a.Duration
		}
		if a.Period == 0 {
			a.Period = Span(20 * time.Second)
		}
		if a.Duty == 0 {
			a.Duty = 0.4
		}
	}
	for i := range s.Crowds {
		s.Crowds[i].defaults()
	}
}

// Validate reports everything that is wrong with the scenario.
func (s *Scenario) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	among := func(key, got string, of ...string) {
		if !slices.Contains(of, got) {
			bad("%s must be one of %s (got %q)", key, strings.Join(of, ", "), got)
		}
	}
	if s.Name == "" {
		bad("name is required")
	}
	if _, ok := siteModels[s.Site]; !ok {
		bad("site must be one of broadcaster, news, shop (got %q)", s.Site)
	}
	if s.Duration <= 0 || time.Duration(s.Duration) > 48*time.Hour {
		bad("duration must be above 0 and at most 48h (got %s), e.g. 10m", s.Duration)
	}
	if _, err := time.Parse("15:04", s.Clock); err != nil {
		bad("clock must be a time of day (got %q), e.g. \"20:45\"", s.Clock)
	}
	among("expect", s.Expect, "", "normal", "crowd", "attack", "mixed")
	if !(s.Background.Rate > 0 && s.Background.Rate <= 1e6) {
		bad("background.rate must be above 0 and at most 1000000 requests/s (got %g)", s.Background.Rate)
	}
	for i, p := range s.Background.Curve {
		if !(p.Level > 0 && p.Level <= 1000) {
			bad("background.curve[%d].level must be above 0 and at most 1000 (got %g)", i, p.Level)
		}
		if i > 0 && p.At <= s.Background.Curve[i-1].At {
			bad("background.curve[%d].at (%s) must be after the one before (%s)", i, p.At, s.Background.Curve[i-1].At)
		}
	}
	window := func(key string, at, duration Span) {
		if at < 0 || at >= s.Duration {
			bad("%s.at must be within the scenario's %s (got %s)", key, s.Duration, at)
		}
		if duration <= 0 {
			bad("%s.duration must be above 0 (got %s), e.g. 5m", key, duration)
		}
	}
	one := func(key, names string, values ...float64) {
		n := 0
		for _, v := range values {
			if v < 0 || v != v {
				bad("%s: %s must not be negative (got %g)", key, names, v)
			}
			if v > 0 {
				n++
			}
		}
		if n != 1 {
			bad("%s needs exactly one of %s (got %d of them)", key, names, n)
		}
	}
	share := func(key string, v float64) {
		if !(v >= 0 && v <= 1) {
			bad("%s must be from 0 to 1 (got %g)", key, v)
		}
	}
	for i := range s.Crowds {
		c, key := &s.Crowds[i], fmt.Sprintf("crowds[%d]", i)
		if _, ok := classOf(c.Kind, ClassKickOff, ClassHTTPFlood); !ok {
			bad("%s.kind must be one of %s (got %q)", key, strings.Join(classNames[ClassKickOff:ClassHTTPFlood], ", "), c.Kind)
		}
		window(key, c.At, c.Duration)
		one(key, "sessions, rate, intensity", c.Sessions, c.Rate, c.Intensity)
		among(key+".shape", c.Shape, "flat", "bell", "surge", "ramp")
		share(key+".newcomers", c.Newcomers)
		share(key+".carrier", c.Carrier)
	}
	ids := map[string]bool{}
	for i := range s.Attacks {
		a, key := &s.Attacks[i], fmt.Sprintf("attacks[%d]", i)
		if ids[a.ID] || strings.ContainsAny(a.ID, ",\"\n") {
			bad("%s.id must be unique and without commas or quotes (got %q)", key, a.ID)
		}
		ids[a.ID] = true
		if _, ok := classOf(a.Class, ClassHTTPFlood, classes); !ok {
			bad("%s.class must be one of %s (got %q)", key, strings.Join(classNames[ClassHTTPFlood:], ", "), a.Class)
		}
		window(key, a.At, a.Duration)
		one(key, "requests, rate, intensity", a.Requests, a.Rate, a.Intensity)
		among(key+".relative_to", a.RelativeTo, "all", "sign_in")
		among(key+".shape", a.Shape, "flat", "ramp", "pulse")
		among(key+".target", a.Target, append([]string{""}, targets...)...)
		among(key+".agents", a.Agents, append([]string{""}, agentStyles...)...)
		among(key+".addresses", a.Addresses, append([]string{""}, addressStyles...)...)
		among(key+".timing", a.Timing, append([]string{""}, timings...)...)
		among(key+".response", a.Response, append([]string{""}, responses...)...)
		share(key+".collateral", a.Collateral)
		if a.Clients < 0 || a.Clients > 1_000_000 {
			bad("%s.clients must be from 0 (by seed) to 1000000 (got %d)", key, a.Clients)
		}
		if !(a.Duty > 0 && a.Duty <= 1) {
			bad("%s.duty must be above 0 and at most 1 (got %g)", key, a.Duty)
		}
		if a.Period <= 0 || a.Ramp < 0 {
			bad("%s: period must be above 0 and ramp not negative (got %s, %s)", key, a.Period, a.Ramp)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("scenario %q: %w", s.Name, err)
	}
	return nil
}
