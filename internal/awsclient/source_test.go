package awsclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// host records what health is told.
type host struct{ events []*componentstatus.Event }

func (*host) GetExtensions() map[component.ID]component.Component { return nil }

func (h *host) Report(e *componentstatus.Event) { h.events = append(h.events, e) }

func TestStartNeverWaitsAndCredentialsThatComeLaterAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs, lines := observer.New(zap.InfoLevel)
		s := New(Settings{}, zap.New(logs))
		from := time.Now()
		attempts := 0
		s.resolve = func(ctx context.Context, _ Settings) (aws.Config, error) {
			attempts++
			if time.Since(from) < 2*time.Minute {
				<-ctx.Done() // a metadata service that never answers
				return aws.Config{}, notReady(fmt.Errorf("attempt %d: %w", attempts, ctx.Err()))
			}
			return aws.Config{Region: "eu-west-3"}, nil
		}
		h := &host{}
		s.Start(h)
		require.Equal(t, from, time.Now(), "Start took time")
		_, err := s.Config()
		require.Equal(t, Credentials, KindOf(err))

		time.Sleep(90 * time.Second)
		synctest.Wait()
		_, err = s.Config()
		require.ErrorContains(t, err, "no AWS credentials: grant a role")
		require.Len(t, h.events, 1, "one event, however many attempts")
		require.Equal(t, componentstatus.StatusRecoverableError, h.events[0].Status())
		require.Equal(t, 1, lines.Len())

		cfg, err := s.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, "eu-west-3", cfg.Region)
		require.Less(t, time.Since(from), 3*time.Minute, "the pause stays bounded")
		s.Shutdown()
		require.Len(t, h.events, 2)
		require.Equal(t, componentstatus.StatusOK, h.events[1].Status())
		require.Equal(t, 2, lines.Len())
	})
}

func TestShutdownEndsASourceThatNeverGotAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Settings{}, zap.NewNop())
		s.Shutdown()
		s.resolve = func(ctx context.Context, _ Settings) (aws.Config, error) {
			<-ctx.Done()
			return aws.Config{}, ctx.Err()
		}
		s.Start(nil)
		s.Shutdown()
		s.Shutdown()
		_, err := s.Config()
		require.Error(t, err)
	})
}

func TestADeniedCallIsToldOnceAndTakenBackOnce(t *testing.T) {
	logs, lines := observer.New(zap.InfoLevel)
	s := New(Settings{}, zap.New(logs))
	h := &host{}
	s.host = h
	s.Told(nil)
	for range 5 {
		s.Told(Explain(&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}, "logs:PutLogEvents"))
		s.Told(&smithy.GenericAPIError{Code: "ThrottlingException"})
	}
	kind, err := s.State()
	require.Equal(t, Denied, kind)
	require.ErrorContains(t, err, "allow logs:PutLogEvents to the role in use")
	s.Told(nil)
	s.Told(nil)
	require.Len(t, h.events, 2)
	require.Equal(t, 2, lines.Len())
}

func TestErrorsAreSortedByWhatTheCallerCanDo(t *testing.T) {
	for code, want := range map[string]Kind{
		"AccessDeniedException": Denied, "ExpiredTokenException": Credentials, "UnrecognizedClientException": Credentials,
		"KMSAccessDeniedException": Denied, "ThrottlingException": Throttled, "ServiceUnavailableException": Unavailable, "ResourceNotFoundException": Missing,
	} {
		got := KindOf(fmt.Errorf("call: %w", &smithy.GenericAPIError{Code: code}))
		require.Equal(t, want, got, code)
		require.True(t, got.Retry(), code)
	}
	require.Equal(t, Fine, KindOf(nil))
	reset := &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{}}, Err: errors.New("read: connection reset by peer"),
	}}
	require.Equal(t, Unreachable, KindOf(reset), "a reset connection is no answer")
	require.Equal(t, Unreachable, KindOf(context.DeadlineExceeded))
	require.Equal(t, Credentials, KindOf(errors.New("get identity: get credentials: failed to refresh cached credentials")))
	for status, want := range map[int]Kind{200: Fine, 400: Invalid, 401: Credentials, 403: Denied, 408: Unavailable, 413: Invalid, 429: Throttled, 500: Unavailable, 503: Unavailable} {
		require.Equal(t, want, KindOfStatus(status), status)
	}
	require.Equal(t, Invalid, KindOf(&smithy.GenericAPIError{Code: "InvalidParameterException"}))
	require.False(t, Invalid.Retry())
}
