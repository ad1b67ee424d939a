package awsfake

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// X-Ray's limits.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
const (
	MaxSegmentBytes = 64 << 10
	maxSegments     = 50 // a PutTraceSegments request
	maxAnnotations  = 50 // a segment, with its subsegments
	maxSegmentName  = 200
)

// Segment is an accepted segment document.
type Segment struct {
	ID, TraceID, ParentID, Name string
	InProgress                  bool
	Start, End                  time.Time
	Document                    json.RawMessage
}

// Segments are the accepted segment documents in the order in which they came.
func (s *Server) Segments() []Segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.segments)
}

type unprocessed struct {
	ID        string `json:"Id,omitempty"`
	ErrorCode string
	Message   string
}

func (c *call) putTraceSegments() (any, *apiError) {
	var in struct{ TraceSegmentDocuments []string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if n := len(in.TraceSegmentDocuments); n > maxSegments {
		return nil, &apiError{code: "InvalidRequestException", message: fmt.Sprintf("%d segment documents, at most %d", n, maxSegments), violation: true}
	}
	out := []unprocessed{}
	for i, document := range in.TraceSegmentDocuments {
		segment, err := ParseSegment(document, c.s.now())
		switch {
		case err != nil:
			c.s.violate("segment document: %v: %.200s", err, document)
			out = append(out, unprocessed{ID: segment.ID, ErrorCode: "ParseError", Message: "Invalid segment. ErrorCode: ParseError: " + err.Error()})
		case int64(i) < c.partly():
			out = append(out, unprocessed{ID: segment.ID, ErrorCode: "ThrottledException", Message: "injected"})
		default:
			c.s.mu.Lock()
			c.s.segments = append(c.s.segments, segment)
			c.s.mu.Unlock()
		}
	}
	return map[string]any{"UnprocessedTraceSegments": out}, nil
}

func (c *call) putTelemetryRecords() (any, *apiError) {
	var in struct{ TelemetryRecords []map[string]any }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return map[string]any{}, nil
}

var (
	segmentID     = regexp.MustCompile(`^[0-9a-f]{16}$`)
	traceID       = regexp.MustCompile(`^1-([0-9a-f]{8})-[0-9a-f]{24}$`)
	segmentName   = regexp.MustCompile(`^[\p{L}\p{N}\p{Z}_.:/%&#=+\\\-@]+$`)
	annotationKey = regexp.MustCompile(`^[A-Za-z0-9_.]{1,500}$`)
	namespaces    = []string{"aws", "remote"}
)

type segmentDocument struct {
	Name        string             `json:"name"`
	ID          string             `json:"id"`
	TraceID     string             `json:"trace_id"`
	ParentID    string             `json:"parent_id"`
	Type        string             `json:"type"`
	Namespace   string             `json:"namespace"`
	Start       *float64           `json:"start_time"`
	End         *float64           `json:"end_time"`
	InProgress  bool               `json:"in_progress"`
	Error       *bool              `json:"error"`
	Fault       *bool              `json:"fault"`
	Throttle    *bool              `json:"throttle"`
	Annotations map[string]any     `json:"annotations"`
	HTTP        *segmentHTTP       `json:"http"`
	Subsegments []*segmentDocument `json:"subsegments"`
}

type segmentHTTP struct {
	Request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
	} `json:"request"`
	Response struct {
		Status *int `json:"status"`
	} `json:"response"`
}

// ParseSegment reads an X-Ray segment document and checks it against the
// documented schema.
func ParseSegment(document string, now time.Time) (Segment, error) {
	if len(document) > MaxSegmentBytes {
		return Segment{}, fmt.Errorf("%d bytes, at most %d", len(document), MaxSegmentBytes)
	}
	var d segmentDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return Segment{}, err
	}
	s := Segment{ID: d.ID, TraceID: d.TraceID, ParentID: d.ParentID, Name: d.Name, InProgress: d.InProgress, Document: json.RawMessage(document)}
	if !traceID.MatchString(d.TraceID) {
		return s, fmt.Errorf("trace_id %q is not 1-8 hex digits-24 hex digits", d.TraceID)
	}
	if d.Type != "" && d.Type != "subsegment" {
		return s, fmt.Errorf("type %q", d.Type)
	}
	if d.Type == "subsegment" && d.ParentID == "" {
		return s, fmt.Errorf("a subsegment of its own has no parent_id")
	}
	annotations := 0
	if err := d.check(&annotations); err != nil {
		return s, err
	}
	if annotations > maxAnnotations {
		return s, fmt.Errorf("%d annotations, at most %d", annotations, maxAnnotations)
	}
	s.Start = seconds(*d.Start)
	if d.End != nil {
		s.End = seconds(*d.End)
	}
	if now.Sub(s.Start) > 30*24*time.Hour || s.Start.Sub(now) > maxEventFuture {
		return s, fmt.Errorf("start_time %s is more than 30 days ago or 2 hours ahead", s.Start.UTC())
	}
	return s, nil
}

func seconds(s float64) time.Time { return time.UnixMicro(int64(s * 1e6)) }

// check is what holds for segments and subsegments alike.
func (d *segmentDocument) check(annotations *int) error {
	switch {
	case !segmentID.MatchString(d.ID):
		return fmt.Errorf("id %q is not 16 hex digits", d.ID)
	case d.ParentID != "" && !segmentID.MatchString(d.ParentID):
		return fmt.Errorf("parent_id %q is not 16 hex digits", d.ParentID)
	case d.Name == "" || len([]rune(d.Name)) > maxSegmentName || !segmentName.MatchString(d.Name):
		return fmt.Errorf("name %q: 1 to %d letters, digits, white space and _.:/%%&#=+\\-@", d.Name, maxSegmentName)
	case d.Start == nil:
		return fmt.Errorf("%s: start_time is missing", d.ID)
	case d.End == nil && !d.InProgress, d.End != nil && d.InProgress:
		return fmt.Errorf("%s: must have either end_time or in_progress", d.ID)
	case d.End != nil && *d.End < *d.Start:
		return fmt.Errorf("%s: end_time is before start_time", d.ID)
	case d.Namespace != "" && !slices.Contains(namespaces, d.Namespace):
		return fmt.Errorf("%s: namespace %q, must be aws or remote", d.ID, d.Namespace)
	}
	if h := d.HTTP; h != nil && h.Response.Status != nil && (*h.Response.Status < 0 || *h.Response.Status > 999) {
		return fmt.Errorf("%s: http.response.status %d", d.ID, *h.Response.Status)
	}
	for key, value := range d.Annotations {
		*annotations++
		if !annotationKey.MatchString(key) {
			return fmt.Errorf("%s: annotation key %q", d.ID, key)
		}
		switch v := value.(type) {
		case bool, float64:
		case string:
			if len([]rune(v)) > 1000 {
				return fmt.Errorf("%s: annotation %s has %d characters, at most 1000", d.ID, key, len(v))
			}
		default:
			return fmt.Errorf("%s: annotation %s is neither string, number nor boolean", d.ID, key)
		}
	}
	for _, sub := range d.Subsegments {
		if sub == nil {
			return fmt.Errorf("%s: a subsegment is null", d.ID)
		}
		if strings.TrimSpace(sub.TraceID) != "" && sub.TraceID != d.TraceID && d.TraceID != "" {
			return fmt.Errorf("%s: a subsegment of another trace", d.ID)
		}
		if err := sub.check(annotations); err != nil {
			return err
		}
	}
	return nil
}
