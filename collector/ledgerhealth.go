package main

import (
	"context"
	"maps"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// surviving is the health check, which the shapes give the ledger as a middleware. A
// configuration that puts another list in the place of service::extensions starts
// all the same, and says nothing of the ledger: health must not depend on it.
type surviving struct {
	extension.Factory
	aliased
}

// watching is what the health check is beside an extension.
type watching interface {
	extension.Extension
	extensioncapabilities.ConfigWatcher
	extensioncapabilities.PipelineWatcher
	componentstatus.Watcher
}

func (s surviving) Create(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	e, err := s.Factory.Create(ctx, set, cfg)
	if w, ok := e.(watching); ok && err == nil {
		return health{w}, nil
	}
	return e, err
}

type health struct{ watching }

// Start lets the health check find a ledger.
func (h health) Start(ctx context.Context, host component.Host) error {
	return h.watching.Start(ctx, withLedger{host})
}

type withLedger struct{ component.Host }

// Report passes the health check's own status on.
func (h withLedger) Report(event *componentstatus.Event) {
	componentstatus.ReportStatus(h.Host, event)
}

// GetExtensions has a ledger that adds nothing where none is configured.
func (h withLedger) GetExtensions() map[component.ID]component.Component {
	all, id := h.Host.GetExtensions(), component.MustNewID("ledger")
	if _, there := all[id]; there {
		return all
	}
	all = maps.Clone(all)
	if all == nil {
		all = map[component.ID]component.Component{}
	}
	all[id] = noLedger{}
	return all
}

type noLedger struct {
	component.StartFunc
	component.ShutdownFunc
	extensionmiddleware.GetHTTPHandlerFunc
}
