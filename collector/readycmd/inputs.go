package readycmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/ready"
)

// maxExpectations bounds the file of --per-replica, in bytes.
const maxExpectations = 1 << 20

// inputs reads the files. A calendar with bad entries is one with problems; one
// that can't be read, or has no event to judge, is an error.
func (o *options) inputs() (in ready.Inputs, err error) {
	in.At = o.now()
	c, problems, err := calendar.Load(o.calendar)
	if err != nil {
		return in, err
	}
	in.Calendar = c
	for _, p := range problems {
		in.Problems = append(in.Problems, p.Error())
	}
	if in.Event, err = o.choose(c, in.At); err != nil {
		return in, errors.Join(append([]error{err}, asErrors(problems)...)...)
	}
	if o.perReplica == "" {
		return in, nil
	}
	info, err := os.Stat(o.perReplica)
	if err == nil && info.Size() > maxExpectations {
		err = fmt.Errorf("%s has more than %d bytes", o.perReplica, maxExpectations)
	}
	if err != nil {
		return in, fmt.Errorf("--per-replica: %w", err)
	}
	text, err := os.ReadFile(o.perReplica)
	if err != nil {
		return in, fmt.Errorf("--per-replica: %w", err)
	}
	if in.Expected, err = ready.ParseExpectations(text); err != nil {
		return in, fmt.Errorf("--per-replica %s: %w", o.perReplica, err)
	}
	return in, nil
}

func asErrors(problems []calendar.Problem) (out []error) {
	for _, p := range problems {
		out = append(out, p)
	}
	return out
}

// choose is the event that is named, that runs, or that is next.
func (o *options) choose(c *calendar.Calendar, at time.Time) (*calendar.Event, error) {
	if o.event != "" {
		var found *calendar.Event
		for i := range c.Events() {
			e := &c.Events()[i]
			if e.Name == o.event && (found == nil || found.FullTime.Before(at)) { // of several, the next
				found = e
			}
		}
		if found == nil {
			return nil, fmt.Errorf("--event: %s has no event %q", o.calendar, o.event)
		}
		return found, nil
	}
	if e, phase := c.Phase(at); e != nil && phase != calendar.PhasePost {
		return e, nil
	}
	if e := c.Next(at); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%s has no event that runs or is to come: add one, or choose one with --event", o.calendar)
}

// aws resolves credentials once, at the first use; nil with --no-aws.
func (o *options) aws() func(context.Context) (aws.Config, error) {
	if o.noAWS {
		return nil
	}
	var once sync.Once
	var conf aws.Config
	var err error
	return func(ctx context.Context) (aws.Config, error) {
		once.Do(func() {
			// Where there is no metadata service, asking it takes its time.
			ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
			defer cancel()
			conf, err = awsclient.Resolve(ctx, awsclient.Settings{Region: o.awsRegion, Profile: o.awsProfile, Endpoint: o.awsEP})
		})
		return conf, err
	}
}
