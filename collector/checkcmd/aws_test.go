package checkcmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// whole is a configuration that uses everything of AWS.
func whole(aws *awsfake.Server) string {
	return fmt.Sprintf(`
extensions:
  aws_sigv4/amp: {service: aps}
  aws_sigv4/xray: {service: xray}
  aws_sigv4/logs: {service: logs}
  aws_sigv4/metrics: {service: monitoring}
exporters:
  remote_write: {endpoint: "%[2]s", auth: {authenticator: aws_sigv4/amp}}
  prometheus_remote_write: {endpoint: "%[2]s", auth: {authenticator: aws_sigv4/amp}}
  otlp_http/xray: {traces_endpoint: "%[1]s/v1/traces", auth: {authenticator: aws_sigv4/xray}}
  otlp_http/logs: {logs_endpoint: "%[1]s/v1/logs", headers: {x-aws-log-group: /vigie/arena/player, x-aws-log-stream: x}, auth: {authenticator: aws_sigv4/logs}}
  otlp_http/metrics: {metrics_endpoint: "%[1]s/v1/metrics", auth: {authenticator: aws_sigv4/metrics}}
  awsxray: {region: eu-west-3}
  cloudwatch: {}
  eventbridge: {bus: match}
`, aws.URL, aws.RemoteWriteURL()) + inPipelines("metrics remote_write, metrics prometheus_remote_write, traces otlp_http/xray, logs otlp_http/logs, metrics otlp_http/metrics, traces awsxray, logs cloudwatch, logs eventbridge")
}

// refusedOnPurpose takes the one violation that eventbridge's probe is: an event
// that cannot be.
func refusedOnPurpose(t *testing.T, aws *awsfake.Server) {
	t.Helper()
	for _, v := range aws.TakeViolations() {
		require.Contains(t, v, "MalformedDetail")
	}
}

func TestAnAccountThatAllowsEverythingIsFine(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{Buses: []string{"match"}, Groups: map[string][]string{"/vigie/arena/player": {"x"}}})
	got := run(t, whole(aws))
	refusedOnPurpose(t, aws)
	require.NoError(t, got.err(), "%+v", got)
	require.Zero(t, got.count(Warn), "%+v", got)
	for part, text := range map[string]string{
		"exporters::remote_write":            "takes remote write (aps:RemoteWrite)",
		"exporters::prometheus_remote_write": "takes remote write (aps:RemoteWrite)",
		"exporters::otlp_http/xray":          "takes OTLP traces (xray:PutTraceSegments)",
		"exporters::otlp_http/logs":          "takes OTLP logs (logs:PutLogEvents)",
		"exporters::otlp_http/metrics":       "takes OTLP metrics (cloudwatch:PutMetricData)",
		"exporters::awsxray":                 "xray:PutTraceSegments is allowed",
		"exporters::cloudwatch":              "1 log group under /vigie/; logs:PutLogEvents is allowed",
		"exporters::eventbridge":             "event bus match is there; events:PutEvents is allowed",
		"clock":                              "within 2 s",
	} {
		wants(t, line(t, got, part), OK, text, "")
	}
	require.Equal(t, "aws credentials", got[0].Part)
	wants(t, got[0], OK, "arn:aws:sts::123456789012:assumed-role/vigie/test, account 123456789012, in eu-west-3, from the environment", "")

	// Nothing was written, and nothing made.
	require.Zero(t, aws.LogTotals().Events)
	require.Empty(t, aws.BusEvents("match"))
	require.Empty(t, aws.Segments())
	require.Zero(t, aws.RemoteWriteTotals().Series)
	require.Len(t, aws.Groups(), 1)
	require.Zero(t, aws.Called("logs:CreateLogGroup")+aws.Called("logs:CreateLogStream"))
}

func TestAMissingPermissionIsToldByItsNameAndToWhom(t *testing.T) {
	all := []string{
		"aps:RemoteWrite", "xray:PutTraceSegments", "logs:PutLogEvents", "logs:DescribeLogGroups", "cloudwatch:PutMetricData",
		"events:PutEvents", "events:DescribeEventBus", "sts:GetCallerIdentity",
	}
	for denied, lines := range map[string]map[string]Level{
		"aps:RemoteWrite":          {"exporters::remote_write": Fail, "exporters::prometheus_remote_write": Fail},
		"xray:PutTraceSegments":    {"exporters::otlp_http/xray": Fail, "exporters::awsxray": Fail},
		"logs:PutLogEvents":        {"exporters::otlp_http/logs": Fail, "exporters::cloudwatch": Fail},
		"logs:DescribeLogGroups":   {"exporters::cloudwatch": Warn},
		"cloudwatch:PutMetricData": {"exporters::otlp_http/metrics": Fail},
		"events:PutEvents":         {"exporters::eventbridge": Fail},
		"events:DescribeEventBus":  {"exporters::eventbridge": Warn},
	} {
		t.Run(denied, func(t *testing.T) {
			aws := fakeAWS(t, awsfake.Options{Buses: []string{"match"}, Groups: map[string][]string{"/vigie/arena/player": {"x"}}})
			var rest []string
			for _, a := range all {
				if a != denied {
					rest = append(rest, a)
				}
			}
			aws.Allow(rest...)
			got := run(t, whole(aws))
			refusedOnPurpose(t, aws)
			for _, r := range got {
				level, concerned := lines[r.Part]
				if !concerned {
					require.Equal(t, OK, r.Level, "%+v", r)
					continue
				}
				require.Equal(t, level, r.Level, "%+v", r)
				require.Contains(t, r.Fix, "allow ")
				require.Contains(t, r.Fix, denied)
				require.Contains(t, r.Fix, "arn:aws:iam::123456789012:role/vigie", "policies name the role, not its session")
			}
		})
	}
}

func TestMissingCredentialsAreOneLineAndTheRestSaysThatItWasNotTried(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	got := run(t, whole(aws))
	// awsxray's region is set, the others' is not: two ways to come by credentials.
	untried, missing := 0, 0
	for _, r := range got {
		require.Equal(t, Fail, r.Level, "%+v", r)
		switch {
		case r.Part == "aws credentials":
			missing++
			wants(t, r, Fail, "no AWS credentials for exporters::", "IRSA, EKS Pod Identity or an instance profile")
		default:
			untried++
			wants(t, r, Fail, "not tried: there are no AWS credentials", "see aws credentials above")
		}
	}
	require.Equal(t, 2, missing)
	require.Equal(t, 8, untried)
}

func TestARegionThatNothingNamesIsSaid(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	got := run(t, "exporters: {eventbridge: {}}\n"+inPipelines("logs eventbridge"))
	wants(t, line(t, got, "aws credentials"), Fail, "no AWS region", "set region in the configuration, or AWS_REGION")
	require.Zero(t, aws.Called("events:PutEvents"))
}

func TestARoleThatMayNotBeAssumedIsSaid(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{ExternalID: "final"})
	got := run(t, "exporters: {eventbridge: {role_arn: arn:aws:iam::123456789012:role/match, external_id: friendly}}\n"+inPipelines("logs eventbridge"))
	wants(t, line(t, got, "aws credentials match"), Fail, "no AWS credentials", "trust policy")

	got = run(t, "exporters: {eventbridge: {role_arn: arn:aws:iam::123456789012:role/match, external_id: final}}\n"+inPipelines("logs eventbridge"))
	refusedOnPurpose(t, aws)
	wants(t, line(t, got, "aws credentials match"), OK, "assumed-role/match/vigie", "")
	wants(t, line(t, got, "exporters::eventbridge"), OK, "event bus default is there", "")
}

func TestEachTroubleOfAWSHasItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		service   awsfake.Service
		fault     awsfake.Fault
		part      string
		level     Level
		text, fix string
	}{
		"expired, signed":       {awsfake.AMP, awsfake.Fault{Kind: awsfake.ExpiredToken}, "exporters::remote_write", Fail, "does not accept the signature", "expiry"},
		"expired, SDK":          {awsfake.EventBridge, awsfake.Fault{Kind: awsfake.ExpiredToken}, "exporters::eventbridge", Fail, "does not accept the signature", "expiry"},
		"throttled, signed":     {awsfake.XRay, awsfake.Fault{Kind: awsfake.Throttle}, "exporters::otlp_http/xray", Warn, "slow down", "quota"},
		"throttled, SDK":        {awsfake.EventBridge, awsfake.Fault{Kind: awsfake.Throttle}, "exporters::eventbridge", Warn, "slow down", "quota"},
		"in trouble, signed":    {awsfake.AMP, awsfake.Fault{Kind: awsfake.InternalError}, "exporters::remote_write", Fail, "in trouble (500)", "own health"},
		"in trouble, SDK":       {awsfake.Logs, awsfake.Fault{Kind: awsfake.Unavailable}, "exporters::cloudwatch", Fail, "in trouble", "Health Dashboard"},
		"no answer, signed":     {awsfake.AMP, awsfake.Fault{Kind: awsfake.Timeout}, "exporters::remote_write", Fail, "no answer in 2s", "VPC endpoints"},
		"no answer, SDK":        {awsfake.EventBridge, awsfake.Fault{Kind: awsfake.Timeout}, "exporters::eventbridge", Fail, "no answer in 2s", "VPC endpoints"},
		"broken off, SDK":       {awsfake.EventBridge, awsfake.Fault{Kind: awsfake.Reset}, "exporters::eventbridge", Fail, "broken off", "load balancer"},
		"empty refused, signed": {awsfake.XRay, awsfake.Fault{Kind: awsfake.Answer, Status: 400, Code: "ValidationException"}, "exporters::otlp_http/xray", Warn, "accepts signature and permission, and refuses an empty request", "nothing"},
		"other error, SDK":      {awsfake.Logs, awsfake.Fault{Kind: awsfake.Answer, Status: 400, Code: "InvalidParameterException"}, "exporters::cloudwatch", Fail, "InvalidParameterException", ""},
		"whose is unknown":      {awsfake.STS, awsfake.Fault{Kind: awsfake.InternalError}, "aws credentials", Warn, "whose they are STS does not say", "sts"},
		"odd entry":             {awsfake.EventBridge, awsfake.Fault{Kind: awsfake.PartialRejection, Entries: 1, Code: "InternalFailure", Action: "events:PutEvents"}, "exporters::eventbridge", Fail, "InternalFailure", "bus"},
	} {
		t.Run(name, func(t *testing.T) {
			aws := fakeAWS(t, awsfake.Options{})
			aws.Inject(c.service, c.fault)
			id := strings.TrimPrefix(c.part, "exporters::")
			if c.service == awsfake.STS {
				id = "eventbridge"
			}
			signal := "logs"
			config := `
extensions: {aws_sigv4/amp: {service: aps}, aws_sigv4/xray: {service: xray}}
exporters:
`
			switch id {
			case "remote_write":
				signal, config = "metrics", config+"  remote_write: {endpoint: \""+aws.RemoteWriteURL()+"\", auth: {authenticator: aws_sigv4/amp}}\n"
			case "otlp_http/xray":
				signal, config = "traces", config+"  otlp_http/xray: {traces_endpoint: \""+aws.URL+"/v1/traces\", auth: {authenticator: aws_sigv4/xray}}\n"
			default:
				config += "  " + id + ": {}\n"
			}
			got := runUntil(t, config+inPipelines(signal+" "+id), c.text)
			refusedOnPurpose(t, aws)
			wants(t, line(t, got, c.part), c.level, c.text, c.fix)
		})
	}
}

func TestASignatureForTheWrongRegionIsToldFromAMissingPermission(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	got := run(t, `
extensions: {aws_sigv4: {service: aps, region: us-east-1}}
exporters: {remote_write: {endpoint: "`+aws.RemoteWriteURL()+`", auth: {authenticator: aws_sigv4}}}
`+inPipelines("metrics remote_write"))
	aws.TakeViolations()
	wants(t, line(t, got, "exporters::remote_write"), Fail, "does not accept the signature", "region")
}

func TestCloudWatchsOTLPEndpointWithoutItsHeadersIsSaid(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	got := run(t, `
extensions: {aws_sigv4: {service: logs}}
exporters: {otlp_http: {logs_endpoint: "`+aws.URL+`/v1/logs", auth: {authenticator: aws_sigv4}}}
`+inPipelines("logs otlp_http"))
	aws.TakeViolations()
	wants(t, line(t, got, "exporters::otlp_http"), Fail, "x-aws-log-group", "headers::x-aws-log-stream")
}

func TestRemoteWriteWithoutASignatureIsHinted(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	got := run(t, "exporters: {remote_write: {endpoint: \""+aws.RemoteWriteURL()+"\"}}\n"+inPipelines("metrics remote_write"))
	aws.TakeViolations()
	wants(t, line(t, got, "exporters::remote_write"), Fail, "denies access (403)", "auth")
	e := endpoint{url: "https://aps-workspaces.eu-west-3.amazonaws.com/x"}
	require.Contains(t, e.unsigned(), "aws_sigv4")
}

func TestABusAndLogGroupsThatAreNotThereAreSaid(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	got := run(t, `
exporters:
  eventbridge: {bus: tomorrow}
  cloudwatch/made: {logs: {group: "/match/{k8s.cluster.name}"}}
  cloudwatch/not: {preset: container_insights, create: {enabled: false}}
  cloudwatch/both: {metrics: {group: /metrics/all}}
`+inPipelines("logs eventbridge, logs cloudwatch/made, logs cloudwatch/not, metrics cloudwatch/not, metrics cloudwatch/both, logs cloudwatch/both"))
	wants(t, line(t, got, "exporters::eventbridge"), Fail, "event bus tomorrow is not there in eu-west-3", "make the bus")
	wants(t, line(t, got, "exporters::cloudwatch/made"), OK, "no log group under /match/ yet", "")
	wants(t, line(t, got, "exporters::cloudwatch/not"), Fail, "no log group begins with /aws/containerinsights/, and create::enabled is false", "make the log group")
	require.Empty(t, aws.Groups())
	var both []string
	for _, r := range got {
		if r.Part == "exporters::cloudwatch/both" {
			both = append(both, r.Text)
		}
	}
	require.Len(t, both, 2, "a line for each beginning of names")
	require.Contains(t, both[0], "/vigie/")
	require.Contains(t, both[1], "/metrics/all")
}

func TestAHostThatTheSignerCompletesIsShownAsItWasAsked(t *testing.T) {
	p := &plan{timeout: 20 * time.Second, clock: &clock{}}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(other.Close)
	e := endpoint{part: "x", url: other.URL + "/auto", takes: "OTLP traces"}
	id := component.MustNewID("renames")
	p.auth = map[component.ID]component.Component{id: renames{}}
	e.client.Auth = configoptional.Some(configauth.Config{AuthenticatorID: id})
	got := p.post(e).run(t.Context())
	require.Contains(t, got[0].Text, "/eu-west-3 takes OTLP traces")
}

// renames is an authenticator that changes where a request goes.
type renames struct {
	component.StartFunc
	component.ShutdownFunc
}

func (renames) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Path = "/eu-west-3"
		return base.RoundTrip(r)
	}), nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestWhereCredentialsComeFromIsSaidInWords(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	config := "exporters: {eventbridge: {}}\n" + inPipelines("logs eventbridge")
	set := func(env []string, err error) {
		require.NoError(t, err)
		for _, kv := range env {
			name, value, _ := strings.Cut(kv, "=")
			t.Setenv(name, value)
		}
	}
	got := run(t, config)
	refusedOnPurpose(t, aws)
	wants(t, got[0], OK, "from the instance's profile", "")

	set(aws.PodIdentityEnv(t.TempDir()))
	got = run(t, config)
	refusedOnPurpose(t, aws)
	wants(t, got[0], OK, "from EKS Pod Identity", "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")

	set(aws.IRSAEnv(t.TempDir()))
	got = run(t, config)
	refusedOnPurpose(t, aws)
	wants(t, got[0], OK, "from IRSA", "")

	file := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(file, []byte("[match]\naws_access_key_id="+aws.Credentials.AccessKeyID+"\naws_secret_access_key="+aws.Credentials.SecretAccessKey+"\naws_session_token="+aws.Credentials.SessionToken+"\n"), 0o600))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	got = run(t, strings.Replace(config, "{eventbridge: {}}", "{eventbridge: {profile: match}}", 1))
	refusedOnPurpose(t, aws)
	wants(t, got[0], OK, "from a shared profile", "")
}

func TestASignersOwnCredentialsAreWaitedFor(t *testing.T) {
	aws := fakeAWS(t, awsfake.Options{})
	aws.Inject(awsfake.STS, awsfake.Fault{Kind: awsfake.SlowAnswer, Delay: 300 * time.Millisecond, Action: "sts:AssumeRole"})
	got := run(t, `
extensions: {aws_sigv4: {service: aps, role_arn: "arn:aws:iam::123456789012:role/match"}}
exporters: {remote_write: {endpoint: "`+aws.RemoteWriteURL()+`", auth: {authenticator: aws_sigv4}}}
`+inPipelines("metrics remote_write"))
	wants(t, line(t, got, "exporters::remote_write"), OK, "takes remote write", "")
}
