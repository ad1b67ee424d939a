package cloudwatchexporter

import (
	"cmp"
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/emf"
	"github.com/vigie-otel/vigie/internal/emf/insights"
	"github.com/vigie-otel/vigie/internal/names"
)

// metricsConverter makes requests of metrics.
type metricsConverter struct {
	emf           *emf.Converter
	insights      *insights.Mapper // nil without the preset
	group, stream template
	budget        *budget
	tel           *telemetry
	now           func() time.Time
}

func newMetricsConverter(cfg *Config, b *budget, tel *telemetry) (*metricsConverter, error) {
	c := &metricsConverter{budget: b, tel: tel, now: time.Now}
	options, group, stream := cfg.Metrics.options(b), defaultMetricsGroup, defaultMetricsStream
	if cfg.Preset == presetContainerInsights {
		c.insights = insights.New(insights.Options{NodeCPUs: cfg.Metrics.NodeCPUs, Limit: cfg.Metrics.MaxSeries})
		options.Namespace = cmp.Or(cfg.Metrics.Namespace, insights.Namespace)
		options.Rules, options.DropUnmatched = insights.Rules(), true
		options.Properties = append(insights.Properties(), cfg.Metrics.Properties...)
		group, stream = insightsMetricsGroup, insightsMetricsStream
	}
	c.emf = emf.New(options, c.now())
	var err error
	if c.group, err = parseTemplate(cmp.Or(cfg.Metrics.Group, group)); err != nil {
		return nil, err
	}
	c.stream, err = parseTemplate(cmp.Or(cfg.Metrics.Stream, stream))
	return c, err
}

// convert makes documents of data points. It is called once for each batch, so
// that a difference is made once, however often the document is sent.
func (c *metricsConverter) convert(_ context.Context, md pmetric.Metrics) (xexporterhelper.Request, error) {
	req := newRequest()
	now := c.now()
	var name, other []byte
	if c.insights != nil {
		var ignored int
		md, ignored = c.insights.Map(md, now)
		c.tel.count(c.tel.points, names.CloudWatchReason, emf.Unmatched.String(), ignored)
	}
	last, part, group, stream := -1, -1, "", ""
	dropped := c.emf.Convert(md, now, func(resource pcommon.Map, number int, at int64, points int, document string) {
		if number != last {
			last = number
			name = c.group.render(name[:0], resource, "", inGroup)
			n := len(name)
			other = c.stream.render(other[:0], resource, "", inStream)
			name = append(name, other...)
			// Many resources, such as a node's pods, share a stream.
			if part < 0 || group != string(name[:n]) || stream != string(name[n:]) {
				group, stream = string(name[:n]), string(name[n:])
				part = req.part(destination{group: group, stream: stream, emf: true})
			}
		}
		req.add(part, event{at: at, records: int32(points), message: document})
	})
	c.budget.addDocument(req.bytes, now)
	for reason, n := range dropped {
		c.tel.count(c.tel.points, names.CloudWatchReason, emf.Reason(reason).String(), n)
	}
	return req, nil
}

func createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	c := cfg.(*Config)
	x, err := newInstance(c, set, "metrics")
	if err != nil {
		return nil, err
	}
	convert, err := newMetricsConverter(c, x.budget, x.tel)
	if err != nil {
		return nil, err
	}
	inner, err := xexporterhelper.NewMetricsRequest(ctx, set, convert.convert, x.sender.push, x.options(c)...)
	if err != nil {
		return nil, err
	}
	return &metricsExporter{Metrics: inner, instance: x}, nil
}

type metricsExporter struct {
	exporter.Metrics
	instance *instance
}

func (e *metricsExporter) Start(ctx context.Context, host component.Host) error {
	return e.instance.start(ctx, host, e.Metrics)
}

func (e *metricsExporter) Shutdown(ctx context.Context) error {
	return e.instance.shutdown(ctx, e.Metrics)
}
