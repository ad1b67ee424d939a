package main

import (
	"flag"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/httpsprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/vigie-otel/vigie/collector/checkcmd"
	"github.com/vigie-otel/vigie/collector/configs"
)

// defaultConfig is what runs when no --config is given.
const defaultConfig = configs.Scheme + ":laptop"

// options are the flags that configuration is resolved from. They are the same
// for running, validate and print-config.
type options struct {
	configs []string
	sets    []string
	dataDir string
}

// uris are the configuration's sources in the order in which they are merged:
// each --config, then each --set. Without --config the laptop shape is the base,
// so that `vigie --set a.b=c` changes the laptop rather than running nothing.
func (o *options) uris() ([]string, error) {
	uris := o.configs
	if len(uris) == 0 {
		uris = []string{defaultConfig}
	}
	uris = append([]string(nil), uris...)
	for _, s := range o.sets {
		key, value, ok := strings.Cut(s, "=")
		if !ok || strings.TrimSpace(key) == "" {
			return nil, fmt.Errorf("--set %q must be key=value, e.g. --set processors.batch.timeout=2s", s)
		}
		key = strings.ReplaceAll(strings.TrimSpace(key), ".", "::")
		uris = append(uris, "yaml:"+key+": "+strings.TrimSpace(value))
	}
	return uris, nil
}

func (o *options) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.configs, "config", nil,
		"configuration `source`, given once or several times and merged in order: a file, embedded:laptop, embedded:agent, embedded:gateway, env:NAME, yaml:…, https://… (default "+defaultConfig+")")
	f.StringArrayVar(&o.sets, "set", nil, "one `key=value` over the configuration, e.g. processors.batch.timeout=2s")
	f.StringVar(&o.dataDir, "data-dir", "", "`directory` of the embedded store and of queues (default $VIGIE_DATA_DIR, else ./data)")
	gates := flag.NewFlagSet("gates", flag.ContinueOnError)
	featuregate.GlobalRegistry().RegisterFlags(gates)
	f.AddGoFlagSet(gates)
	if g := f.Lookup("feature-gates"); g != nil {
		g.DefValue = "" // every gate there is; `vigie featuregate` lists them
		g.Usage = "feature gates to turn on, comma-separated; -`id` turns one off; `vigie featuregate` lists them"
	}
}

// settings are the collector's, once the environment that the embedded
// configurations refer to is in place.
func (o *options) settings() (otelcol.CollectorSettings, error) {
	if err := o.exportEnvironment(); err != nil {
		return otelcol.CollectorSettings{}, err
	}
	uris, err := o.uris()
	if err != nil {
		return otelcol.CollectorSettings{}, err
	}
	return otelcol.CollectorSettings{
		BuildInfo: buildInfo(),
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				URIs:              uris,
				DefaultScheme:     "env",
				ProviderFactories: providers(),
			},
		},
	}, nil
}

func providers() []confmap.ProviderFactory {
	return []confmap.ProviderFactory{
		configs.NewFactory(),
		envprovider.NewFactory(),
		fileprovider.NewFactory(),
		httpsprovider.NewFactory(),
		yamlprovider.NewFactory(),
	}
}

func buildInfo() component.BuildInfo {
	return component.BuildInfo{
		Command:     "vigie",
		Description: "Vigie, an OpenTelemetry Collector for EKS clusters that carry live events",
		Version:     version,
	}
}

func newCommand() *cobra.Command {
	opts := &options{}
	root := &cobra.Command{
		Use:           "vigie",
		Short:         "OpenTelemetry Collector for EKS clusters that carry live events",
		Long:          "Vigie collects metrics, logs and traces, tells a crowd from an attack, and shows both.\nWith no --config it runs the laptop shape: everything in one process, on loopback.",
		Args:          cobra.NoArgs,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), opts)
		},
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	opts.addTo(root)
	root.AddCommand(newValidateCommand(), newVersionCommand())
	root.AddCommand(upstreamCommands()...)
	root.AddCommand(toolCommands()...)
	checked := &options{}
	root.AddCommand(checkcmd.New(checkcmd.Source{AddFlags: checked.addTo, Settings: checked.settings, Validate: check}))
	return root
}

func newValidateCommand() *cobra.Command {
	opts := &options{}
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check a configuration: every problem, one line each; exit 1 if there is one",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := opts.settings()
			if err != nil {
				return err
			}
			return check(cmd.Context(), set)
		},
	}
	opts.addTo(cmd)
	return cmd
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and what it was built with",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintln(cmd.OutOrStdout(), versionLine())
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("vigie %s (collector %s, %s, %s/%s)",
		version, readBuild().collectorVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// upstreamCommands are the collector's own components and featuregate,
// unchanged, and its print-config behind our flags.
func upstreamCommands() []*cobra.Command {
	opts := &options{}
	// The upstream command reads the settings when it runs, so it is built then.
	printConfig := &cobra.Command{
		Use:   "print-config",
		Short: "Print the configuration after merging and expansion",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := opts.settings()
			if err != nil {
				return err
			}
			args := []string{"print-config"}
			for _, name := range []string{"format", "mode", "validate"} {
				args = append(args, "--"+name+"="+cmd.Flag(name).Value.String())
			}
			return execUpstream(set, cmd, args)
		},
	}
	opts.addTo(printConfig)
	printConfig.Flags().String("format", "yaml", "yaml or json")
	printConfig.Flags().String("mode", "redacted", "redacted or unredacted")
	printConfig.Flags().Bool("validate", true, "validate the configuration as well")

	up := otelcol.NewCommand(otelcol.CollectorSettings{BuildInfo: buildInfo(), Factories: components})
	cmds := []*cobra.Command{printConfig}
	for _, c := range up.Commands() {
		if c.Name() == "components" || c.Name() == "featuregate" {
			up.RemoveCommand(c)
			cmds = append(cmds, c)
		}
	}
	return cmds
}

func execUpstream(set otelcol.CollectorSettings, cmd *cobra.Command, args []string) error {
	up := otelcol.NewCommand(set)
	up.SetArgs(args)
	up.SetOut(cmd.OutOrStdout())
	up.SetErr(cmd.ErrOrStderr())
	up.SilenceErrors = true
	return up.ExecuteContext(cmd.Context())
}
