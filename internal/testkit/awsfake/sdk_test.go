package awsfake

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// config is the real SDK, pointed at s, without retries: each answer is seen.
func config(s *Server) aws.Config {
	return aws.Config{
		Region: s.Region, BaseEndpoint: aws.String(s.URL),
		Credentials: credentials.NewStaticCredentialsProvider(s.Credentials.AccessKeyID, s.Credentials.SecretAccessKey, s.Credentials.SessionToken),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	return api.ErrorCode()
}

func inputs(at time.Time, messages ...string) []logstypes.InputLogEvent {
	var events []logstypes.InputLogEvent
	for i, m := range messages {
		events = append(events, logstypes.InputLogEvent{Message: aws.String(m), Timestamp: aws.Int64(at.Add(time.Duration(i) * time.Millisecond).UnixMilli())})
	}
	return events
}

func TestTheSDKWritesLogEventsThatAreReadableAfterwards(t *testing.T) {
	s := Start(t, Options{})
	ctx, client := t.Context(), cloudwatchlogs.NewFromConfig(config(s))
	group, name := aws.String("/aws/containerinsights/match/application"), aws.String("node-1")
	put := func() error {
		_, err := client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: name, LogEvents: inputs(time.Now(), "kick-off", "goal")})
		return err
	}
	if got := code(t, put()); got != "ResourceNotFoundException" {
		t.Errorf("no group: %q", got)
	}
	_, err := client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{
		LogGroupName: group, LogGroupClass: logstypes.LogGroupClassInfrequentAccess,
		KmsKeyId: aws.String("arn:aws:kms:eu-west-3:123456789012:key/k"), Tags: map[string]string{"team": "live"},
	})
	require.NoError(t, err)
	_, err = client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	if got := code(t, err); got != "ResourceAlreadyExistsException" {
		t.Errorf("twice: %q", got)
	}
	_, err = client.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(30)})
	require.NoError(t, err)
	if got := code(t, put()); got != "ResourceNotFoundException" {
		t.Errorf("no stream: %q", got)
	}
	_, err = client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: name})
	require.NoError(t, err)
	require.NoError(t, put())

	var messages []string
	for _, e := range s.Events(*group, *name) {
		messages = append(messages, e.Message)
	}
	if diff := cmp.Diff([]string{"kick-off", "goal"}, messages); diff != "" {
		t.Error(diff)
	}
	g := s.Groups()[*group]
	if g.Class != "INFREQUENT_ACCESS" || g.RetentionDays != 30 || g.Tags["team"] != "live" || !strings.HasPrefix(g.KMSKey, "arn:aws:kms") {
		t.Errorf("%+v", g)
	}
	groups, err := client.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/")})
	require.NoError(t, err)
	streams, err := client.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group})
	require.NoError(t, err)
	if len(groups.LogGroups) != 1 || *groups.LogGroups[0].RetentionInDays != 30 || len(streams.LogStreams) != 1 {
		t.Errorf("%+v %+v", groups.LogGroups, streams.LogStreams)
	}
	want := []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents", "logs:PutRetentionPolicy", "logs:TagResource"}
	if diff := cmp.Diff(want, s.Calls()); diff != "" {
		t.Error(diff)
	}
}

// repeat is n events with messages of size bytes.
func repeat(n, size int, at time.Time, step time.Duration) []logstypes.InputLogEvent {
	message := aws.String(strings.Repeat("x", size))
	events := make([]logstypes.InputLogEvent, n)
	for i := range events {
		events[i] = logstypes.InputLogEvent{Message: message, Timestamp: aws.Int64(at.Add(time.Duration(i) * step).UnixMilli())}
	}
	return events
}

func TestPutLogEventsEnforcesEachLimitAtItsEdge(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}, "week": {"s"}}})
	client := cloudwatchlogs.NewFromConfig(config(s))
	now := time.Now()
	hour := time.Hour
	for _, c := range []struct {
		what, group string
		events      []logstypes.InputLogEvent
		want        string // error code
		accepted    int
		rejected    string
	}{
		{what: "10,000 events", events: repeat(10_000, 1, now, 0), accepted: 10_000},
		{what: "10,001 events", events: repeat(10_001, 1, now, 0), want: "InvalidParameterException"},
		{what: "no event", events: []logstypes.InputLogEvent{}, want: "InvalidParameterException"},
		{what: "a full batch", events: repeat(2, MaxBatchBytes/2-EventOverhead, now, 0), accepted: 2},
		{what: "a byte more", events: append(repeat(1, MaxBatchBytes/2-EventOverhead, now, 0), repeat(1, MaxBatchBytes/2-EventOverhead+1, now, 0)...), want: "InvalidParameterException"},
		{what: "the largest event", events: repeat(1, MaxEventBytes-EventOverhead, now, 0), accepted: 1},
		{what: "an event too large", events: repeat(1, MaxEventBytes-EventOverhead+1, now, 0), want: "InvalidParameterException"},
		{what: "an empty event", events: inputs(now, ""), want: "InvalidParameterException"},
		{what: "24 h", events: repeat(2, 1, now.Add(-24*hour), 24*hour), accepted: 2},
		{what: "24 h and a bit", events: repeat(2, 1, now.Add(-25*hour), 24*hour+time.Second), want: "InvalidParameterException"},
		{what: "backwards", events: repeat(2, 1, now, -time.Second), want: "InvalidParameterException"},
		{what: "one 15 days old", events: repeat(2, 1, now.Add(-15*24*hour), 15*24*hour), accepted: 1, rejected: "old 1"},
		{what: "one 3 h ahead", events: repeat(2, 1, now, 3*hour), accepted: 1, rejected: "new 1"},
		{what: "past retention", group: "week", events: repeat(2, 1, now.Add(-8*24*hour), 8*24*hour), accepted: 1, rejected: "expired 1"},
	} {
		t.Run(c.what, func(t *testing.T) {
			group := aws.String("g")
			if c.group != "" {
				group = &c.group
				_, err := client.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(7)})
				require.NoError(t, err)
			}
			before := s.LogTotals().Events
			out, err := client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: aws.String("s"), LogEvents: c.events})
			if got := code(t, err); got != c.want {
				t.Errorf("code %q, want %q (%v)", got, c.want, err)
			}
			if got := s.LogTotals().Events - before; got != c.accepted {
				t.Errorf("%d accepted, want %d", got, c.accepted)
			}
			if got := len(s.TakeViolations()); got != map[bool]int{true: 1}[c.want != ""] {
				t.Errorf("%d violations", got)
			}
			if got := rejection(out); got != c.rejected {
				t.Errorf("rejected %q, want %q", got, c.rejected)
			}
		})
	}
}

func rejection(out *cloudwatchlogs.PutLogEventsOutput) string {
	if out == nil || out.RejectedLogEventsInfo == nil {
		return ""
	}
	switch r := out.RejectedLogEventsInfo; {
	case r.TooOldLogEventEndIndex != nil:
		return fmt.Sprintf("old %d", *r.TooOldLogEventEndIndex)
	case r.TooNewLogEventStartIndex != nil:
		return fmt.Sprintf("new %d", *r.TooNewLogEventStartIndex)
	default:
		return fmt.Sprintf("expired %d", *r.ExpiredLogEventEndIndex)
	}
}

func TestPutEventsFailsEntriesOneByOneAndRequestsWhole(t *testing.T) {
	s := Start(t, Options{Buses: []string{"match"}})
	ctx, client := t.Context(), eventbridge.NewFromConfig(config(s))
	good := ebtypes.PutEventsRequestEntry{
		EventBusName: aws.String("match"), Source: aws.String("vigie"), DetailType: aws.String("Detection Finding"),
		Detail: aws.String(`{"class_uid":2004}`), Time: aws.Time(time.Unix(1_800_000_000, 0)), Resources: []string{"arn:aws:eks:eu-west-3:123456789012:cluster/match"},
	}
	change := func(f func(*ebtypes.PutEventsRequestEntry)) ebtypes.PutEventsRequestEntry {
		e := good
		f(&e)
		return e
	}
	entries := []ebtypes.PutEventsRequestEntry{
		good,
		change(func(e *ebtypes.PutEventsRequestEntry) { e.Detail = nil }),
		change(func(e *ebtypes.PutEventsRequestEntry) { e.Detail = aws.String("[]") }),
		change(func(e *ebtypes.PutEventsRequestEntry) { e.Source = aws.String("aws.ec2") }),
		change(func(e *ebtypes.PutEventsRequestEntry) { e.DetailType = aws.String(strings.Repeat("d", 129)) }),
		change(func(e *ebtypes.PutEventsRequestEntry) { e.EventBusName = aws.String("nosuch") }),
		change(func(e *ebtypes.PutEventsRequestEntry) {
			e.Detail = aws.String(strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001))
		}),
	}
	out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	require.NoError(t, err)
	var codes []string
	for _, e := range out.Entries {
		codes = append(codes, aws.ToString(e.ErrorCode))
	}
	want := []string{"", "InvalidArgument", "MalformedDetail", "NotAuthorizedForSourceException", "InvalidArgument", "InvalidArgument", "MalformedDetail"}
	if diff := cmp.Diff(want, codes); diff != "" || out.FailedEntryCount != 6 || len(s.TakeViolations()) != 6 {
		t.Errorf("%s %d failed", diff, out.FailedEntryCount)
	}
	events := s.BusEvents("match")
	if len(events) != 1 || string(events[0].Detail) != *good.Detail || !events[0].Time.Equal(*good.Time) {
		t.Errorf("%+v", events)
	}

	sized := func(total int) []ebtypes.PutEventsRequestEntry {
		rest := total - 14 - len("vigie") - len("Detection Finding") - len(good.Resources[0])
		return []ebtypes.PutEventsRequestEntry{change(func(e *ebtypes.PutEventsRequestEntry) {
			e.Detail = aws.String(`{"a":"` + strings.Repeat("x", rest-len(`{"a":""}`)) + `"}`)
		})}
	}
	for what, c := range map[string]struct {
		entries []ebtypes.PutEventsRequestEntry
		want    string
	}{
		"a byte under 1 MB": {sized(MaxPutEventsBytes - 1), ""},
		"1 MB":              {sized(MaxPutEventsBytes), "ValidationException"},
		"11 entries":        {make11(good), "ValidationException"},
		"none":              {[]ebtypes.PutEventsRequestEntry{}, "ValidationException"},
		"none complete":     {[]ebtypes.PutEventsRequestEntry{{Source: aws.String("vigie")}}, "ValidationException"},
	} {
		_, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: c.entries})
		if got := code(t, err); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	if n := len(s.TakeViolations()); n != 4 {
		t.Errorf("%d violations", n)
	}
	for bus, want := range map[string]string{"match": "", "default": "", "nosuch": "ResourceNotFoundException"} {
		_, err := client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(bus)})
		if got := code(t, err); got != want {
			t.Errorf("bus %s: %q", bus, got)
		}
	}
}

func make11(e ebtypes.PutEventsRequestEntry) []ebtypes.PutEventsRequestEntry {
	all := make([]ebtypes.PutEventsRequestEntry, 11)
	for i := range all {
		all[i] = e
	}
	return all
}
