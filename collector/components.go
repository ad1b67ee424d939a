package main

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"

	// The collector's own.
	"go.opentelemetry.io/collector/connector/forwardconnector"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension/zpagesextension"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"

	// Contrib's.
	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector"
	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awsxrayexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/basicauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/oidcauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/pprofextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/sigv4authextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/cumulativetodeltaprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/groupbyattrsprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/intervalprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/k8sattributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/metricstransformprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/redactionprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/awsxrayreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/fluentforwardreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/jaegerreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/journaldreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/kubeletstatsreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/statsdreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/zipkinreceiver"

	// Vigie's.
	"github.com/vigie-otel/vigie/exporters/cloudwatchexporter"
	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter"
	"github.com/vigie-otel/vigie/exporters/grafanaexporter"
	"github.com/vigie-otel/vigie/exporters/remotewriteexporter"
	"github.com/vigie-otel/vigie/exporters/warroomexporter"
	"github.com/vigie-otel/vigie/extensions/awssigv4extension"
	"github.com/vigie-otel/vigie/extensions/configreloadextension"
	"github.com/vigie-otel/vigie/extensions/filestorageextension"
	"github.com/vigie-otel/vigie/extensions/kubeletpodsextension"
	"github.com/vigie-otel/vigie/internal/configstate"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor"
	"github.com/vigie-otel/vigie/processors/attackmetricsconnector"
	"github.com/vigie-otel/vigie/processors/cloudmetadataprocessor"
	"github.com/vigie-otel/vigie/processors/conntrackprocessor"
	"github.com/vigie-otel/vigie/processors/podattributesprocessor"
	"github.com/vigie-otel/vigie/processors/redactprocessor"
	"github.com/vigie-otel/vigie/processors/seriesguardprocessor"
	"github.com/vigie-otel/vigie/receivers/conntrackreceiver"
	"github.com/vigie-otel/vigie/receivers/containerlogreceiver"
	"github.com/vigie-otel/vigie/receivers/enareceiver"
	"github.com/vigie-otel/vigie/receivers/hoststatreceiver"
	"github.com/vigie-otel/vigie/receivers/k8seventsreceiver"
	"github.com/vigie-otel/vigie/receivers/podscrapereceiver"
)

// components is everything that is compiled in, in the order in which data
// flows. A test prints this list (testdata/components.txt), so a component comes
// or goes only on purpose.
func components() (otelcol.Factories, error) { return componentsOf(configstate.New(nil)) }

// componentsOf is the same for a process that tells state of its configurations.
func componentsOf(state *configstate.State) (otelcol.Factories, error) {
	var f otelcol.Factories
	var errs [5]error

	f.Receivers, errs[0] = otelcol.MakeFactoryMap[receiver.Factory](
		// The node.
		conntrackreceiver.NewFactory(),
		enareceiver.NewFactory(),
		hoststatreceiver.NewFactory(),
		hostmetricsreceiver.NewFactory(),
		kubeletstatsreceiver.NewFactory(),
		prometheusreceiver.NewFactory(),
		podscrapereceiver.NewFactory(),
		// Logs.
		containerlogreceiver.NewFactory(),
		filelogreceiver.NewFactory(),
		journaldreceiver.NewFactory(),
		fluentforwardreceiver.NewFactory(),
		k8seventsreceiver.NewFactory(),
		// What applications send.
		otlpreceiver.NewFactory(),
		awsxrayreceiver.NewFactory(),
		zipkinreceiver.NewFactory(),
		jaegerreceiver.NewFactory(),
		statsdreceiver.NewFactory(),
	)

	f.Processors, errs[1] = otelcol.MakeFactoryMap[processor.Factory](
		// First: keep the process alive.
		memorylimiterprocessor.NewFactory(),
		// Whose is it?
		podattributesprocessor.NewFactory(),
		k8sattributesprocessor.NewFactory(),
		cloudmetadataprocessor.NewFactory(),
		resourceprocessor.NewFactory(),
		groupbyattrsprocessor.NewFactory(),
		// What does it mean?
		attackdetectionprocessor.NewFactory(),
		conntrackprocessor.NewFactory(),
		// Change and choose.
		attributesprocessor.NewFactory(),
		transformprocessor.NewFactory(),
		filterprocessor.NewFactory(),
		redactprocessor.NewFactory(),
		redactionprocessor.NewFactory(),
		metricstransformprocessor.NewFactory(),
		cumulativetodeltaprocessor.NewFactory(),
		deltatocumulativeprocessor.NewFactory(),
		intervalprocessor.NewFactory(),
		seriesguardprocessor.NewFactory(),
		probabilisticsamplerprocessor.NewFactory(),
		tailsamplingprocessor.NewFactory(),
		// Last: batch.
		batchprocessor.NewFactory(),
	)

	f.Connectors, errs[2] = otelcol.MakeFactoryMap[connector.Factory](
		attackmetricsconnector.NewFactory(),
		spanmetricsconnector.NewFactory(),
		countconnector.NewFactory(),
		forwardconnector.NewFactory(),
	)

	f.Exporters, errs[3] = otelcol.MakeFactoryMap[exporter.Factory](
		// Where people look.
		warroomexporter.NewFactory(),
		grafanaexporter.NewFactory(),
		// AWS.
		remotewriteexporter.NewFactory(),
		prometheusremotewriteexporter.NewFactory(),
		cloudwatchexporter.NewFactory(),
		awsxrayexporter.NewFactory(),
		eventbridgeexporter.NewFactory(),
		// Another collector.
		otlpexporter.NewFactory(),
		otlphttpexporter.NewFactory(),
		loadbalancingexporter.NewFactory(),
		// For a look inside.
		fileexporter.NewFactory(),
		kafkaexporter.NewFactory(),
		debugexporter.NewFactory(),
		nopexporter.NewFactory(),
	)

	f.Extensions, errs[4] = otelcol.MakeFactoryMap[extension.Factory](
		healthcheckextension.NewFactory(),
		configreloadextension.NewFactoryOf(state),
		filestorageextension.NewFactory(),
		kubeletpodsextension.NewFactory(),
		// Who may.
		awssigv4extension.NewFactory(),
		sigv4authextension.NewFactory(),
		basicauthextension.NewFactory(),
		bearertokenauthextension.NewFactory(),
		oidcauthextension.NewFactory(),
		// For a look inside.
		pprofextension.NewFactory(),
		zpagesextension.NewFactory(),
	)

	keepLedger(&f)
	setModules(&f)
	return f, errors.Join(errs[:]...)
}

// setModules tells the components command which Go module each type is from.
func setModules(f *otelcol.Factories) {
	b := readBuild()
	f.ReceiverModules = modulesOf(b, f.Receivers)
	f.ProcessorModules = modulesOf(b, f.Processors)
	f.ConnectorModules = modulesOf(b, f.Connectors)
	f.ExporterModules = modulesOf(b, f.Exporters)
	f.ExtensionModules = modulesOf(b, f.Extensions)
}

func modulesOf[F component.Factory](b build, factories map[component.Type]F) map[component.Type]string {
	modules := make(map[component.Type]string, len(factories))
	for t, f := range factories {
		modules[t] = b.moduleOf(f.CreateDefaultConfig())
	}
	return modules
}
