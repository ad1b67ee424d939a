package dashboardscmd

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// New makes the command with its two subcommands.
func New() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dashboards",
		Short: "Bring Vigie's dashboards into Grafana, or write them with the rules as files",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newImport(), newExport())
	return cmd
}

// importOptions are the flags of import.
type importOptions struct {
	grafana    string
	tokenFile  string
	folder     string
	folderUID  string
	dir        string
	datasource string
	dryRun     bool
}

func newImport() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import --grafana URL --token-file FILE",
		Short: "Put the dashboards into a Grafana; a second run changes nothing",
		Long: `Put Vigie's dashboards into a folder of a Grafana (9.4 or later, Amazon Managed
Grafana too) through its HTTP API. Each keeps its uid, so links stay. What is there
already and equal is not written again; what differs is overwritten, also where
somebody changed it by hand.

The token is a service account's with the role Editor, alone in its file.`,
		Example: `  vigie dashboards import --grafana https://g-0123456789.grafana-workspace.eu-west-1.amazonaws.com --token-file token
  vigie dashboards import --grafana http://127.0.0.1:3000 --token-file token --dry-run
  vigie dashboards import --grafana URL --token-file token --folder "Live events" --datasource-uid amp`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(orBackground(cmd.Context()), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return runImport(ctx, o, cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.grafana, "grafana", "", "`URL` of Grafana, with its path if it is under one")
	f.StringVar(&o.tokenFile, "token-file", "", "`file` that holds a service account's token and nothing else")
	f.StringVar(&o.folder, "folder", "Vigie", "`name` of the folder; it is made where it is not there")
	f.StringVar(&o.folderUID, "folder-uid", "", "the folder's `uid` (default: the name in lower case)")
	f.StringVar(&o.dir, "dir", "", "`directory` of dashboards to take instead of those in the binary")
	f.StringVar(&o.datasource, "datasource-uid", "", "`uid` of the Prometheus data source that is chosen at first (default: Grafana's)")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done and write nothing")
	for _, name := range []string{"grafana", "token-file"} {
		_ = cmd.MarkFlagRequired(name) // errs only for a flag that is not there
	}
	return cmd
}

func runImport(ctx context.Context, o importOptions, cmd *cobra.Command) error {
	c, err := newClient(o.grafana, o.tokenFile, &http.Client{Timeout: requestTimeout})
	if err != nil {
		return err
	}
	if c.insecure() {
		fmt.Fprintf(cmd.ErrOrStderr(), "The token goes to %s unencrypted.\n", c.base.Host)
	}
	boards, err := load(o.dir)
	if err != nil {
		return err
	}
	im := importer{client: c, options: o, out: cmd.OutOrStdout()}
	return im.run(ctx, boards)
}

// requestTimeout bounds one request with its answer.
const requestTimeout = 30 * time.Second

func newExport() *cobra.Command {
	var e exporter
	cmd := &cobra.Command{
		Use:   "export --format files|configmap|terraform --out DIR",
		Short: "Write the dashboards and rules as files, ConfigMaps or a Terraform input",
		Long: `Write what the binary holds:

  files      the dashboards, rules and Alertmanager configurations as they are
  configmap  a ConfigMap a dashboard, with the label that Grafana's sidecar looks for
  terraform  vigie.auto.tfvars.json, maps of dashboards, rules and the alert manager's
             definition for grafana_dashboard and aws_prometheus_*`,
		Example: `  vigie dashboards export --format configmap --namespace monitoring --out k8s && kubectl apply --server-side -f k8s
  vigie dashboards export --format terraform --out infra`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			written, err := e.run()
			for _, path := range written {
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.format, "format", "files", "`what` to write: files, configmap, terraform")
	f.StringVar(&e.out, "out", "", "`directory` to write into; it is made where it is not there")
	f.StringVar(&e.dir, "dir", "", "`directory` of dashboards to take instead of those in the binary")
	f.StringVar(&e.namespace, "namespace", "", "configmap: the `namespace` (default: none, kubectl's)")
	f.StringVar(&e.label, "label", "grafana_dashboard=1", "configmap: the `label` that the sidecar looks for")
	f.StringVar(&e.folder, "folder", "Vigie", "configmap: Grafana's `folder`, as the annotation grafana_folder")
	_ = cmd.MarkFlagRequired("out") // errs only for a flag that is not there
	return cmd
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
