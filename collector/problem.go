package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"go.opentelemetry.io/collector/confmap"
)

// problem is one thing that is wrong with a configuration.
type problem struct {
	Key  string // "receivers::otlp::protocols"; empty when no key can be named
	Text string // what it got and what it takes
}

func (p problem) String() string {
	if p.Key == "" {
		return p.Text
	}
	return p.Key + ": " + p.Text
}

// problemsError is all that is wrong with a configuration, a line each.
type problemsError []problem

func (p problemsError) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders by key, so that the same mistakes print in the same order, and
// drops repetitions.
func (p problemsError) sorted() problemsError {
	slices.SortStableFunc(p, func(a, b problem) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(p)
}

// source is where a problem's value and its neighbours can be looked up.
type source struct {
	conf *confmap.Conf
	cfg  any // the structure that the settings were read into
}

// extend adds to a path the keys of a decoding error's name that the
// configuration really has: mapstructure also names Go types there.
func (s *source) extend(path, names []string) []string {
	path = slices.Clone(path)
	for _, n := range names {
		if next := append(path, n); s.conf.IsSet(strings.Join(next, "::")) {
			path = next
		}
	}
	return path
}

// flatten turns a tree of wrapped and joined errors into problems, a line each.
// path is the key so far; src may be nil for errors that are not of decoding.
func flatten(path []string, src *source, err error) problemsError {
	if decode, ok := err.(*mapstructure.DecodeError); ok && src != nil { //nolint:errorlint // the tree is walked node by node
		return flattenDecode(src.extend(path, splitName(decode.Name())), src, decode.Unwrap())
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all problemsError
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(path, src, e)...)
		}
		return all
	}
	// A wrapper's own words are worth keeping only where nothing below it is
	// structured: "decoding failed due to …" adds nothing to what follows. A key
	// that it puts before the rest ("store: ") belongs to the path.
	if inner := errors.Unwrap(err); inner != nil && structured(inner) {
		if key, ok := strings.CutSuffix(err.Error(), ": "+inner.Error()); ok && !strings.ContainsAny(key, " \n") {
			path = append(slices.Clone(path), key)
		}
		return flatten(path, src, inner)
	}
	return leaf(path, err.Error())
}

func structured(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if _, ok := err.(*mapstructure.DecodeError); ok { //nolint:errorlint // as above
			return true
		}
		if _, ok := err.(interface{ Unwrap() []error }); ok {
			return true
		}
	}
	return false
}

func flattenDecode(path []string, src *source, err error) problemsError {
	if structured(err) {
		return flatten(path, src, err)
	}
	var typeErr *mapstructure.UnconvertibleTypeError
	if errors.As(err, &typeErr) {
		takes := kindName(typeErr.Expected.Type())
		if takes == "" {
			takes = typeErr.Expected.Type().String()
		}
		return problemsError{{Key: strings.Join(path, "::"), Text: fmt.Sprintf("got %s; takes %s", describe(typeErr.Value), takes)}}
	}
	// mapstructure has no type for keys that nothing reads; its words are split
	// only to give each key its own line.
	if keys, ok := strings.CutPrefix(err.Error(), "has invalid keys: "); ok {
		var all problemsError
		for _, k := range strings.Split(keys, ", ") {
			text := "is not a setting here; " + suggest(k, fieldNames(src.typeAt(path)))
			all = append(all, problem{Key: strings.Join(append(slices.Clone(path), k), "::"), Text: text})
		}
		return all
	}
	text := err.Error()
	if got := src.conf.Get(strings.Join(path, "::")); got != nil {
		text = fmt.Sprintf("got %s; %s", describe(got), text)
	}
	if takes := kindName(src.typeAt(path)); takes != "" {
		text += "; takes " + takes
	}
	return leaf(path, text)
}

// leaf makes one problem of an error's text, which may span lines.
func leaf(path []string, text string) problemsError {
	text = strings.Join(strings.Fields(text), " ")
	return problemsError{{Key: strings.Join(path, "::"), Text: text}}
}

// splitName splits a mapstructure name, "a.b[c]", into its keys.
func splitName(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return fmt.Sprintf("%q", v)
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	default:
		return fmt.Sprintf("%v (%T)", v, v)
	}
}

// kindName says what a Go type takes, in the words of a configuration; "" for
// types that read themselves from text.
func kindName(t reflect.Type) string {
	if t == nil {
		return ""
	}
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration, e.g. 10s"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a map"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 && t.PkgPath() == "" {
		return "a whole number"
	}
	return ""
}
