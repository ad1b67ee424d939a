package readycmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vigie-otel/vigie/internal/httpaccess"
	"github.com/vigie-otel/vigie/internal/ready"
	"github.com/vigie-otel/vigie/internal/ready/gather"
)

type options struct {
	calendar, event, perReplica  string
	kubeconfig, context          string
	namespaces, accept           []string
	metrics                      string
	as                           httpaccess.Access
	noAWS                        bool
	awsProfile, awsRegion, awsEP string
	output, patch                string
	timeout                      time.Duration
	version                      string
	now                          func() time.Time
}

// defaultMetrics is the war room's Prometheus API, as kubectl port-forward gives
// it.
const defaultMetrics = "http://127.0.0.1:8640"

// notReady ends the command with a code of its own: 1 where something failed, 2
// where it could not be told.
type notReady struct {
	code int
	text string
}

func (e *notReady) Error() string { return e.text }

// ExitCode is the process' exit code.
func (e *notReady) ExitCode() int { return e.code }

// usage is what could not even begin.
func usage(err error) error { return &notReady{2, err.Error()} }

// New makes the command; version is Vigie's own.
func New(version string) *cobra.Command {
	return newCommand(&options{version: version, now: time.Now})
}

func newCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ready --calendar FILE",
		Short: "Before the match: can the cluster take the audience that the calendar expects?",
		Long: `Reads the cluster and its metrics, works out what the next event of the calendar
asks of each service, and says whether it will fit: autoscalers' minimum and
maximum, pods that wait, room on nodes and in Karpenter's or the Cluster
Autoscaler's limits, pod addresses, connection tracking, ENA, CoreDNS, budgets.

Each number says where it is from; what is missing is unknown, never ok. Nothing
is changed: --patch writes what a person can apply, and how to undo it.

Exit code 0: ready, perhaps with warnings. 1: not. 2: could not tell.
docs/ready.md explains each check and lists the rights that it needs.`,
		Example: `  kubectl -n vigie port-forward pod/vigie-gateway-0 8640 &
  vigie ready --calendar calendar.yaml
  vigie ready --calendar calendar.yaml --event Final --namespace shop --patch final.yaml
  vigie ready --calendar calendar.yaml --per-replica capacity.yaml --output json | jq '.findings[] | select(.status == "fail")'`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if ctx == nil {
				ctx = context.Background()
			}
			ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
			defer stop()
			return o.run(ctx, cmd)
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	f := cmd.Flags()
	f.StringVar(&o.calendar, "calendar", "", "event calendar `file` (default $VIGIE_CALENDAR)")
	f.StringVar(&o.event, "event", "", "`name` of the event (default the one that runs, else the next)")
	f.StringVar(&o.perReplica, "per-replica", "", "`file` with what is known better than measured: per_replica, peak or requests_per_viewer, by service")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` (default $KUBECONFIG, ~/.kube/config, then the pod's service account)")
	f.StringVar(&o.context, "context", "", "context of the kubeconfig (default its current one)")
	f.StringSliceVarP(&o.namespaces, "namespace", "n", nil, "judge services of this `namespace` only; several, or comma-separated (default all but kube-*)")
	f.StringVar(&o.metrics, "metrics", "", "`URL` of a Prometheus API: the gateway's, or Amazon Managed Prometheus' workspace (default $VIGIE_METRICS_URL, else "+defaultMetrics+")")
	o.as.Flags(f, "metrics-", "--metrics")
	f.BoolVar(&o.noAWS, "no-aws", false, "do not ask AWS, which tells the subnets' free addresses")
	f.StringVar(&o.awsProfile, "aws-profile", "", "`profile` of the shared AWS configuration (default $AWS_PROFILE)")
	f.StringVar(&o.awsRegion, "aws-region", "", "`region` of the cluster (default as the AWS CLI finds it)")
	f.StringVar(&o.awsEP, "aws-endpoint", "", "`URL` of EC2's API, for a VPC endpoint (default the region's)")
	f.StringSliceVar(&o.accept, "accept", nil, "`check` that may be unknown, e.g. ena where there is none; several, or comma-separated")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	f.StringVar(&o.patch, "patch", "", "`file` for the changes, to apply with kubectl; what is there now goes beside it, as .undo")
	f.DurationVar(&o.timeout, "timeout", 2*time.Minute, "time for everything")
	return cmd
}

func (o *options) check() error {
	var errs []error
	if o.calendar = cmp.Or(o.calendar, os.Getenv("VIGIE_CALENDAR")); o.calendar == "" {
		errs = append(errs, errors.New("--calendar is required (or VIGIE_CALENDAR): what is expected, and when"))
	}
	if o.output != "text" && o.output != "json" {
		errs = append(errs, fmt.Errorf("--output must be text or json (got %q)", o.output))
	}
	if o.timeout < time.Second {
		errs = append(errs, fmt.Errorf("--timeout must be 1s or more (got %s), e.g. 2m", o.timeout))
	}
	for _, c := range o.accept {
		if !slices.Contains(ready.Checks(), ready.Check(c)) {
			errs = append(errs, fmt.Errorf("--accept does not know %q; it takes %s", c, names()))
		}
	}
	return errors.Join(errs...)
}

func names() string {
	var out []string
	for _, c := range ready.Checks() {
		out = append(out, string(c))
	}
	return strings.Join(out, ", ")
}

func (o *options) run(ctx context.Context, cmd *cobra.Command) error {
	if err := o.check(); err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	in, err := o.inputs()
	if err != nil {
		return usage(err)
	}
	where := o.ask(ctx, &in)
	r := ready.Assess(in)
	var accepted []ready.Check
	for _, c := range o.accept {
		accepted = append(accepted, ready.Check(c))
	}
	r.Accept(accepted...)
	out := cmd.OutOrStdout()
	if o.output == "json" {
		err = printJSON(out, &r)
	} else {
		file, ok := out.(*os.File)
		err = printText(out, &r, where, ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "")
	}
	if err != nil {
		return usage(err)
	}
	if o.patch != "" {
		if err := o.writePatches(&r, cmd.ErrOrStderr()); err != nil {
			return usage(err)
		}
	}
	return verdict(&r)
}

// verdict is nil only where it is ready.
func verdict(r *ready.Result) error {
	switch r.Status {
	case ready.Fail:
		return &notReady{1, fmt.Sprintf("not ready for %s: %d of %d checks failed", r.Event.Name, r.Counts.Fail, len(r.Findings))}
	case ready.Unknown:
		return &notReady{2, fmt.Sprintf("cannot tell whether it is ready for %s: %d of %d checks are unknown", r.Event.Name, r.Counts.Unknown, len(r.Findings))}
	}
	return nil
}

// place is whom was asked, for the first lines.
type place struct{ cluster, metrics string }

// ask fills in what the cluster, the metrics and AWS say. Nothing of it is fatal.
func (o *options) ask(ctx context.Context, in *ready.Inputs) place {
	where := place{cluster: "none", metrics: "none"}
	from := gather.From{AWS: o.aws(), Namespaces: o.namespaces}
	var name string
	if from.API, name, from.NoAPI = gather.Connect(gather.Access{Kubeconfig: o.kubeconfig, Context: o.context, UserAgent: "vigie-ready/" + o.version}); from.API != nil {
		where.cluster = strings.TrimSpace(name + " " + from.API.Host())
	}
	address := cmp.Or(o.metrics, os.Getenv("VIGIE_METRICS_URL"), defaultMetrics)
	prom, err := gather.NewPrometheus(gather.PrometheusAccess{URL: address, As: o.as, AWS: from.AWS})
	if err != nil {
		from.NoMetrics = fmt.Errorf("--metrics: %w", err)
	} else {
		from.Metrics, from.Source, where.metrics = prom, prom.Host(), prom.Host()
	}
	gather.Fill(ctx, in, from)
	return where
}
