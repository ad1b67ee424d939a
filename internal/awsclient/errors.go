package awsclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Kind is what a failed call means for the caller.
type Kind int

// The kinds, from the caller's side.
const (
	Fine        Kind = iota // no error
	Denied                  // the credentials are good, the permission is missing
	Credentials             // none, expired, or not known to AWS
	Throttled               // too much at once: wait
	Unavailable             // the service's own trouble, 5xx
	Unreachable             // no answer: name, connection, time-out
	Missing                 // what was named does not exist
	Invalid                 // the same call will be refused again
)

// Retry reports whether the same call may succeed later, without a change of the
// data. A missing permission may: it can be granted while the match runs.
func (k Kind) Retry() bool { return k != Fine && k != Invalid }

func (k Kind) String() string {
	return [...]string{"fine", "access denied", "credentials", "throttled", "unavailable", "unreachable", "missing", "invalid"}[k]
}

// KindOf sorts an SDK call's error by the error's code, then its HTTP status.
func KindOf(err error) Kind {
	if err == nil {
		return Fine
	}
	if _, ok := errors.AsType[*NotReadyError](err); ok {
		return Credentials
	}
	api, isAPI := errors.AsType[smithy.APIError](err)
	if isAPI {
		if k := kindOfCode(api.ErrorCode()); k != Fine {
			return k
		}
	}
	// A connection that was reset has the type of an answer, and no status.
	if resp, ok := errors.AsType[*awshttp.ResponseError](err); ok && resp.HTTPStatusCode() > 0 {
		if k := KindOfStatus(resp.HTTPStatusCode()); k != Fine {
			return k
		}
	}
	if isAPI {
		return Invalid
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unreachable
	}
	if strings.Contains(err.Error(), "credentials") {
		// The signing step's error has no type when no provider had any.
		return Credentials
	}
	return Unreachable
}

func kindOfCode(code string) Kind {
	switch code {
	case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation":
		return Denied
	case "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken",
		"InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationTokenException", "IncompleteSignature", "RequestExpired":
		return Credentials
	case "ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
		"LimitExceededException", "ProvisionedThroughputExceededException", "RequestThrottled", "SlowDown":
		return Throttled
	case "ServiceUnavailableException", "ServiceUnavailable", "InternalFailure", "InternalServerError",
		"InternalException", "OperationAbortedException", "RequestTimeout", "RequestTimeoutException":
		return Unavailable
	case "ResourceNotFoundException":
		return Missing
	}
	if strings.HasPrefix(code, "KMS") {
		return Denied // a key that may not be used, or is disabled: its policy can change
	}
	return Fine
}

// KindOfStatus sorts an answer whose body told nothing.
func KindOfStatus(status int) Kind {
	switch {
	case status == 403:
		return Denied
	case status == 401:
		return Credentials
	case status == 429:
		return Throttled
	case status >= 500, status == 408:
		return Unavailable
	case status >= 400:
		return Invalid
	}
	return Fine
}

// Explain adds to a failed call what to do about it. action is the IAM action
// that the call needs, e.g. logs:PutLogEvents.
func Explain(err error, action string) error {
	switch KindOf(err) {
	case Denied:
		return fmt.Errorf("access denied: allow %s to the role in use: %w", action, err)
	case Missing:
		return fmt.Errorf("%s: what it names does not exist; create it, or let it be created: %w", action, err)
	case Credentials:
		if _, ok := errors.AsType[*NotReadyError](err); ok {
			return err
		}
		return fmt.Errorf("AWS does not accept the credentials for %s (expired, revoked, or the clock is wrong): %w", action, err)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// NotReadyError says that there is no region or there are no credentials yet, and
// what to grant.
type NotReadyError struct {
	Hint string
	Err  error
}

func (e *NotReadyError) Error() string { return e.Hint + ": " + e.Err.Error() }

// Unwrap gives the SDK's error.
func (e *NotReadyError) Unwrap() error { return e.Err }

// errStarting is Config's answer before the first attempt is over.
var errStarting = errors.New("the first attempt is under way")

// NotReady words an error of a credentials provider.
func NotReady(err error) *NotReadyError { return notReady(err) }

func notReady(err error) *NotReadyError { return &NotReadyError{Hint: hint(err), Err: err} }

// hint names the link of the chain that was tried last and what it lacks; the
// SDK's own text names only a failed HTTP request.
func hint(err error) string {
	switch {
	case errors.Is(err, ErrNoRegion):
		return "no AWS region: set region in the configuration, or AWS_REGION"
	case errors.Is(err, errStarting):
		return "no AWS credentials yet"
	case KindOf(err) == Denied:
		return "no AWS credentials: the role may not be assumed; its trust policy must name this service account or role (sts:AssumeRole, sts:AssumeRoleWithWebIdentity)"
	case os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "":
		return "no AWS credentials: IRSA's token was not accepted; check the service account's annotation eks.amazonaws.com/role-arn and the cluster's OIDC provider"
	case os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != "":
		if u, err := url.Parse(os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")); err == nil && (u.Hostname() == "169.254.170.23" || u.Hostname() == "fd00:ec2::23") {
			return "no AWS credentials: the EKS Pod Identity agent gives none; check the add-on eks-pod-identity-agent and the association"
		}
		return "no AWS credentials: the endpoint in AWS_CONTAINER_CREDENTIALS_FULL_URI gives none"
	}
	return "no AWS credentials: grant a role by IRSA, EKS Pod Identity or an instance profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
}
