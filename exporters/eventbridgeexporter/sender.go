package eventbridgeexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

// action is what a role must allow.
const action = "events:PutEvents"

// sender is one exporter behind its queue.
type sender struct {
	cfg    *Config
	set    exporter.Settings
	make   *maker
	aws    *awsclient.Source
	counts counts
	metric metric.Registration

	once   sync.Once
	client *eventbridge.Client // set by once, when credentials are there
	idle   func()              // closes connections that nobody uses; set by once
}

func newSender(set exporter.Settings, cfg *Config) (*sender, error) {
	m, err := newMaker(cfg)
	if err != nil {
		return nil, err
	}
	return &sender{cfg: cfg, set: set, make: m, aws: awsclient.New(cfg.Settings, set.Logger)}, nil
}

// Start returns at once, whatever AWS says.
func (s *sender) Start(_ context.Context, host component.Host) (err error) {
	if s.metric, err = s.counts.register(s.set.TelemetrySettings); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	s.aws.Start(host)
	return nil
}

// Shutdown ends the search for credentials; the queue has been emptied, or kept.
func (s *sender) Shutdown(context.Context) error {
	s.aws.Shutdown()
	if s.idle != nil {
		s.idle()
	}
	if s.metric == nil {
		return nil
	}
	err := s.metric.Unregister()
	s.metric = nil
	return err
}

// connect makes the client, with connections of its own so that Shutdown can
// close them. It retries nothing: the queue does.
func (s *sender) connect(cfg aws.Config) {
	s.client = eventbridge.NewFromConfig(cfg, func(o *eventbridge.Options) {
		o.Retryer = aws.NopRetryer{}
		if b, ok := o.HTTPClient.(*awshttp.BuildableClient); ok { // what the SDK makes, with ca_file in it
			t := b.GetTransport()
			o.HTTPClient, s.idle = &http.Client{Transport: t}, t.CloseIdleConnections
		}
	})
}

// push sends a batch. The error holds the records that are to be sent again, and
// only those.
func (s *sender) push(ctx context.Context, ld plog.Logs) error {
	cfg, err := s.aws.Config()
	if err != nil {
		return err
	}
	s.once.Do(func() { s.connect(cfg) })
	var errs []error
	var again []entry
	for _, part := range chunk(s.entries(ld)) {
		if len(errs) > 0 && !partly(errs[len(errs)-1]) {
			again = append(again, part...) // the call failed as a whole: so would the next
			continue
		}
		failed, err := s.put(ctx, part)
		if again = append(again, failed...); err != nil {
			errs = append(errs, err)
		}
	}
	if len(again) == 0 {
		return nil
	}
	s.counts.add("retried", "", int64(len(again)))
	return consumererror.NewLogs(errors.Join(errs...), records(again))
}

func (s *sender) entries(ld plog.Logs) (all []entry) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				e, err := s.make.make(r, rl.Resource())
				if err != nil {
					s.counts.malformed.Add(1)
					s.set.Logger.Warn("a finding could not be made an event", zap.Error(err))
					continue
				}
				if e.trimmed {
					s.counts.trimmed.Add(1)
				}
				all = append(all, e)
			}
		}
	}
	return all
}

// partialError is a call that was accepted in part.
type partialError struct {
	failed, all int
	code        string
}

func (e *partialError) Error() string {
	return fmt.Sprintf("events:PutEvents: %d of %d entries failed, the first with %s", e.failed, e.all, e.code)
}

func partly(err error) bool { _, ok := errors.AsType[*partialError](err); return ok }

// put makes one call and returns the entries that are to be sent again.
func (s *sender) put(ctx context.Context, part []entry) (again []entry, err error) {
	in := &eventbridge.PutEventsInput{}
	for _, e := range part {
		in.Entries = append(in.Entries, e.put)
	}
	out, err := s.client.PutEvents(ctx, in)
	if err != nil {
		err = awsclient.Explain(err, action)
		s.aws.Told(err)
		switch {
		case mayPass(err):
			return part, err
		case len(part) == 1:
			s.reject(part[0], "", err.Error())
			return nil, nil
		}
		// One of them is to blame for the refusal of all: find it.
		var errs []error
		for _, e := range part {
			failed, err := s.put(ctx, []entry{e})
			again, errs = append(again, failed...), append(errs, err)
		}
		return again, errors.Join(errs...)
	}
	s.aws.Told(nil)
	return s.sort(part, out)
}

// mayPass reports whether the same call may succeed later. The SDK words a
// connection that broke as an answer with status 0, which is of no kind.
func mayPass(err error) bool {
	kind := awsclient.KindOf(err)
	return kind == awsclient.Fine || kind.Retry()
}

// sort tells the entries of a call apart by their answers, which stand in the
// entries' order.
func (s *sender) sort(part []entry, out *eventbridge.PutEventsOutput) (again []entry, err error) {
	if len(out.Entries) != len(part) {
		return part, fmt.Errorf("events:PutEvents: %d answers to %d entries", len(out.Entries), len(part))
	}
	first := ""
	for i, r := range out.Entries {
		code := aws.ToString(r.ErrorCode)
		switch {
		case code == "":
			s.counts.add("accepted", "", 1)
		case forGood(r):
			s.reject(part[i], code, aws.ToString(r.ErrorMessage))
		default:
			again = append(again, part[i])
			if first == "" {
				first = code
			}
		}
	}
	if len(again) > 0 {
		err = &partialError{failed: len(again), all: len(part), code: first}
	}
	return again, err
}

// forGood reports whether the same entry would be refused again. A bus that is not
// there can be made, and a permission granted: those wait.
func forGood(r types.PutEventsResultEntry) bool {
	switch aws.ToString(r.ErrorCode) {
	case "MalformedDetail", "NotAuthorizedForSourceException", "NotAuthorizedForDetailTypeException":
		return true
	case "InvalidArgument":
		return !strings.Contains(aws.ToString(r.ErrorMessage), "EventBus")
	}
	return false
}

func (s *sender) reject(e entry, code, message string) {
	s.counts.add("rejected", code, 1)
	s.set.Logger.Error("EventBridge refuses a finding", zap.String("finding", e.id), zap.String("code", code), zap.String("message", message))
}

// records are the log records behind entries.
func records(entries []entry) plog.Logs {
	out := plog.NewLogs()
	for _, e := range entries {
		to := out.ResourceLogs().AppendEmpty()
		e.resource.CopyTo(to.Resource())
		e.record.CopyTo(to.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	}
	return out
}
