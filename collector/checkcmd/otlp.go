package checkcmd

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/golang/snappy"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/pipeline"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/vigie-otel/vigie/exporters/remotewriteexporter"
)

// remoteWrite sends a WriteRequest without a series.
func (p *plan) remoteWrite(u used) []probe {
	cfg, err := exporterConfig[component.Config](p, u)
	if err != nil {
		return unreadable(u.key(), err)
	}
	var client confighttp.ClientConfig
	switch c := cfg.(type) {
	case *remotewriteexporter.Config:
		client = c.ClientConfig
	case *prometheusremotewriteexporter.Config: // reads its squashed keys into http
		client = c.HTTP
	}
	return []probe{p.post(endpoint{
		part: u.key(), client: client, url: client.Endpoint, body: snappy.Encode(nil, nil),
		headers: map[string]string{
			"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0",
		},
		permission: "aps:RemoteWrite", takes: "remote write",
		nothingHere: "look at the workspace's id and at the path, /workspaces/ws-…/api/v1/remote_write on AMP",
	})}
}

// otlpHTTP sends an empty export request for each signal in use.
func (p *plan) otlpHTTP(u used) (out []probe) {
	cfg, err := exporterConfig[*otlphttpexporter.Config](p, u)
	if err != nil {
		return unreadable(u.key(), err)
	}
	for _, s := range u.signals {
		own := map[pipeline.Signal]string{pipeline.SignalTraces: cfg.TracesEndpoint, pipeline.SignalMetrics: cfg.MetricsEndpoint, pipeline.SignalLogs: cfg.LogsEndpoint}[s]
		target := own
		if target == "" {
			target = strings.TrimSuffix(cfg.ClientConfig.Endpoint, "/") + "/v1/" + s.String()
		}
		part := u.key()
		if len(u.signals) > 1 {
			part += " " + s.String()
		}
		client := cfg.ClientConfig
		client.Compression = "" // of nothing
		out = append(out, p.post(endpoint{
			part: part, client: client, url: target,
			headers:    map[string]string{"Content-Type": "application/x-protobuf"},
			permission: otlpPermission(target, s), takes: "OTLP " + s.String(),
			nothingHere: "look at endpoint and its path, /v1/" + s.String(),
		}))
	}
	return out
}

// otlpPermission is the IAM action of AWS' OTLP endpoints.
func otlpPermission(target string, s pipeline.Signal) string {
	host := target
	if u, err := url.Parse(target); err == nil {
		host = u.Hostname()
	}
	switch {
	case strings.HasPrefix(host, "logs."), s == pipeline.SignalLogs:
		return "logs:PutLogEvents"
	case strings.HasPrefix(host, "monitoring."), s == pipeline.SignalMetrics:
		return "cloudwatch:PutMetricData"
	}
	return "xray:PutTraceSegments"
}

// otlpGRPC connects, with TLS where it is configured, and exports nothing.
func (p *plan) otlpGRPC(u used) []probe {
	cfg, err := exporterConfig[*otlpexporter.Config](p, u)
	if err != nil {
		return unreadable(u.key(), err)
	}
	return []probe{{u.key(), func(ctx context.Context) []Result {
		return one(p.connect(ctx, u.key(), cfg.ClientConfig, u.signals))
	}}}
}

func (p *plan) connect(ctx context.Context, part string, cfg configgrpc.ClientConfig, signals []pipeline.Signal) Result {
	if auth := cfg.Auth.Get(); auth != nil && p.broken[auth.AuthenticatorID] != nil {
		return fail("mend the extension", "not tried: %s does not start: %v", auth.AuthenticatorID, p.broken[auth.AuthenticatorID])
	}
	conn, err := cfg.ToClientConn(ctx, p.auth, telemetry())
	if err != nil {
		return fail("", "the gRPC client cannot be made: %v", err)
	}
	defer conn.Close()
	// What gRPC tells of a failed connection has lost its cause: ask the network
	// first, where it is a plain address.
	if r, bad := p.dial(ctx, cfg); bad {
		return r
	}
	conn.Connect()
	for s := conn.GetState(); s != connectivity.Ready; s = conn.GetState() {
		if s == connectivity.TransientFailure || !conn.WaitForStateChange(ctx, s) {
			break
		}
	}
	err = export(ctx, conn, signals[0])
	switch code := status.Code(err); code {
	case codes.OK:
		return ok("%s takes OTLP, %s", cfg.Endpoint, secured(cfg))
	case codes.Unimplemented:
		return fail("look at the other side's pipelines", "%s is reached and takes no %s", cfg.Endpoint, signals[0])
	case codes.Unauthenticated, codes.PermissionDenied:
		return fail("look at auth and headers of "+part, "%s denies access: %s", cfg.Endpoint, said(status.Convert(err).Message()))
	case codes.ResourceExhausted:
		return warn("give the other side more memory, or more of it", "%s is reached and asks to slow down", cfg.Endpoint)
	case codes.Unavailable, codes.DeadlineExceeded:
		text, fix := network(ctx, errors.New(status.Convert(err).Message()), p.timeout)
		return fail(fix, "%s: %s", cfg.Endpoint, said(text))
	default:
		return fail("look at the other side", "%s answers %s: %s", cfg.Endpoint, code, said(status.Convert(err).Message()))
	}
}

// export sends an empty request of a signal.
func export(ctx context.Context, conn *grpc.ClientConn, s pipeline.Signal) (err error) {
	switch s {
	case pipeline.SignalTraces:
		_, err = ptraceotlp.NewGRPCClient(conn).Export(ctx, ptraceotlp.NewExportRequest())
	case pipeline.SignalLogs:
		_, err = plogotlp.NewGRPCClient(conn).Export(ctx, plogotlp.NewExportRequest())
	default:
		_, err = pmetricotlp.NewGRPCClient(conn).Export(ctx, pmetricotlp.NewExportRequest())
	}
	return err
}

func secured(cfg configgrpc.ClientConfig) string {
	if cfg.TLS.Insecure {
		return "without TLS"
	}
	return "with TLS"
}

// dial opens one TCP connection and shakes hands where TLS is on.
func (p *plan) dial(ctx context.Context, cfg configgrpc.ClientConfig) (Result, bool) {
	address := cfg.Endpoint
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = strings.TrimLeft(rest, "/")
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil { // a scheme of gRPC's own
		return Result{}, false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return unreachable(ctx, cfg.Endpoint, err, p.timeout), true
	}
	defer conn.Close()
	settings, err := cfg.TLS.LoadTLSConfig(ctx)
	if err != nil {
		return fail("look at tls of the exporter", "%s: %v", cfg.Endpoint, err), true
	}
	if settings == nil || cfg.TLS.Insecure {
		return Result{}, false
	}
	settings = settings.Clone()
	if settings.ServerName == "" {
		settings.ServerName = host
	}
	settings.NextProtos = []string{"h2"}
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	shaken := tls.Client(conn, settings)
	if err := shaken.HandshakeContext(ctx); err != nil {
		return unreachable(ctx, cfg.Endpoint, err, p.timeout), true
	}
	if left := time.Until(shaken.ConnectionState().PeerCertificates[0].NotAfter); left < 7*24*time.Hour {
		return warn("renew the certificate", "%s takes TLS, with a certificate that ends in %s", cfg.Endpoint, left.Round(time.Hour)), true
	}
	return Result{}, false
}

// loadBalancing looks up the names and connects to what they stand for.
func (p *plan) loadBalancing(u used) []probe {
	var cfg struct {
		Protocol struct {
			OTLP otlpexporter.Config `mapstructure:"otlp"`
		} `mapstructure:"protocol"`
		Resolver struct {
			Static struct {
				Hostnames []string `mapstructure:"hostnames"`
			} `mapstructure:"static"`
			DNS struct {
				Hostname string `mapstructure:"hostname"`
				Port     string `mapstructure:"port"`
			} `mapstructure:"dns"`
		} `mapstructure:"resolver"`
	}
	if factory, ok := p.factories.Exporters[otlpexporter.NewFactory().Type()]; ok {
		cfg.Protocol.OTLP = *factory.CreateDefaultConfig().(*otlpexporter.Config)
	}
	if err := p.part(u.key(), &cfg); err != nil {
		return unreadable(u.key(), err)
	}
	hosts := cfg.Resolver.Static.Hostnames
	name, port := cfg.Resolver.DNS.Hostname, cfg.Resolver.DNS.Port
	if port == "" {
		port = "4317"
	}
	return []probe{{u.key(), func(ctx context.Context) (out []Result) {
		switch {
		case name != "":
			found, err := net.DefaultResolver.LookupHost(ctx, name)
			if err != nil {
				return one(unreachable(ctx, name, err, p.timeout))
			}
			for _, a := range found {
				hosts = append(hosts, net.JoinHostPort(a, port))
			}
		case len(hosts) == 0:
			return one(warn("look at the service's endpoints by hand", "not tried: its resolver finds the other side in the cluster"))
		}
		for _, h := range hosts[:min(len(hosts), 4)] { // a few stand for all
			target := cfg.Protocol.OTLP.ClientConfig
			if target.Endpoint = h; !strings.Contains(h, ":") {
				target.Endpoint = net.JoinHostPort(h, "4317")
			}
			out = append(out, p.connect(ctx, u.key(), target, u.signals))
		}
		return out
	}}}
}
