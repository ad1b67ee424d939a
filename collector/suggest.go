package main

import (
	"reflect"
	"slices"
	"strings"
)

// suggest says which of the known names was probably meant, or lists them.
func suggest(got string, known []string) string {
	slices.Sort(known)
	known = slices.Compact(known)
	if len(known) == 0 {
		return "none is known here"
	}
	best, bestDistance := "", 3
	for _, k := range known {
		if d := distance(got, k); d < bestDistance || (d < len(k) && strings.HasPrefix(k, got) && best == "") {
			best, bestDistance = k, min(d, bestDistance)
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	const most = 24
	if len(known) > most {
		known = append(slices.Clone(known[:most]), "…")
	}
	return "known: " + strings.Join(known, ", ")
}

// distance is Levenshtein's, with one row.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}

// typeAt is the type of the setting at a path such as
// receivers::otlp::protocols, nil where it can't be told. The component's own
// structure begins after section and ID, the service's after its section.
func (s *source) typeAt(path []string) reflect.Type {
	t := reflect.TypeOf(s.cfg)
	skip := 2
	if len(path) > 0 && path[0] == "service" {
		skip = 1
	}
	for _, key := range path[min(skip, len(path)):] {
		t = fieldType(t, key)
	}
	return t
}

func structType(t reflect.Type) (reflect.Type, bool) {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil, false
	}
	// configoptional.Optional[T] holds its T in an unexported field.
	if f, ok := t.FieldByName("value"); ok && strings.HasPrefix(t.Name(), "Optional[") {
		return structType(f.Type)
	}
	return t, true
}

func eachField(t reflect.Type, visit func(name string, t reflect.Type)) {
	t, ok := structType(t)
	if !ok {
		return
	}
	for f := range t.Fields() {
		name, opts, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		switch {
		case strings.Contains(opts, "squash"):
			eachField(f.Type, visit)
		case !f.IsExported() || name == "-" || strings.Contains(opts, "remain"):
		case name == "":
			visit(strings.ToLower(f.Name), f.Type)
		default:
			visit(name, f.Type)
		}
	}
}

func fieldType(t reflect.Type, key string) (found reflect.Type) {
	eachField(t, func(name string, ft reflect.Type) {
		if name == key {
			found = ft
		}
	})
	return found
}

func fieldNames(t reflect.Type) (names []string) {
	eachField(t, func(name string, _ reflect.Type) { names = append(names, name) })
	return names
}
