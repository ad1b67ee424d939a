package awsfake

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func putOne(ctx context.Context, client *cloudwatchlogs.Client) (*cloudwatchlogs.PutLogEventsOutput, error) {
	return client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: inputs(time.Now(), "one", "two", "three")})
}

func TestEachServiceSaysNoInItsOwnWords(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	ctx, c := t.Context(), config(s)
	call := map[Service]func() error{
		Logs: func() error { _, err := putOne(ctx, cloudwatchlogs.NewFromConfig(c)); return err },
		EventBridge: func() error {
			_, err := eventbridge.NewFromConfig(c).DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})
			return err
		},
		XRay: func() error {
			_, err := xray.NewFromConfig(c).PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: []string{}})
			return err
		},
		STS: func() error {
			_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		},
	}
	type answer struct {
		Status int
		Code   string
	}
	for _, tc := range []struct {
		fault Fault
		want  map[Service]answer
	}{
		{Fault{Kind: Throttle, RetryAfter: 3 * time.Second}, map[Service]answer{
			Logs: {400, "ThrottlingException"}, EventBridge: {400, "ThrottlingException"}, XRay: {429, "ThrottledException"}, STS: {400, "Throttling"}}},
		{Fault{Kind: InternalError}, map[Service]answer{
			Logs: {500, "InternalFailure"}, EventBridge: {500, "InternalFailure"}, XRay: {500, "InternalFailure"}, STS: {500, "InternalFailure"}}},
		{Fault{Kind: Unavailable}, map[Service]answer{
			Logs: {503, "ServiceUnavailableException"}, EventBridge: {503, "ServiceUnavailableException"}, XRay: {503, "ServiceUnavailableException"}, STS: {503, "ServiceUnavailable"}}},
		{Fault{Kind: ExpiredToken}, map[Service]answer{
			Logs: {400, "ExpiredTokenException"}, EventBridge: {400, "ExpiredTokenException"}, XRay: {403, "ExpiredTokenException"}, STS: {403, "ExpiredToken"}}},
		{Fault{Kind: Answer, Status: 400, Code: "DataAlreadyAcceptedException"}, map[Service]answer{
			Logs: {400, "DataAlreadyAcceptedException"}}},
	} {
		for service, want := range tc.want {
			f := tc.fault
			f.Times = 1
			s.Inject(service, f)
			err := call[service]()
			got := answer{Code: code(t, err)}
			var response *smithyhttp.ResponseError
			require.ErrorAs(t, err, &response)
			got.Status = response.HTTPStatusCode()
			if got != want {
				t.Errorf("%s, fault %d: %v, want %v", service, tc.fault.Kind, got, want)
			}
			if f.RetryAfter > 0 && service == XRay && response.Response.Header.Get("Retry-After") != "3" {
				t.Errorf("Retry-After %q", response.Response.Header.Get("Retry-After"))
			}
			if err := call[service](); err != nil {
				t.Errorf("%s: after one fault: %v", service, err)
			}
		}
	}
	if n := s.Faulted(Logs); n != 5 {
		t.Errorf("%d faults at logs, want 5", n)
	}
}

func TestAPolicyRefusesByTheActionsName(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	client := cloudwatchlogs.NewFromConfig(config(s))
	s.Allow("logs:PutLogEvents", "logs:CreateLogGroup")
	if _, err := putOne(t.Context(), client); err != nil {
		t.Error(err)
	}
	_, err := client.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	if code(t, err) != "AccessDeniedException" || !strings.Contains(err.Error(), "logs:DescribeLogGroups") {
		t.Error(err)
	}
	// Tags at creation need a permission of their own.
	_, err = client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("tagged"), Tags: map[string]string{"a": "b"}})
	if code(t, err) != "AccessDeniedException" || !strings.Contains(err.Error(), "logs:TagResource") {
		t.Error(err)
	}
	// Who am I needs none.
	if _, err := sts.NewFromConfig(config(s)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Error(err)
	}
	s.AllowAll()
	if _, err := client.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}); err != nil {
		t.Error(err)
	}
	if n := s.Called("logs:DescribeLogGroups"); n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestAFaultIsForOneActionAndForAsLongAsItSays(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	client := cloudwatchlogs.NewFromConfig(config(s))
	s.Inject(Logs, Fault{Kind: Throttle, Times: 2, Action: "logs:PutLogEvents"})
	s.Inject(Logs, Fault{Kind: Unavailable, Action: "logs:PutLogEvents"})
	if _, err := client.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}); err != nil {
		t.Error(err)
	}
	var codes []string
	for range 4 {
		_, err := putOne(t.Context(), client)
		codes = append(codes, code(t, err))
	}
	s.Lift(Logs)
	_, err := putOne(t.Context(), client)
	codes = append(codes, code(t, err))
	want := []string{"ThrottlingException", "ThrottlingException", "ServiceUnavailableException", "ServiceUnavailableException", ""}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
}

func TestPartOfABatchIsRejected(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	s.Inject(Logs, Fault{Kind: PartialRejection, Entries: 2, Times: 1})
	out, err := putOne(t.Context(), cloudwatchlogs.NewFromConfig(config(s)))
	require.NoError(t, err)
	if got := rejection(out); got != "old 2" || len(s.Events("g", "s")) != 1 {
		t.Errorf("%q, %d events", got, len(s.Events("g", "s")))
	}
	s.Inject(EventBridge, Fault{Kind: PartialRejection, Entries: 1, Times: 1, Code: "ThrottlingException"})
	e := ebtypes.PutEventsRequestEntry{Source: aws.String("v"), DetailType: aws.String("d"), Detail: aws.String("{}")}
	put, err := eventbridge.NewFromConfig(config(s)).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{e, e}})
	require.NoError(t, err)
	if put.FailedEntryCount != 1 || aws.ToString(put.Entries[0].ErrorCode) != "ThrottlingException" || put.Entries[1].ErrorCode != nil || len(s.BusEvents("default")) != 1 {
		t.Errorf("%+v", put)
	}
}

func TestConnectionsBreakAndHangAsInjected(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	client := cloudwatchlogs.NewFromConfig(config(s))

	s.Inject(Logs, Fault{Kind: Reset, Times: 1})
	if _, err := putOne(t.Context(), client); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("reset: %v", err)
	}
	s.Inject(Logs, Fault{Kind: LostAnswer, Times: 1})
	if _, err := putOne(t.Context(), client); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("lost answer: %v", err)
	}
	if n := len(s.Events("g", "s")); n != 3 {
		t.Errorf("%d events: the work of a lost answer is done, that of a reset is not", n)
	}
	before := s.Faulted(Logs)
	s.Inject(Logs, Fault{Kind: Timeout, Times: 1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // gives up once the request hangs, and not before it came
		for ctx.Err() == nil && s.Faulted(Logs) == before {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := putOne(ctx, client); !errors.Is(err, context.Canceled) {
		t.Errorf("time-out: %v", err)
	}
	for _, kind := range []FaultKind{SlowRead, SlowAnswer} {
		s.Inject(Logs, Fault{Kind: kind, Delay: 100 * time.Millisecond, Times: 1})
		begin := time.Now()
		if _, err := putOne(t.Context(), client); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took < 80*time.Millisecond {
			t.Errorf("fault %d took %s", kind, took)
		}
	}
	s.Down()
	if _, err := putOne(t.Context(), client); err == nil {
		t.Error("down, and an open connection lives on")
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("down: %v", err)
	}
	s.Up(t)
	if _, err := putOne(t.Context(), client); err != nil {
		t.Errorf("up again: %v", err)
	}
}

func TestAViolationThatNobodyTakesFailsTheTest(t *testing.T) {
	r := &recorder{TB: t}
	s := Start(r, Options{})
	res, err := http.Post(s.URL+"/nosuch", "text/plain", strings.NewReader("hello"))
	require.NoError(t, err)
	_ = res.Body.Close()
	if n := len(s.Violations()); n != 1 || res.StatusCode != http.StatusNotFound {
		t.Errorf("%d violations, status %d", n, res.StatusCode)
	}
	r.end()
	if r.errors != 1 {
		t.Errorf("%d errors at the test's end, want 1", r.errors)
	}
}

// recorder is a test whose failure is looked at rather than suffered.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   int
}

func (r *recorder) Cleanup(f func())      { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(string, ...any) { r.errors++ }

func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}
