package checkcmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"
	"golang.org/x/term"
)

type options struct {
	json    bool
	timeout time.Duration
}

// Source is where the configuration comes from, which the program knows.
type Source struct {
	// AddFlags adds the flags that choose it, --config among them.
	AddFlags func(*cobra.Command)
	// Settings are the collector's, once flags are read.
	Settings func() (otelcol.CollectorSettings, error)
	// Validate tells everything that is wrong without asking anybody.
	Validate func(context.Context, otelcol.CollectorSettings) error
}

// New makes the command.
func New(src Source) *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Before the match: reach every endpoint of a configuration, and say what to fix",
		Long: `Loads a configuration as vigie would and tries each part that talks to somewhere:
credentials and whose they are, remote write, X-Ray, CloudWatch, EventBridge,
Grafana, other collectors, directories, the calendar, the kernel, the clock.

A line each: ok, warn or fail, and what to fix. Requests are signed and empty;
nothing is created or written. The exit code is 0 only if nothing failed.
docs/check.md explains each line.`,
		Example: `  vigie check --config embedded:agent
  vigie check --config embedded:gateway --config /etc/vigie/match.yaml
  vigie check --config match.yaml --json | jq -r '.results[] | select(.level == "fail") | .fix'`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.timeout < time.Second {
				return fmt.Errorf("--timeout must be 1s or more (got %s), e.g. 10s", o.timeout)
			}
			ctx := cmd.Context()
			if ctx == nil {
				ctx = context.Background()
			}
			ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
			defer stop()
			set, err := src.Settings()
			if err != nil {
				return err
			}
			if err := src.Validate(ctx, set); err != nil {
				return err
			}
			results, err := Run(ctx, set, o.timeout)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if o.json {
				err = results.printJSON(out)
			} else {
				file, ok := out.(*os.File)
				err = results.print(out, ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "")
			}
			if err != nil {
				return err
			}
			return results.err()
		},
	}
	src.AddFlags(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object: ok, and results with level, part, text, fix and ms")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 10*time.Second, "time for each part, from 1s")
	return cmd
}
