package checkcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/smithy-go"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter"
	"github.com/vigie-otel/vigie/internal/awsclient"
)

// withAWS is a probe that needs credentials.
func (p *plan) withAWS(part string, s awsclient.Settings, run func(context.Context, aws.Config, *identity) []Result) probe {
	id := p.ids.of(s, part)
	return probe{part, func(ctx context.Context) []Result {
		cfg, err := id.get(ctx)
		if err != nil {
			return one(untried())
		}
		if s.Endpoint != "" {
			cfg.BaseEndpoint = aws.String(s.Endpoint)
		}
		return run(ctx, cfg, id)
	}}
}

// call words a call that failed; it must not be used for one that worked.
func (p *plan) call(ctx context.Context, id *identity, action string, err error) Result {
	switch awsclient.KindOf(err) {
	case awsclient.Denied:
		return fail(fmt.Sprintf("allow %s to %s", action, id.name()), "%s is denied", action)
	case awsclient.Credentials:
		return fail("look at expiry, at the clock, and at the region that is signed for", "AWS does not accept the signature for %s: %s", action, apiMessage(err))
	case awsclient.Throttled:
		return warn("try again; if it stays, raise the quota", "AWS asks to slow down for %s", action)
	case awsclient.Unavailable:
		return fail("look at the AWS Health Dashboard", "%s: the service is in trouble: %s", action, apiMessage(err))
	case awsclient.Missing, awsclient.Invalid:
		return fail("", "%s: %s", action, apiMessage(err))
	}
	return unreachable(ctx, action, err, p.timeout)
}

func apiMessage(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return said(api.ErrorCode() + ": " + api.ErrorMessage())
	}
	return said(lastCause(err))
}

// nowhere is a stream that nobody has: to write to it shows the permission, and
// writes nothing.
const nowhere = "vigie-check-writes-nothing"

// cloudWatch looks at the log groups that the exporter's names begin with, and
// writes to a stream that does not exist.
func (p *plan) cloudWatch(u used) (out []probe) {
	type named struct {
		Group string `mapstructure:"group"`
	}
	cfg := struct {
		awsclient.Settings `mapstructure:",squash"`
		Preset             string `mapstructure:"preset"`
		Logs               named  `mapstructure:"logs"`
		Metrics            named  `mapstructure:"metrics"`
		Create             struct {
			Enabled bool `mapstructure:"enabled"`
		} `mapstructure:"create"`
	}{}
	cfg.Create.Enabled = true
	if err := p.part(u.key(), &cfg); err != nil {
		return unreadable(u.key(), err)
	}
	var prefixes []string
	for _, signal := range u.signals {
		group := cfg.Logs.Group
		if signal == pipeline.SignalMetrics {
			group = cfg.Metrics.Group
		}
		switch {
		case group != "":
		case cfg.Preset == "container_insights":
			group = "/aws/containerinsights/"
		default:
			group = "/vigie/"
		}
		if prefix, _, _ := strings.Cut(group, "{"); !slices.Contains(prefixes, prefix) {
			prefixes = append(prefixes, prefix)
		}
	}
	for _, prefix := range prefixes {
		out = append(out, p.withAWS(u.key(), cfg.Settings, func(ctx context.Context, c aws.Config, id *identity) []Result {
			return p.logGroups(ctx, cloudwatchlogs.NewFromConfig(c), prefix, cfg.Create.Enabled, id)
		}))
	}
	return out
}

func (p *plan) logGroups(ctx context.Context, client *cloudwatchlogs.Client, prefix string, create bool, id *identity) (results []Result) {
	in := &cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(50)}
	if prefix != "" {
		in.LogGroupNamePrefix = aws.String(prefix)
	}
	found, err := client.DescribeLogGroups(ctx, in)
	target, there := prefix+nowhere, 0
	switch {
	case awsclient.KindOf(err) == awsclient.Denied:
		results = append(results, warn("allow logs:DescribeLogGroups to "+id.name()+", for this check alone", "logs:DescribeLogGroups is denied, so which groups there are is not known"))
	case err != nil:
		return one(p.call(ctx, id, "logs:DescribeLogGroups", err))
	default:
		if there = len(found.LogGroups); there > 0 {
			target = aws.ToString(found.LogGroups[0].LogGroupName)
		}
	}
	_, err = client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String(target), LogStreamName: aws.String(nowhere),
		LogEvents: []logtypes.InputLogEvent{{Message: aws.String("vigie check"), Timestamp: aws.Int64(time.Now().UnixMilli())}},
	})
	if kind := awsclient.KindOf(err); err != nil && kind != awsclient.Missing {
		return append(results, p.call(ctx, id, "logs:PutLogEvents", err))
	}
	switch {
	case there > 0:
		results = append(results, ok("%s under %s; logs:PutLogEvents is allowed", plural(there, "log group"), prefix))
	case !create && len(results) == 0:
		results = append(results, fail("make the log group, or set create::enabled", "no log group begins with %s, and create::enabled is false", prefix))
	case len(results) == 0:
		results = append(results, ok("no log group under %s yet; logs:PutLogEvents is allowed. It will be made: logs:CreateLogGroup, logs:CreateLogStream, logs:PutRetentionPolicy and logs:TagResource cannot be tried without making one", prefix))
	}
	return results
}

// eventBridge describes the bus, and puts an event whose detail is no JSON: it is
// refused as such only to those who may put events.
func (p *plan) eventBridge(u used) []probe {
	cfg, err := exporterConfig[*eventbridgeexporter.Config](p, u)
	if err != nil {
		return unreadable(u.key(), err)
	}
	return []probe{p.withAWS(u.key(), cfg.Settings, func(ctx context.Context, c aws.Config, id *identity) []Result {
		client := eventbridge.NewFromConfig(c)
		var results []Result
		_, err := client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(cfg.Bus)})
		switch awsclient.KindOf(err) {
		case awsclient.Denied:
			results = append(results, warn("allow events:DescribeEventBus to "+id.name()+", for this check alone", "events:DescribeEventBus is denied, so whether bus %s is there is not known", cfg.Bus))
		case awsclient.Missing:
			return one(fail("make the bus, or look at bus and region", "event bus %s is not there in %s", cfg.Bus, c.Region))
		default:
			if err != nil {
				return one(p.call(ctx, id, "events:DescribeEventBus", err))
			}
		}
		out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{
			EventBusName: aws.String(cfg.Bus), Source: aws.String(cfg.Source), DetailType: aws.String(cfg.DetailType),
			Detail: aws.String("vigie check: no event"),
		}}})
		if err != nil {
			return append(results, p.call(ctx, id, "events:PutEvents", err))
		}
		code := ""
		if len(out.Entries) > 0 {
			code = aws.ToString(out.Entries[0].ErrorCode)
		}
		if code != "MalformedDetail" {
			return append(results, fail("look at bus and source", "events:PutEvents answers %s to %s", code, cfg.Bus))
		}
		if len(results) == 0 {
			results = append(results, ok("event bus %s is there; events:PutEvents is allowed", cfg.Bus))
		}
		return results
	})}
}

// xray is contrib's exporter by X-Ray's older API.
func (p *plan) xray(u used) []probe {
	var s struct {
		Region   string `mapstructure:"region"`
		RoleARN  string `mapstructure:"role_arn"`
		Endpoint string `mapstructure:"endpoint"`
	}
	if err := p.part(u.key(), &s); err != nil {
		return unreadable(u.key(), err)
	}
	settings := awsclient.Settings{Region: s.Region, RoleARN: s.RoleARN, Endpoint: s.Endpoint}
	return []probe{p.withAWS(u.key(), settings, func(ctx context.Context, c aws.Config, id *identity) []Result {
		_, err := xray.NewFromConfig(c).PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: []string{}})
		if err != nil && awsclient.KindOf(err) != awsclient.Invalid { // invalid: allowed, and nothing in it
			return one(p.call(ctx, id, "xray:PutTraceSegments", err))
		}
		return one(ok("xray:PutTraceSegments is allowed; xray:PutTelemetryRecords cannot be tried without a record. This exporter has neither queue nor retry"))
	})}
}
