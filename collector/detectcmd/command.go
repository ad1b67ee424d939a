package detectcmd

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/mitigation"
)

// options are the command's flags as given.
type options struct {
	format         string
	serviceBy      string
	service        string
	calendar       string
	marks          string
	rules          string
	rulesOut       string
	trustedProxies []string
	fields         map[string]string
	columns        []string
	seed           uint64
	lateness       time.Duration
	sort           string
	changes        bool
	quiet          bool
}

// New returns the command "detect".
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "detect FILE...",
		Short: "Tell crowds from attacks in recorded access logs",
		Long: `Detect reads access logs (plain, gzip or zstd; "-" is standard input) and says,
by the log's own clock, when the traffic was a crowd and when an attack.

Standard output gets each finding once, in its final state, as a JSON line.
Standard error gets a summary with the course of the verdict. The exit code is 0
whether or not something was found, and 1 if the logs could not be read.

Give rotated files in the order in which they were written.`,
		Example: `  vigie detect /var/log/nginx/access.log.2.gz /var/log/nginx/access.log.1
  zcat access.log.gz | vigie detect - --changes
  vigie detect alb/*.log.gz --trusted-proxies private --marks marks.tsv
  vigie detect access.log --rules waf > waf.json`,
		Args: func(_ *cobra.Command, files []string) error {
			if len(files) == 0 {
				return errors.New("vigie detect: name the log files to read, or - for standard input")
			}
			return nil
		},
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, files []string) error {
			s, err := o.settings(files)
			if err != nil {
				return fmt.Errorf("vigie detect: %w", err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			s.in, s.out, s.err = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := run(ctx, s); err != nil {
				return fmt.Errorf("vigie detect: %w", err)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "auto", "format of the logs: "+strings.Join(accesslog.Names(), ", "))
	f.StringVar(&o.serviceBy, "service-by", "auto", `what a service is: "service" (the backend that the log names), "host", "none" (all lines are one), or "auto" (the first of these that a line has)`)
	f.StringVar(&o.service, "service", "default", "name of the service of lines that name none")
	f.StringVar(&o.calendar, "calendar", "", "event calendar `FILE`: widens the expected rate, nothing else")
	f.StringVar(&o.marks, "marks", "", "write the marked lines to `FILE`: line number, suspicion, finding, tab-separated")
	f.StringVar(&o.rules, "rules", "", "write proposed rules, to standard output instead of the findings: waf, nginx or cidr")
	f.StringVar(&o.rulesOut, "rules-out", "", "write the rules to `FILE`, and the findings to standard output as ever")
	f.StringSliceVar(&o.trustedProxies, "trusted-proxies", nil, `proxies whose X-Forwarded-For is believed: addresses, prefixes, or "private"`)
	f.StringToStringVar(&o.fields, "fields", nil, "JSON keys of fields with names of their own, as in client=peer.ip,path=what")
	f.StringSliceVar(&o.columns, "columns", nil, "fields of a CloudFront real-time log, in order")
	f.Uint64Var(&o.seed, "seed", 0, "seed of the hashes and samples")
	f.DurationVar(&o.lateness, "lateness", 0, "how late a line may be and still count in its second (default 3s)")
	f.StringVar(&o.sort, "sort", "auto", `put the lines in the order of their time: "always", "never", or "auto" (if the first 32 MiB are not in order)`)
	f.BoolVar(&o.changes, "changes", false, "print every opening, update and closing of a finding instead of its final state")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress bar and no summary")
	return cmd
}

// serviceBy says which field of a request names its service.
type serviceBy uint8

const (
	byAuto serviceBy = iota
	byService
	byHost
	byNone
)

// settings checks the flags, all of them at once.
func (o *options) settings(files []string) (*session, error) {
	s := &session{
		newJudge: newDetector, files: files, service: []byte(o.service), changes: o.changes, quiet: o.quiet,
		marksPath: o.marks, rulesPath: o.rulesOut, calendarPath: o.calendar,
	}
	s.detect.Seed, s.detect.Lateness = o.seed, o.lateness
	var errs []error
	fail := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	var err error
	s.format, err = accesslog.ParseFormat(o.format)
	fail(err)
	if o.rules != "" {
		s.rules, err = mitigation.ParseFormat(o.rules)
		fail(err)
	} else if o.rulesOut != "" {
		s.rules = mitigation.WAF
	}
	switch o.serviceBy {
	case "auto", "":
	case "service":
		s.by = byService
	case "host":
		s.by = byHost
	case "none":
		s.by = byNone
	default:
		fail(fmt.Errorf("--service-by must be auto, service, host or none (got %q)", o.serviceBy))
	}
	switch o.sort {
	case "auto", "":
	case "always":
		s.order = sortAlways
	case "never":
		s.order = sortNever
	default:
		fail(fmt.Errorf("--sort must be auto, always or never (got %q)", o.sort))
	}
	if o.service == "" {
		fail(errors.New("--service must not be empty"))
	}
	if first := slices.Index(files, "-"); first >= 0 && slices.Contains(files[first+1:], "-") {
		fail(errors.New("standard input can be read only once (got - twice)"))
	}
	proxies, err := parseProxies(o.trustedProxies)
	fail(err)
	s.parse = accesslog.Options{Client: proxies, Fields: o.fields, Columns: o.columns, NamedClients: true}
	if _, err := accesslog.New(s.format, s.parse); err != nil {
		fail(fmt.Errorf("--fields: %w", err))
	}
	fail(s.detect.Validate())
	return s, errors.Join(errs...)
}

// private are the ranges that cannot be routed on the internet, where load
// balancers and ingresses live: RFC 1918, RFC 6598, RFC 4193, and loopback.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("::1/128"),
}
