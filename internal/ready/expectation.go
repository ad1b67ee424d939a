package ready

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Expectation is what the user knows of a service better than the metrics. Zero
// is not said.
type Expectation struct {
	Service           string  `yaml:"service"`             // service.name, as in the metrics
	Workload          string  `yaml:"workload"`            // namespace/name, where the names don't tell
	Peak              float64 `yaml:"peak"`                // {request}/s at the height of the event
	RequestsPerViewer float64 `yaml:"requests_per_viewer"` // {request}/s of each viewer; instead of Peak
	PerReplica        float64 `yaml:"per_replica"`         // {request}/s that one replica carries at its target
	Line              int     `yaml:"-"`
}

// MaxExpectations bounds an expectations file.
const MaxExpectations = 1000

// ParseExpectations reads
//
//	services:
//	  - service: signin
//	    workload: shop/signin        # where the service's name does not tell
//	    peak: 12000                  # requests a second at the height, or
//	    requests_per_viewer: 0.004   # requests a second of each viewer at once
//	    per_replica: 450             # requests a second of one replica at its target
//
// Everything that is wrong is told at once: a capacity that was misread is worse
// than none.
func ParseExpectations(text []byte) ([]Expectation, error) {
	var doc struct {
		Services []yaml.Node `yaml:"services"`
	}
	if err := strict(text, &doc); err != nil {
		return nil, fmt.Errorf("read expectations: %w", err)
	}
	if n := len(doc.Services); n > MaxExpectations {
		return nil, fmt.Errorf("read expectations: %d services, more than %d", n, MaxExpectations)
	}
	var out []Expectation
	var errs []error
	seen := map[string]int{}
	for i := range doc.Services {
		node := &doc.Services[i]
		e := Expectation{Line: node.Line}
		raw, err := yaml.Marshal(node)
		if err == nil {
			err = strict(raw, &e)
		}
		if err == nil {
			err = e.validate()
		}
		if err == nil && seen[e.Service] > 0 {
			err = fmt.Errorf("service %q is on line %d already", e.Service, seen[e.Service])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", node.Line, err))
			continue
		}
		seen[e.Service] = e.Line
		out = append(out, e)
	}
	return out, errors.Join(errs...)
}

func strict(text []byte, into any) error {
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil && err.Error() != "EOF" {
		return err
	}
	return nil
}

func (e *Expectation) validate() error {
	var errs []error
	if e.Service == "" {
		errs = append(errs, errors.New("service is required, e.g. signin"))
	}
	if e.Workload != "" {
		if ns, name, ok := strings.Cut(e.Workload, "/"); !ok || ns == "" || name == "" || strings.Contains(name, "/") {
			errs = append(errs, fmt.Errorf("workload must be namespace/name (got %q), e.g. shop/signin", e.Workload))
		}
	}
	for _, k := range []struct {
		key string
		v   float64
		eg  string
	}{{"peak", e.Peak, "12000"}, {"requests_per_viewer", e.RequestsPerViewer, "0.004"}, {"per_replica", e.PerReplica, "450"}} {
		if k.v < 0 || math.IsNaN(k.v) || math.IsInf(k.v, 0) {
			errs = append(errs, fmt.Errorf("%s must be above 0, in requests a second (got %v), e.g. %s", k.key, k.v, k.eg))
		}
	}
	if e.Peak > 0 && e.RequestsPerViewer > 0 {
		errs = append(errs, errors.New("peak and requests_per_viewer say the same thing: give one"))
	}
	return errors.Join(errs...)
}
