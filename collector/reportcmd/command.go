package reportcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vigie-otel/vigie/internal/httpaccess"
)

type options struct {
	from, to, out, dataDir, server, calendar, grafana, version string
	as                                                         httpaccess.Access // to the server
	slo                                                        float64
	now                                                        func() time.Time
}

// document is a report in both of its forms.
type document struct{ html, ndjson []byte }

// New returns the command "report"; version is Vigie's own.
func New(version string) *cobra.Command {
	o := &options{version: version, now: time.Now}
	cmd := &cobra.Command{
		Use:   "report --from TIME [--to TIME] --out FILE.html",
		Short: "Write the record of an event: one HTML file that needs no server, and its NDJSON",
		Long: `Report writes what happened as one HTML file: impact in numbers, the verdict's
course, findings with their evidence, walls, the timeline, and what to fix. It
opens without a network and prints. The same as JSON lines stands beside it.

A running Vigie is asked with --server; else the data directory is read, which a
running Vigie has locked. --from and --to take RFC 3339, a time before now (-2h),
or event:NAME for an event of the calendar.`,
		Example: `  vigie report --from -2h --out evening.html
  vigie report --from event:Semi-final --server http://127.0.0.1:8640 --out semi-final.html
  vigie report --from 2026-07-14T20:45:00+02:00 --to 2026-07-14T23:00:00+02:00 --data-dir /var/lib/vigie --out final.html`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return o.run(ctx, cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "beginning: RFC 3339, -2h, or event:NAME (a quarter of an hour before its kick-off)")
	f.StringVar(&o.to, "to", "", "end, likewise (default now, or the end of the event that --from names)")
	f.StringVar(&o.out, "out", "", "`file` to write, ending in .html; the NDJSON goes beside it")
	f.StringVar(&o.server, "server", "", "`URL` of a running war room, e.g. http://127.0.0.1:8640")
	o.as.Flags(f, "", "--server")
	f.StringVar(&o.dataDir, "data-dir", "", "`directory` to read where no Vigie runs (default $VIGIE_DATA_DIR, else ./data)")
	f.StringVar(&o.calendar, "calendar", "", "event calendar `file` for event:NAME (default $VIGIE_CALENDAR; with --server its own counts)")
	f.StringVar(&o.grafana, "grafana", "", "`URL` that findings link to with their time range (with --server its own counts)")
	f.Float64Var(&o.slo, "slo", 0.99, "share of requests that must succeed (with --server its own counts)")
	return cmd
}

func (o *options) run(ctx context.Context, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	var doc document
	var err error
	if o.server != "" {
		doc, err = o.ask(ctx)
	} else {
		doc, err = o.read(ctx)
	}
	if err != nil {
		return err
	}
	beside := strings.TrimSuffix(o.out, filepath.Ext(o.out)) + ".ndjson"
	for _, f := range []struct {
		path string
		body []byte
	}{{o.out, doc.html}, {beside, doc.ndjson}} {
		if err := write(f.path, f.body); err != nil {
			return err
		}
	}
	fmt.Fprintf(stderr, "%s (%d kB), and %s beside it\n", o.out, (len(doc.html)+999)/1000, beside)
	return nil
}

func (o *options) check() error {
	var errs []error
	if o.from == "" {
		errs = append(errs, errors.New("--from is required: RFC 3339, -2h, or event:NAME"))
	}
	if ext := filepath.Ext(o.out); ext != ".html" && ext != ".htm" {
		errs = append(errs, fmt.Errorf("--out must name a file that ends in .html (got %q)", o.out))
	}
	if !(o.slo > 0 && o.slo < 1) {
		errs = append(errs, fmt.Errorf("--slo must be above 0 and below 1 (got %v), e.g. 0.99", o.slo))
	}
	if o.server != "" && o.dataDir != "" {
		errs = append(errs, errors.New("give --server or --data-dir, not both"))
	}
	if o.as.Given() && o.server == "" {
		errs = append(errs, errors.New("--token-file, --user, --password-file and --ca-file go with --server"))
	}
	return errors.Join(errs...)
}

// write replaces the file whole, or leaves it as it was.
func write(path string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_, err = f.Write(body)
	// A report holds client addresses: for its writer and the writer's group.
	err = errors.Join(err, f.Chmod(0o640), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write report: %w", err), os.Remove(f.Name()))
	}
	return nil
}
