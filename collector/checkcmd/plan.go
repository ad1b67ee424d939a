package checkcmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/service/pipelines"
	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

// plan is what a configuration uses, and how to reach it.
type plan struct {
	conf      *confmap.Conf
	factories otelcol.Factories
	build     component.BuildInfo
	timeout   time.Duration
	clock     *clock
	ids       identities

	exporters  []used
	processors []component.ID
	receivers  []component.ID
	extensions []component.ID

	signers map[component.ID]awsclient.Settings  // authenticators that sign for AWS
	auth    map[component.ID]component.Component // authenticators, started
	broken  map[component.ID]error               // authenticators that would not start
}

// used is an exporter and the signals of its pipelines.
type used struct {
	id      component.ID
	signals []pipeline.Signal
}

// key is an exporter's key in the configuration.
func (u used) key() string { return "exporters::" + u.id.String() }

func newPlan(ctx context.Context, set otelcol.CollectorSettings, timeout time.Duration) (*plan, error) {
	factories, err := set.Factories()
	if err != nil {
		return nil, err
	}
	resolver, err := confmap.NewResolver(set.ConfigProviderSettings.ResolverSettings)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resolver.Shutdown(ctx) }()
	conf, err := resolver.Resolve(ctx)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c := &clock{}
	p := &plan{
		conf: conf, factories: factories, build: set.BuildInfo, timeout: timeout, clock: c, ids: identities{clock: c},
		signers: map[component.ID]awsclient.Settings{}, auth: map[component.ID]component.Component{}, broken: map[component.ID]error{},
	}
	return p, p.readService()
}

// readService finds what is in use: a part that no pipeline names is never made,
// and nothing is said of it.
func (p *plan) readService() error {
	var service struct {
		Extensions []component.ID   `mapstructure:"extensions"`
		Pipelines  pipelines.Config `mapstructure:"pipelines"`
	}
	sub, err := p.conf.Sub("service")
	if err != nil {
		return fmt.Errorf("read service: %w", err)
	}
	if err := sub.Unmarshal(&service, confmap.WithIgnoreUnused()); err != nil {
		return fmt.Errorf("read service: %w", err)
	}
	p.extensions = service.Extensions
	ids := make([]pipeline.ID, 0, len(service.Pipelines))
	for id := range service.Pipelines {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b pipeline.ID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range ids {
		pl := service.Pipelines[id]
		for _, e := range pl.Exporters {
			i := slices.IndexFunc(p.exporters, func(u used) bool { return u.id == e })
			if i < 0 {
				i, p.exporters = len(p.exporters), append(p.exporters, used{id: e})
			}
			if !slices.Contains(p.exporters[i].signals, id.Signal()) {
				p.exporters[i].signals = append(p.exporters[i].signals, id.Signal())
			}
		}
		p.receivers = addNew(p.receivers, pl.Receivers)
		p.processors = addNew(p.processors, pl.Processors)
	}
	slices.SortFunc(p.exporters, func(a, b used) int { return strings.Compare(a.id.String(), b.id.String()) })
	return nil
}

func addNew(to, ids []component.ID) []component.ID {
	for _, id := range ids {
		if !slices.Contains(to, id) {
			to = append(to, id)
		}
	}
	return to
}

// probes are all that there is to try, in the order of their lines.
func (p *plan) probes(ctx context.Context) []probe {
	p.startAuthenticators(ctx)
	var out []probe
	for _, u := range p.exporters {
		out = append(out, p.exporter(u)...)
	}
	out = append(out, p.directories()...)
	out = append(out, p.calendars()...)
	out = append(out, p.kubernetes()...)
	out = append(out, p.kernel()...)

	var ids []probe
	for _, id := range p.ids.all { // those that the exporters above asked for
		ids = append(ids, id.probe())
	}
	return append(ids, out...)
}

// exporter chooses by type; types that talk to nobody have no line.
func (p *plan) exporter(u used) []probe {
	switch u.id.Type().String() {
	case "remote_write", "prometheus_remote_write", "prometheusremotewrite":
		return p.remoteWrite(u)
	case "otlp_http", "otlphttp":
		return p.otlpHTTP(u)
	case "otlp_grpc", "otlp":
		return p.otlpGRPC(u)
	case "load_balancing", "loadbalancing":
		return p.loadBalancing(u)
	case "awsxray":
		return p.xray(u)
	case "cloudwatch":
		return p.cloudWatch(u)
	case "eventbridge":
		return p.eventBridge(u)
	case "grafana":
		return p.grafana(u)
	case "warroom", "debug", "nop", "file", "kafka":
		return nil
	}
	if p.conf.IsSet("connectors::" + u.id.String()) {
		return nil
	}
	return []probe{{u.key(), func(context.Context) []Result {
		return one(warn("try it by hand", "not tried: there is no check for exporters of type %s", u.id.Type()))
	}}}
}

// read decodes a component's settings over its factory's defaults, as the
// collector does.
func (p *plan) read(section string, id component.ID, factory component.Factory) (component.Config, error) {
	cfg := factory.CreateDefaultConfig()
	sub, err := p.conf.Sub(section + "::" + id.String())
	if err != nil {
		return nil, err
	}
	if err := sub.Unmarshal(&cfg); err != nil {
		return nil, fmt.Errorf("read %s::%s: %w", section, id, err)
	}
	return cfg, nil
}

// exporterConfig reads an exporter's settings as its own type.
func exporterConfig[C any](p *plan, u used) (C, error) {
	var none C
	factory, ok := p.factories.Exporters[u.id.Type()]
	if !ok {
		return none, fmt.Errorf("no exporter of type %s is compiled in", u.id.Type())
	}
	cfg, err := p.read("exporters", u.id, factory)
	if err != nil {
		return none, err
	}
	own, ok := cfg.(C)
	if !ok {
		return none, fmt.Errorf("settings of %s are of type %T, not %T", u.id, cfg, none)
	}
	return own, nil
}

// part reads a few keys of a component into a structure of one's own.
func (p *plan) part(key string, into any) error {
	sub, err := p.conf.Sub(key)
	if err != nil {
		return err
	}
	return sub.Unmarshal(into, confmap.WithIgnoreUnused())
}

func unreadable(part string, err error) []probe {
	return []probe{{part, func(context.Context) []Result { return one(fail("", "%v", err)) }}}
}

// telemetry goes nowhere: what parts log about themselves is not the answer.
func telemetry() component.TelemetrySettings {
	return component.TelemetrySettings{
		Logger: zap.NewNop(), MeterProvider: noop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
		Resource: pcommon.NewResource(),
	}
}

// startAuthenticators makes the extensions that exporters in use name as
// authenticators, and no others: they open no ports and lock no files.
func (p *plan) startAuthenticators(ctx context.Context) {
	for _, u := range p.exporters {
		for _, key := range []string{"::auth::authenticator", "::http::auth::authenticator"} {
			name, _ := p.conf.Get(u.key() + key).(string)
			var id component.ID
			if name == "" || id.UnmarshalText([]byte(name)) != nil || p.auth[id] != nil || p.broken[id] != nil {
				continue
			}
			if err := p.startAuthenticator(ctx, id); err != nil {
				p.broken[id] = err
			}
		}
	}
}

func (p *plan) startAuthenticator(ctx context.Context, id component.ID) error {
	factory, ok := p.factories.Extensions[id.Type()]
	if !ok {
		return fmt.Errorf("no extension of type %s is compiled in", id.Type())
	}
	cfg, err := p.read("extensions", id, factory)
	if err != nil {
		return err
	}
	if err := confmap.Validate(cfg); err != nil { // some fill themselves in here
		return err
	}
	ext, err := factory.Create(ctx, extension.Settings{ID: id, TelemetrySettings: telemetry(), BuildInfo: p.build}, cfg)
	if err != nil {
		return err
	}
	if err := ext.Start(ctx, p); err != nil {
		return err
	}
	p.auth[id] = ext
	if s, ok := signerSettings(p, id); ok {
		p.signers[id] = s
	}
	return nil
}

// signerSettings says how a signing extension comes by its credentials.
func signerSettings(p *plan, id component.ID) (awsclient.Settings, bool) {
	key := "extensions::" + id.String()
	switch id.Type().String() {
	case "aws_sigv4":
		var s struct {
			awsclient.Settings `mapstructure:",squash"`
		}
		err := p.part(key, &s)
		return s.Settings, err == nil
	case "sigv4auth":
		var s struct {
			Region     string `mapstructure:"region"`
			AssumeRole struct {
				ARN        string `mapstructure:"arn"`
				ExternalID string `mapstructure:"external_id"`
			} `mapstructure:"assume_role"`
		}
		if p.part(key, &s) != nil {
			return awsclient.Settings{}, false
		}
		return awsclient.Settings{Region: s.Region, RoleARN: s.AssumeRole.ARN, ExternalID: s.AssumeRole.ExternalID}, true
	}
	return awsclient.Settings{}, false
}

// GetExtensions makes the plan a host for what it starts.
func (p *plan) GetExtensions() map[component.ID]component.Component { return p.auth }

func (p *plan) close() {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, e := range p.auth {
		_ = e.Shutdown(ctx)
	}
}
