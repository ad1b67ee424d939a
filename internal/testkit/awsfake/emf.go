package awsfake

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Metric is one metric under one dimension set of an embedded metric document.
type Metric struct {
	Group, Stream     string
	Namespace, Name   string
	Unit              string // "None" where the document has none
	StorageResolution int    // seconds: 1 or 60
	Dimensions        map[string]string
	Time              time.Time
	// Values and Counts have the same length; a plain value has a count of 1.
	Values, Counts []float64
	// Stats are Min, Max, Sum and Count where the document gives them.
	Stats map[string]float64
	// Call is the PutLogEvents request's number.
	Call uint64
}

// Value is the only value of a metric that has one, else NaN.
func (m Metric) Value() float64 {
	if len(m.Values) != 1 {
		return math.NaN()
	}
	return m.Values[0]
}

// Metrics are what CloudWatch would have extracted from the events, in the order
// in which they came. A document that breaks the specification gives none and is
// a violation.
func (s *Server) Metrics() []Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logs.metrics)
}

// MetricCount counts as Metrics would, also with Options.Forget.
func (s *Server) MetricCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logs.nMetrics
}

// The embedded metric format's limits.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const (
	MaxMetrics       = 100 // a directive
	MaxDimensions    = 30  // a set
	MaxMetricValues  = 100 // an array
	maxDimensionName = 250
	maxName          = 1024
)

var units = strings.Fields(`Seconds Microseconds Milliseconds
	Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits
	Percent Count
	Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second
	Bits/Second Kilobits/Second Megabits/Second Gigabits/Second Terabits/Second
	Count/Second None`)

type emfMetadata struct {
	Timestamp  *int64         `json:"Timestamp"`
	Directives []emfDirective `json:"CloudWatchMetrics"`
}

type emfDirective struct {
	Namespace  string          `json:"Namespace"`
	Dimensions [][]string      `json:"Dimensions"`
	Metrics    []emfDefinition `json:"Metrics"`
}

type emfDefinition struct {
	Name              string  `json:"Name"`
	Unit              *string `json:"Unit"`
	StorageResolution *int    `json:"StorageResolution"`
}

// looksLikeEMF is CloudWatch's own test: JSON with a member _aws.
func looksLikeEMF(message string) bool {
	return strings.HasPrefix(message, "{") && strings.Contains(message, `"_aws"`)
}

func (s *Server) extractLocked(group, name string, e LogEvent) {
	metrics, err := ParseEMF(e.Message, s.now())
	if err != nil {
		s.violateLocked("embedded metric document in %s %s: %v: %.300s", group, name, err, e.Message)
		return
	}
	s.logs.nMetrics += len(metrics)
	if s.options.Forget {
		return
	}
	for _, m := range metrics {
		m.Group, m.Stream, m.Call = group, name, e.Call
		s.logs.metrics = append(s.logs.metrics, m)
	}
}

// ParseEMF reads an embedded metric document and checks it against the
// specification, whole: every target member, dimension, unit and number.
func ParseEMF(document string, now time.Time) ([]Metric, error) {
	var root map[string]json.RawMessage
	if err := json.Unmarshal([]byte(document), &root); err != nil {
		return nil, err
	}
	var meta emfMetadata
	if err := json.Unmarshal(root["_aws"], &meta); err != nil {
		return nil, fmt.Errorf("_aws: %w", err)
	}
	if meta.Timestamp == nil {
		return nil, fmt.Errorf("_aws.Timestamp is missing")
	}
	at := time.UnixMilli(*meta.Timestamp)
	if now.Sub(at) > maxEventAge || at.Sub(now) > maxEventFuture {
		return nil, fmt.Errorf("_aws.Timestamp %s is more than 14 days ago or 2 hours ahead", at.UTC())
	}
	if len(meta.Directives) == 0 {
		return nil, fmt.Errorf("_aws.CloudWatchMetrics is empty")
	}
	var all []Metric
	for i, d := range meta.Directives {
		metrics, err := d.extract(root)
		if err != nil {
			return nil, fmt.Errorf("CloudWatchMetrics[%d]: %w", i, err)
		}
		for _, m := range metrics {
			m.Time = at
			all = append(all, m)
		}
	}
	return all, nil
}

func (d emfDirective) extract(root map[string]json.RawMessage) ([]Metric, error) {
	switch {
	case d.Namespace == "" || len(d.Namespace) > maxName:
		return nil, fmt.Errorf("Namespace has %d characters, must have 1 to %d", len(d.Namespace), maxName)
	case d.Dimensions == nil:
		return nil, fmt.Errorf("Dimensions is missing")
	case len(d.Metrics) == 0 || len(d.Metrics) > MaxMetrics:
		return nil, fmt.Errorf("%d metrics, must be 1 to %d", len(d.Metrics), MaxMetrics)
	}
	sets := make([]map[string]string, 0, len(d.Dimensions))
	for _, names := range d.Dimensions {
		set, err := dimensions(names, root)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	var all []Metric
	seen := map[string]bool{}
	for _, def := range d.Metrics {
		if seen[def.Name] {
			return nil, fmt.Errorf("metric %q twice", def.Name)
		}
		seen[def.Name] = true
		m, err := def.extract(root)
		if err != nil {
			return nil, fmt.Errorf("metric %q: %w", def.Name, err)
		}
		for _, set := range sets {
			m.Namespace, m.Dimensions = d.Namespace, set
			all = append(all, m)
		}
	}
	return all, nil
}

func dimensions(names []string, root map[string]json.RawMessage) (map[string]string, error) {
	if len(names) > MaxDimensions {
		return nil, fmt.Errorf("%d dimensions in a set, at most %d", len(names), MaxDimensions)
	}
	set := map[string]string{}
	for _, name := range names {
		if name == "" || len(name) > maxDimensionName || strings.HasPrefix(name, ":") {
			return nil, fmt.Errorf("dimension name %q: 1 to %d characters, no colon first", name, maxDimensionName)
		}
		var value string
		if err := json.Unmarshal(root[name], &value); err != nil {
			return nil, fmt.Errorf("dimension %q has no string value (%s)", name, root[name])
		}
		if strings.TrimSpace(value) == "" || len(value) > maxName {
			return nil, fmt.Errorf("dimension %q: its value has %d characters, must have 1 to %d, not blank", name, len(value), maxName)
		}
		if _, twice := set[name]; twice {
			return nil, fmt.Errorf("dimension %q twice in a set", name)
		}
		set[name] = value
	}
	return set, nil
}

func (def emfDefinition) extract(root map[string]json.RawMessage) (Metric, error) {
	m := Metric{Name: def.Name, Unit: "None", StorageResolution: 60}
	if def.Name == "" || len(def.Name) > maxName {
		return m, fmt.Errorf("Name has %d characters, must have 1 to %d", len(def.Name), maxName)
	}
	if def.Unit != nil {
		if m.Unit = *def.Unit; !slices.Contains(units, m.Unit) {
			return m, fmt.Errorf("Unit %q is none of CloudWatch's", m.Unit)
		}
	}
	if def.StorageResolution != nil {
		if m.StorageResolution = *def.StorageResolution; m.StorageResolution != 1 && m.StorageResolution != 60 {
			return m, fmt.Errorf("StorageResolution %d, must be 1 or 60", m.StorageResolution)
		}
	}
	raw, ok := root[def.Name]
	if !ok {
		return m, fmt.Errorf("the document has no member of that name")
	}
	return m, m.read(raw)
}

// read takes the three shapes of a target member: a number, an array of numbers,
// and an object of Values and Counts or of statistics.
func (m *Metric) read(raw json.RawMessage) error {
	var one float64
	var many []float64
	var object struct {
		Values, Counts       []float64
		Min, Max, Sum, Count *float64
	}
	switch {
	case string(raw) == "null":
		return fmt.Errorf("its value is null")
	case json.Unmarshal(raw, &one) == nil:
		m.Values, m.Counts = []float64{one}, []float64{1}
	case json.Unmarshal(raw, &many) == nil:
		m.Values = many
		for range many {
			m.Counts = append(m.Counts, 1)
		}
		if len(many) == 0 {
			return fmt.Errorf("an empty array")
		}
	case json.Unmarshal(raw, &object) == nil:
		m.Values, m.Counts = object.Values, object.Counts
		m.Stats = map[string]float64{}
		for name, v := range map[string]*float64{"Min": object.Min, "Max": object.Max, "Sum": object.Sum, "Count": object.Count} {
			if v != nil {
				m.Stats[name] = *v
			}
		}
		if len(m.Values) == 0 && len(m.Stats) < 4 {
			return fmt.Errorf("neither Values nor all of Min, Max, Sum, Count (%s)", raw)
		}
	default:
		return fmt.Errorf("its value is no number, array or object of numbers (%s)", raw)
	}
	if len(m.Values) > MaxMetricValues || len(m.Values) != len(m.Counts) {
		return fmt.Errorf("%d Values and %d Counts, must be as many of both, at most %d", len(m.Values), len(m.Counts), MaxMetricValues)
	}
	for _, v := range m.Values {
		if math.Abs(v) > math.Exp2(360) {
			return fmt.Errorf("%g is out of CloudWatch's range of ±2^360", v)
		}
	}
	for _, n := range m.Counts {
		if n <= 0 {
			return fmt.Errorf("a count of %g", n)
		}
	}
	return nil
}
