package awsfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// LogGroup is a log group as it was created.
type LogGroup struct {
	Name, Class, KMSKey string
	Tags                map[string]string
	RetentionDays       int // 0: for ever
	Created             time.Time

	streams map[string]*stream
}

type stream struct {
	events  []LogEvent
	created time.Time
	count   int
}

// LogEvent is an accepted event. Time has milliseconds.
type LogEvent struct {
	Time    time.Time
	Message string
	// Call is the number of the PutLogEvents request that it came with, so that
	// a test can tell one batch from the next.
	Call uint64
}

// logStore is what CloudWatch Logs holds; guarded by Server.mu.
type logStore struct {
	groups   map[string]*LogGroup
	metrics  []Metric
	nMetrics int
	calls    uint64
	bytes    int
	rejected int
}

func newLogStore(o Options) logStore {
	st := logStore{groups: map[string]*LogGroup{}}
	for name, streams := range o.Groups {
		g := &LogGroup{Name: name, Class: "STANDARD", Created: o.Now(), streams: map[string]*stream{}}
		for _, s := range streams {
			g.streams[s] = &stream{created: o.Now()}
		}
		st.groups[name] = g
	}
	return st
}

// Groups lists the log groups by name.
func (s *Server) Groups() map[string]LogGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]LogGroup{}
	for name, g := range s.logs.groups {
		c := *g
		c.Tags, c.streams = maps.Clone(g.Tags), nil
		all[name] = c
	}
	return all
}

// Streams lists a group's streams by name.
func (s *Server) Streams(group string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.logs.groups[group]
	if g == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(g.streams))
}

// Events are the accepted events of a stream in the order in which they came.
// An empty stream name means all streams of the group.
func (s *Server) Events(group, name string) []LogEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.logs.groups[group]
	if g == nil {
		return nil
	}
	var all []LogEvent
	for _, n := range slices.Sorted(maps.Keys(g.streams)) {
		if name == "" || n == name {
			all = append(all, g.streams[n].events...)
		}
	}
	return all
}

// LogTotals counts accepted events, those that were refused one by one, and the
// bytes of accepted messages without overhead.
type LogTotals struct{ Events, Rejected, Bytes, Calls int }

// LogTotals counts over all groups, also with Options.Forget.
func (s *Server) LogTotals() LogTotals {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := LogTotals{Rejected: s.logs.rejected, Bytes: s.logs.bytes, Calls: int(s.logs.calls)}
	for _, g := range s.logs.groups {
		for _, st := range g.streams {
			t.Events += st.count
		}
	}
	return t
}

// DeleteGroup removes a group behind the client's back.
func (s *Server) DeleteGroup(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.logs.groups, name)
}

var logsOperations = map[string]func(*call) (any, *apiError){
	"CreateLogGroup":     (*call).createLogGroup,
	"CreateLogStream":    (*call).createLogStream,
	"PutRetentionPolicy": (*call).putRetentionPolicy,
	"TagResource":        (*call).tagResource,
	"DescribeLogGroups":  (*call).describeLogGroups,
	"DescribeLogStreams": (*call).describeLogStreams,
	"PutLogEvents":       (*call).putLogEvents,
}

// decode reads a JSON request; what does not decode is a violation.
func (c *call) decode(into any) *apiError {
	if err := json.Unmarshal(c.body, into); err != nil {
		return &apiError{code: "SerializationException", message: err.Error(), violation: true}
	}
	return nil
}

var (
	groupName  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	streamName = regexp.MustCompile(`^[^:*]{1,512}$`)
	retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	classes    = []string{"STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"}
)

func checkGroup(name string) *apiError {
	if !groupName.MatchString(name) {
		return invalid(`1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`, name)
	}
	return nil
}

func checkStream(name string) *apiError {
	if !streamName.MatchString(name) {
		return invalid(`1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*`, name)
	}
	return nil
}

func checkTags(tags map[string]string) *apiError {
	if len(tags) > 50 {
		return invalid("%d tags, at most 50", len(tags))
	}
	for k, v := range tags {
		if k == "" || len(k) > 128 || len(v) > 256 || strings.HasPrefix(strings.ToLower(k), "aws:") {
			return invalid("tag %q=%q: a key has 1 to 128 characters and does not begin with aws:, a value has up to 256", k, v)
		}
	}
	return nil
}

func notFound(what string) *apiError {
	return &apiError{code: "ResourceNotFoundException", message: "The specified " + what + " does not exist."}
}

func (c *call) createLogGroup() (any, *apiError) {
	var in struct {
		Name  string            `json:"logGroupName"`
		Class string            `json:"logGroupClass"`
		KMS   string            `json:"kmsKeyId"`
		Tags  map[string]string `json:"tags"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Class == "" {
		in.Class = "STANDARD"
	}
	if err := firstError(checkGroup(in.Name), checkTags(in.Tags)); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(in.Name, "aws/"):
		return nil, invalid("Log groups starting with AWS/ are reserved for AWS.")
	case !slices.Contains(classes, in.Class):
		return nil, invalid("Value '%s' at 'logGroupClass' failed to satisfy constraint: Member must satisfy enum value set: %v", in.Class, classes)
	case in.KMS != "" && !strings.HasPrefix(in.KMS, "arn:"):
		return nil, invalid("The provided KMS Key Id is invalid.")
	}
	if len(in.Tags) > 0 { // tags on creation need a permission of their own
		if err := c.may("logs:TagResource"); err != nil {
			return nil, err
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.logs.groups[in.Name] != nil {
		return nil, &apiError{code: "ResourceAlreadyExistsException", message: "The specified log group already exists"}
	}
	c.s.logs.groups[in.Name] = &LogGroup{Name: in.Name, Class: in.Class, KMSKey: in.KMS, Tags: in.Tags, Created: c.s.now(), streams: map[string]*stream{}}
	return nil, nil
}

func firstError(errs ...*apiError) *apiError {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *call) createLogStream() (any, *apiError) {
	var in struct {
		Group  string `json:"logGroupName"`
		Stream string `json:"logStreamName"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := firstError(checkGroup(in.Group), checkStream(in.Stream)); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.logs.groups[in.Group]
	if g == nil {
		return nil, notFound("log group")
	}
	if g.streams[in.Stream] != nil {
		return nil, &apiError{code: "ResourceAlreadyExistsException", message: "The specified log stream already exists"}
	}
	g.streams[in.Stream] = &stream{created: c.s.now()}
	return nil, nil
}

func (c *call) putRetentionPolicy() (any, *apiError) {
	var in struct {
		Group string `json:"logGroupName"`
		Days  int    `json:"retentionInDays"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if !slices.Contains(retentions, in.Days) {
		return nil, invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v", in.Days, retentions)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.logs.groups[in.Group]
	if g == nil {
		return nil, notFound("log group")
	}
	g.RetentionDays = in.Days
	return nil, nil
}

func (c *call) tagResource() (any, *apiError) {
	var in struct {
		ARN  string            `json:"resourceArn"`
		Tags map[string]string `json:"tags"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for name, g := range c.s.logs.groups {
		if c.s.groupARN(name) == in.ARN {
			if g.Tags == nil {
				g.Tags = map[string]string{}
			}
			maps.Copy(g.Tags, in.Tags)
			return nil, nil
		}
	}
	return nil, notFound("resource")
}

func (s *Server) groupARN(name string) string {
	return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", s.Region, Account, name)
}
