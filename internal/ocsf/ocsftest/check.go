// Package ocsftest checks, in tests, that a map is a valid OCSF 1.3.0 Detection
// Finding: required attributes, types, enumerations, constraints, and no
// attribute that the schema does not have. schema.json was written from
// https://schema.ocsf.io/1.3.0/classes/detection_finding and holds the part of
// the schema that Vigie may use.
package ocsftest

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

//go:embed schema.json
var schemaJSON []byte

type class struct {
	Closed     bool                 `json:"closed"`
	AtLeastOne []string             `json:"at_least_one"`
	Attributes map[string]attribute `json:"attributes"`
}

type attribute struct {
	Type     string  `json:"type"`
	Object   string  `json:"object"`
	Array    bool    `json:"array"`
	Required bool    `json:"required"`
	Enum     []int64 `json:"enum"`
	Min      *int64  `json:"min"`
	Max      *int64  `json:"max"`
}

type checker map[string]class

// Check returns all that is wrong with m, nil for a valid Detection Finding.
func Check(m pcommon.Map) error {
	var c checker
	if err := json.Unmarshal(schemaJSON, &c); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	errs := c.object("", "detection_finding", m)
	class, _ := m.Get("class_uid")
	act, _ := m.Get("activity_id")
	typ, _ := m.Get("type_uid")
	if len(errs) == 0 && typ.Int() != class.Int()*100+act.Int() {
		errs = append(errs, fmt.Errorf("type_uid is %d, want class_uid × 100 + activity_id", typ.Int()))
	}
	return errors.Join(errs...)
}

func (c checker) object(path, name string, m pcommon.Map) (errs []error) {
	k, ok := c[name]
	if !ok {
		return []error{fmt.Errorf("%s: the schema has no object %q", path, name)}
	}
	for key, a := range k.Attributes {
		if _, ok := m.Get(key); a.Required && !ok {
			errs = append(errs, fmt.Errorf("%s.%s is required", path, key))
		}
	}
	if len(k.AtLeastOne) > 0 && !slices.ContainsFunc(k.AtLeastOne, func(key string) bool { _, ok := m.Get(key); return ok }) {
		errs = append(errs, fmt.Errorf("%s needs one of %v", path, k.AtLeastOne))
	}
	for key, v := range m.All() {
		a, ok := k.Attributes[key]
		if !ok {
			errs = append(errs, fmt.Errorf("%s.%s is no attribute of %s", path, key, name))
			continue
		}
		errs = append(errs, c.value(path+"."+key, a, v)...)
	}
	return errs
}

func (c checker) value(path string, a attribute, v pcommon.Value) (errs []error) {
	if a.Array {
		if v.Type() != pcommon.ValueTypeSlice {
			return []error{fmt.Errorf("%s is %s, want an array", path, v.Type())}
		}
		a.Array = false
		for i, e := range v.Slice().All() {
			errs = append(errs, c.value(fmt.Sprintf("%s[%d]", path, i), a, e)...)
		}
		return errs
	}
	want := map[string]pcommon.ValueType{
		"string": pcommon.ValueTypeStr, "integer": pcommon.ValueTypeInt, "timestamp": pcommon.ValueTypeInt,
		"boolean": pcommon.ValueTypeBool, "object": pcommon.ValueTypeMap, "json": pcommon.ValueTypeMap,
	}[a.Type]
	if v.Type() != want {
		return []error{fmt.Errorf("%s is %s, want %s", path, v.Type(), a.Type)}
	}
	switch a.Type {
	case "object":
		return c.object(path, a.Object, v.Map())
	case "timestamp":
		// Milliseconds: seconds would read as 1970, nanoseconds as the year 50000.
		if ms := v.Int(); ms < 1e12 || ms > 1e13 {
			errs = append(errs, fmt.Errorf("%s is %d, want milliseconds since the epoch", path, ms))
		}
	case "integer":
		i := v.Int()
		if len(a.Enum) > 0 && !slices.Contains(a.Enum, i) || a.Min != nil && i < *a.Min || a.Max != nil && i > *a.Max {
			errs = append(errs, fmt.Errorf("%s is %d, outside of what the schema takes", path, i))
		}
	}
	return errs
}
