package calendar

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// MaxEvents bounds the events kept from a file and MaxPush the notifications of
// one event; what is beyond is a Problem.
const (
	MaxEvents = 1000
	MaxPush   = 100
)

// Problem is an entry, or a part of one, that was ignored.
type Problem struct {
	Line  int    // 1-based
	Entry string // the event's name; "" where it has none
	Err   error
}

func (p Problem) Error() string {
	if p.Entry == "" {
		return fmt.Sprintf("line %d: %v", p.Line, p.Err)
	}
	return fmt.Sprintf("line %d: event %q: %v", p.Line, p.Entry, p.Err)
}

// Unwrap is the cause without its place.
func (p Problem) Unwrap() error { return p.Err }

// Parse reads a calendar:
//
//	events:
//	  - name: Semi-final
//	    kick_off: 2026-07-14T21:00:00+02:00   # the one key that is required
//	    half_time: 2026-07-14T21:47:00+02:00
//	    second_half: 2026-07-14T22:02:00+02:00
//	    extra_time: …                         # when there is one
//	    full_time: 2026-07-14T22:52:00+02:00
//	    services: [signin, player-*]          # empty: all
//	    expected_audience: 2400000
//	    usual_audience: 300000
//	    factor: 8                             # instead of the quotient of the two
//	    push_notifications:
//	      - {at: 2026-07-14T20:45:00+02:00, name: line-ups, audience: 900000, factor: 3}
//
// An event that cannot be used is left out; an unknown key or a bad optional
// value is left out alone, so that a typing error does not cost the widening.
// The error is only for a text that is no calendar at all.
func Parse(text []byte) (*Calendar, []Problem, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, nil, fmt.Errorf("read calendar: %w", err)
	}
	if doc.Kind == 0 { // an empty file: no events
		return &Calendar{}, nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, nil, fmt.Errorf("read calendar: line %d: want a mapping with the key events", root.Line)
	}
	p := parser{}
	c := &Calendar{}
	p.keys(root, func(key string, value *yaml.Node) error {
		if key != "events" {
			return errUnknownKey
		}
		if value.Kind != yaml.SequenceNode {
			return errors.New("events must be a list")
		}
		for i, node := range value.Content {
			if i == MaxEvents {
				p.entry = ""
				p.problem(node, fmt.Errorf("%d events beyond the first %d are ignored", len(value.Content)-i, MaxEvents))
				break
			}
			if e, ok := p.event(node); ok {
				c.events = append(c.events, e)
			}
		}
		p.entry = ""
		return nil
	})
	slices.SortStableFunc(c.events, func(a, b Event) int { return a.KickOff.Compare(b.KickOff) })
	return c, p.problems, nil
}

var errUnknownKey = errors.New("unknown key")

type parser struct {
	problems []Problem
	entry    string
}

func (p *parser) problem(at *yaml.Node, err error) {
	p.problems = append(p.problems, Problem{Line: at.Line, Entry: p.entry, Err: err})
}

// keys calls set for each pair of a mapping and notes what it returns.
func (p *parser) keys(node *yaml.Node, set func(key string, value *yaml.Node) error) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if err := set(key.Value, value); err != nil {
			p.problem(key, fmt.Errorf("%s: %w; ignored", key.Value, err))
		}
	}
}

func (p *parser) event(node *yaml.Node) (Event, bool) {
	p.entry = ""
	if node.Kind != yaml.MappingNode {
		p.problem(node, errors.New("an event must be a mapping with name and kick_off; ignored"))
		return Event{}, false
	}
	e := Event{Line: node.Line}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == "name" { // first, so that problems can say whose they are
			e.Name = node.Content[i+1].Value
		}
	}
	p.entry = e.Name
	p.keys(node, func(key string, v *yaml.Node) (err error) {
		switch key {
		case "name":
		case "kick_off":
			e.KickOff, err = instant(v)
		case "half_time":
			e.HalfTime, err = instant(v)
		case "second_half":
			e.SecondHalf, err = instant(v)
		case "extra_time":
			e.ExtraTime, err = instant(v)
		case "full_time":
			e.FullTime, err = instant(v)
		case "services":
			e.Services, err = patterns(v)
		case "expected_audience":
			e.ExpectedAudience, err = people(v)
		case "usual_audience":
			e.UsualAudience, err = people(v)
		case "factor":
			e.Factor, err = factor(v)
		case "push_notifications":
			e.Push, err = p.pushes(v)
		default:
			err = errUnknownKey
		}
		return err
	})
	if err := e.complete(); err != nil {
		p.problem(node, fmt.Errorf("%w; the event is ignored", err))
		return Event{}, false
	}
	return e, true
}

func (p *parser) pushes(list *yaml.Node) ([]Push, error) {
	if list.Kind != yaml.SequenceNode {
		return nil, errors.New("want a list of notifications, each with at")
	}
	var out []Push
	for i, node := range list.Content {
		if i == MaxPush {
			p.problem(node, fmt.Errorf("%d push notifications beyond the first %d are ignored", len(list.Content)-i, MaxPush))
			break
		}
		if node.Kind != yaml.MappingNode {
			p.problem(node, errors.New("a push notification must be a mapping with at; ignored"))
			continue
		}
		push := Push{Name: "push notification", Factor: DefaultPushFactor}
		p.keys(node, func(key string, v *yaml.Node) (err error) {
			switch key {
			case "at":
				push.At, err = instant(v)
			case "name":
				push.Name = v.Value
			case "audience":
				push.Audience, err = people(v)
			case "factor":
				var f float64
				if f, err = factor(v); err == nil {
					push.Factor = f
				}
			default:
				err = errUnknownKey
			}
			return err
		})
		if push.At.IsZero() {
			p.problem(node, errors.New("a push notification needs at, e.g. 2026-07-14T20:45:00+02:00; ignored"))
			continue
		}
		out = append(out, push)
	}
	return out, nil
}

// complete fills in the usual lengths of a match and checks the order.
func (e *Event) complete() error {
	if e.Name == "" {
		return errors.New("name is required")
	}
	if e.KickOff.IsZero() {
		return errors.New("kick_off is required, e.g. 2026-07-14T21:00:00+02:00")
	}
	if e.HalfTime.IsZero() {
		e.HalfTime = e.KickOff.Add(47 * time.Minute)
		if !e.FullTime.IsZero() && !e.HalfTime.Before(e.FullTime) { // a short event without halves
			e.HalfTime, e.SecondHalf = e.FullTime, e.FullTime
		}
	}
	if e.SecondHalf.IsZero() {
		e.SecondHalf = e.HalfTime.Add(15 * time.Minute)
		if !e.FullTime.IsZero() && e.SecondHalf.After(e.FullTime) {
			e.SecondHalf = e.FullTime
		}
	}
	if e.FullTime.IsZero() {
		e.FullTime = e.SecondHalf.Add(50 * time.Minute)
		if !e.ExtraTime.IsZero() {
			e.FullTime = e.ExtraTime.Add(33 * time.Minute)
		}
	}
	order := []struct {
		key string
		at  time.Time
	}{{"kick_off", e.KickOff}, {"half_time", e.HalfTime}, {"second_half", e.SecondHalf}, {"extra_time", e.ExtraTime}, {"full_time", e.FullTime}}
	last := order[0]
	for _, o := range order[1:] {
		if o.at.IsZero() {
			continue
		}
		if o.at.Before(last.at) {
			return fmt.Errorf("%s (%s) is before %s (%s)", o.key, o.at.Format(time.RFC3339), last.key, last.at.Format(time.RFC3339))
		}
		last = o
	}
	if !e.FullTime.After(e.KickOff) {
		return errors.New("full_time must be after kick_off")
	}
	return nil
}

func instant(v *yaml.Node) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(v.Value))
	if err != nil {
		return time.Time{}, fmt.Errorf("want a time with its zone (got %q), e.g. 2026-07-14T21:00:00+02:00", v.Value)
	}
	return at, nil
}

func people(v *yaml.Node) (int64, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(v.Value, "_", ""), 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("want a number of people above 0 (got %q), e.g. 2400000", v.Value)
	}
	return n, nil
}

func factor(v *yaml.Node) (float64, error) {
	f, err := strconv.ParseFloat(v.Value, 64)
	if err != nil || !(f >= 1 && f <= maxFactor) {
		return 0, fmt.Errorf("want a factor from 1 to %d (got %q), e.g. %d", maxFactor, v.Value, DefaultFactor)
	}
	return f, nil
}

func patterns(v *yaml.Node) ([]string, error) {
	var out []string
	if err := v.Decode(&out); err != nil {
		return nil, errors.New("want a list of service names, e.g. [signin, player-*]")
	}
	for _, pattern := range out {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("bad pattern %q", pattern)
		}
	}
	return out, nil
}
