//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// report prints assertions as they hold or don't.
type report struct {
	out    io.Writer
	begun  time.Time
	held   int
	broken []string
}

// line prints one assertion: whether it held, how long it took, what, and the count.
func (r *report) line(took time.Duration, what, count string, err error) {
	if err != nil {
		r.broken = append(r.broken, what)
		_, _ = fmt.Fprintf(r.out, "  FAIL %6.1fs  %s: %v\n", took.Seconds(), what, err)
		return
	}
	r.held++
	if count != "" {
		count = ": " + count
	}
	_, _ = fmt.Fprintf(r.out, "  ok   %6.1fs  %s%s\n", took.Seconds(), what, count)
}

// holds does something once; it has to be done in that time.
func (r *report) holds(ctx context.Context, what string, within time.Duration, do func(context.Context) (string, error)) error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	count, err := do(ctx)
	r.line(time.Since(begun), what, count, err)
	return err
}

// becomes looks each half second until it is so; it has to be so in that time.
func (r *report) becomes(ctx context.Context, what string, within time.Duration, look func(context.Context) (string, error)) error {
	return r.holds(ctx, what, within, func(ctx context.Context) (string, error) {
		var last error
		for {
			count, err := look(ctx)
			if err == nil {
				return count, nil
			}
			if last == nil || ctx.Err() == nil {
				last = err
			}
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("not within %s: %w", within, last)
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
}

// note prints what is worth knowing and asserts nothing.
func (r *report) note(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, "       %7s  %s\n", "", fmt.Sprintf(format, args...))
}

func (r *report) summary() {
	_, _ = fmt.Fprintf(r.out, "  %d assertions held, %d did not, in %s\n", r.held, len(r.broken), time.Since(r.begun).Round(time.Second))
}

// failed is an error where an assertion did not hold.
func (r *report) failed() error {
	if len(r.broken) == 0 {
		return nil
	}
	err := fmt.Errorf("%d assertions did not hold", len(r.broken))
	for _, what := range r.broken {
		err = errors.Join(err, errors.New(what))
	}
	return err
}
