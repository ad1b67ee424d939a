package conntrackcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type options struct {
	netns    string
	interval time.Duration
	once     bool
	json     bool
	stream   bool // --json with an --interval of the user's
}

// New makes the command.
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "conntrack",
		Short: "Show the connection-tracking table: how full, how long left, whose, what waits half-open",
		Long: `Show the connection-tracking table of this host, live: usage against the limit,
when it will be full at this rate, what is lost, the states, who owns the entries
(→ they are for it, ← it opened them), half-open flows by target, and the sources.

Entries need CAP_NET_ADMIN; without it, usage and losses are shown. Another
network namespace needs CAP_SYS_ADMIN. Nothing is written to the table.`,
		Example: `  vigie conntrack                              live, q to leave
  vigie conntrack --once                       one look, as text
  vigie conntrack --json | jq .count           one look, for a script
  vigie conntrack --json --interval 5s         one look a line, for ever
  vigie conntrack --netns /run/netns/blue      another network namespace`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.interval < 100*time.Millisecond {
				return fmt.Errorf("--interval must be 100ms or more (got %s), e.g. 2s", o.interval)
			}
			o.stream = cmd.Flags().Changed("interval")
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return run(ctx, o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.once, "once", false, "look once and print text; what is done anyway where the output is no terminal")
	f.BoolVar(&o.json, "json", false, "print JSON, one object a line; once, unless --interval is given")
	f.StringVar(&o.netns, "netns", "", "path of the network namespace to read, e.g. /proc/4242/ns/net (default this one)")
	f.DurationVar(&o.interval, "interval", 2*time.Second, "time between looks")
	return cmd
}

func run(ctx context.Context, o options, out io.Writer) error {
	if ctx == nil {
		ctx = context.Background()
	}
	obs := newObserver(o.netns)
	if o.json && o.stream && !o.once {
		return every(ctx, o.interval, func() error { return printJSON(ctx, obs, out) })
	}
	if o.json {
		return printJSON(ctx, obs, out)
	}
	if f, ok := out.(*os.File); ok && !o.once && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		return live(ctx, obs, o.interval, f)
	}
	s, err := obs.look(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("read the connection-tracking table: %w", err)
	}
	width := 80
	if f, ok := out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = w
		}
	}
	_, err = io.WriteString(out, strings.Join(render(&s, width, 0, style{}), "\n")+"\n")
	return err
}

func printJSON(ctx context.Context, obs *observer, out io.Writer) error {
	s, err := obs.look(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("read the connection-tracking table: %w", err)
	}
	return json.NewEncoder(out).Encode(s)
}

// every calls fn now and at each interval until ctx is done or fn errs. A
// reader that went away ends it without an error.
func every(ctx context.Context, interval time.Duration, fn func() error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil { // also where the tick comes at the same time
		if err := fn(); err != nil {
			if errors.Is(err, syscall.EPIPE) || ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
	return nil
}
